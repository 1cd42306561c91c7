"""`clearance jobs`: the caller's uploads."""

from itertools import islice
from typing import Annotated, Literal

import typer

from app.cli.connection import with_client
from app.cli.output import format_time, print_result, print_table
from app.client.api import PAGE, Client

State = Literal["queued", "running", "indexed", "unchanged", "failed"]

jobs = typer.Typer(help="Your uploads.", no_args_is_help=True)


@jobs.command("list")
@with_client
def list_jobs(
    client: Client,
    *,
    state: Annotated[State | None, typer.Option(help="only those")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
) -> None:
    """Your uploads, newest first."""
    uploads = list(islice(client.pages("/jobs", state=state, limit=min(PAGE, limit)), limit))
    rows = ((format_time(j["created_at"]), f"{j['collection']}/{j['path']}", j["state"], j["reason"]) for j in uploads)
    print_result(uploads, lambda: print_table(("uploaded (UTC)", "document", "state", "reason"), rows))
