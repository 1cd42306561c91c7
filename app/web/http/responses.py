"""Answers that are written once, from the model that describes them."""

from fastapi import Response
from pydantic import BaseModel


def json_of(model: BaseModel) -> Response:
    """A model as JSON. Its fields were checked when it was made: FastAPI would check and copy all of them again, which
    takes longer than writing them. The route names the model as `response_model`, for its description.
    """
    return Response(model.model_dump_json(by_alias=True), media_type="application/json")
