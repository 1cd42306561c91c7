"""`clearance reveal`: what a pseudonym of an answer stands for, with a reason."""

from typing import Annotated

import typer

from app.cli.connection import with_client
from app.cli.output import print_result, print_text
from app.client.api import Client, path


@with_client
def reveal(
    client: Client,
    answer: Annotated[str, typer.Argument(help="id of the answer: its trail")],
    kind: Annotated[str, typer.Argument(help="as in [redacted: phone 1]: phone")],
    number: Annotated[int, typer.Argument(help="as there: 1", min=1)],
    *,
    reason: Annotated[str, typer.Option(help="why; the log keeps it")],
) -> None:
    """What a pseudonym of an answer stands for, if you read a passage now in which it stands; recorded (reveal)."""
    found = client.post(path("answers", answer, "reveal"), {"kind": kind, "number": number, "reason": reason})
    print_result(found, lambda: print_text(found["value"]))
