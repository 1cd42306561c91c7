"""`clearance conversations`."""

from itertools import islice
from typing import Annotated, Any

import typer

from app.cli.ask import print_sources
from app.cli.connection import with_client
from app.cli.output import format_time, print_note, print_result, print_success, print_table, print_text
from app.client.api import PAGE, Client, path

Id = Annotated[str, typer.Argument(help="id of the conversation")]

conversations = typer.Typer(help="Your conversations: kept for you, and for nobody else.", no_args_is_help=True)


@conversations.command("list")
@with_client
def list_conversations(client: Client, *, limit: Annotated[int, typer.Option(min=1)] = 20) -> None:
    """Your conversations, newest first."""
    response = list(islice(client.pages("/conversations", limit=min(PAGE, limit)), limit))
    rows = [
        (c["id"], c["turns"], format_time(c["last_at"] or c["created_at"]), c["title"] or c["first_question"])
        for c in response
    ]
    headings = ("id", "turns", "last (UTC)", "title or first question")
    print_result(response, lambda: print_table(headings, rows, empty="'clearance ask --conversation new' begins one."))


@conversations.command("show")
@with_client
def show(
    client: Client, conversation: Id, *, limit: Annotated[int, typer.Option(min=1, max=500, help="last turns")] = 20
) -> None:
    """A conversation, oldest turn first, without the answers that you may no longer read."""
    response = client.get(path("conversations", conversation), limit=limit)

    def show_turns() -> None:
        for turn in response["turns"]:
            print_turn(turn)

    print_result(response, show_turns)


@conversations.command("rename")
@with_client
def rename(client: Client, conversation: Id, title: Annotated[str, typer.Argument(help="1 to 200 characters")]) -> None:
    """Give a conversation a title, in the place of its first question."""
    renamed = client.patch(path("conversations", conversation), {"title": title})
    print_success(f"the conversation is called '{renamed['title']}'")


@conversations.command("delete")
@with_client
def delete(client: Client, conversation: Id) -> None:
    """Delete a conversation with its turns. The audit log keeps that they were."""
    client.delete(path("conversations", conversation))
    print_success("the conversation is deleted")


def print_turn(turn: dict[str, Any]) -> None:
    """Print a question, and its answer or why that is withheld."""
    print_text((f"› {turn['question']}", "bold"))
    if turn["withheld"]:
        print_text((turn["notice"], "yellow"))
    else:
        print_text(turn["answer"])
        print_sources([source for source in turn["sources"] if source["cited"]])
    print_note(f"{turn['outcome']} · {format_time(turn['at'])} UTC · trail {turn['id']}")
    print_text()
