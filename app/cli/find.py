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
PAGE = 500


class NoSuchDocument(UserError):
    """The argument names no document that the caller may see."""

    code = "NotFound"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.detail = message


def find_document(client: Client, given: str, *, numbers: bool = True) -> str:
    """The id of the document that is meant. Without `numbers`, for what cannot be undone, a number means none."""
    if is_id(given):
        return given
    if given.isascii() and given.isdigit():
        if not numbers:
            raise NoSuchDocument("give the id or COLLECTION/PATH: what a number means changes with each question")
        return recall(os.environ, client.base_url, given)
    collection, slash, path = given.partition("/")
    if not slash or not path:
        raise NoSuchDocument(f"{given!r} is no id, no COLLECTION/PATH, and no number of a source of the last answer")
    return _by_path(client, collection, path)


def is_id(text: str) -> bool:
    """Whether the text is the id of something."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _by_path(client: Client, collection: str, path: str) -> str:
    missing = NoSuchDocument(f"there is no document {collection}/{path} that you may see: 'clearance documents list'")
    after = None
    while True:
        try:
            page = client.get("/documents", collection=collection, after=after, limit=PAGE)
        except ApiError as error:
            if error.code != "NotFound":
                raise
            raise missing from error
        for document in page:
            if document["path"] == path:
                return str(document["id"])
        if len(page) < PAGE:
            raise missing
        after = page[-1]["id"]
