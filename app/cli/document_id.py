"""Which document an argument means: an id, COLLECTION/PATH, or the number of a source of the last answer."""

import os
import uuid
from typing import Annotated

import typer

from app.cli.last_answer import recall
from app.client.api import ApiError, Client
from app.client.errors import UserError

DocumentName = Annotated[
    str, typer.Argument(help="id, COLLECTION/PATH, or the number of a source of the last answer in this terminal")
]


class NoSuchDocument(UserError):
    """The argument names no document that the caller may see."""

    code = "NotFound"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.detail = message


def resolve_document(client: Client, name: str, *, numbers: bool = True) -> str:
    """The document's id; raises NoSuchDocument or NoSuchSource. Commands that cannot be undone forbid `numbers`."""
    if is_id(name):
        return name
    if name.isascii() and name.isdigit():
        if not numbers:
            raise NoSuchDocument("give the id or COLLECTION/PATH: what a number means changes with each question")
        return recall(os.environ, client.base_url, name)
    collection, slash, path = name.partition("/")
    if not slash or not path:
        raise NoSuchDocument(f"{name!r} is no id, no COLLECTION/PATH, and no number of a source of the last answer")
    return _id_by_path(client, collection, path)


def is_id(text: str) -> bool:
    """Whether the text is a UUID, as the ids of all things are."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _id_by_path(client: Client, collection: str, path: str) -> str:
    missing = NoSuchDocument(f"there is no document {collection}/{path} that you may see: 'clearance documents list'")
    try:
        for document in client.pages("/documents", collection=collection):
            if document["path"] == path:
                return str(document["id"])
    except ApiError as error:
        if error.code != "NotFound":
            raise
        raise missing from error
    raise missing
