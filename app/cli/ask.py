"""`clearance ask` and `clearance search`."""

from typing import Annotated, Any, Literal

import typer
from rich.text import Text

from app.cli.connect import connected
from app.cli.screen import note, out
from app.local.client import Client

Mode = Annotated[
    Literal["generate", "quote"] | None,
    typer.Option(help="generate: by the model; quote: sentences word for word; unset: as the service is set up"),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(ask)
    app.command()(search)


@connected
def ask(
    client: Client,
    question: Annotated[str, typer.Argument(help="in your own words")],
    *,
    mode: Mode = None,
    stream: Annotated[bool, typer.Option(help="show the answer while it is made")] = True,
    conversation: Annotated[
        str | None, typer.Option(metavar="ID", help="keep it in this conversation of yours; 'new' begins one")
    ] = None,
) -> None:
    """Answer a question from the documents you may read, with its sources. Nothing is kept outside a conversation."""
    if conversation == "new":
        conversation = client.post("/conversations", {})["id"]
    body = {"question": question, "mode": mode, "conversation": conversation}
    if stream:
        show_end(show_stream(client, body))
        return
    answer = client.post("/ask", body)
    out.print(Text(answer["answer"]), soft_wrap=True)
    show_end(answer)


def show_stream(client: Client, body: dict[str, Any]) -> dict[str, Any]:
    """Print the answer as it comes; gives the last event, with the whole text as `answer`."""
    text, end = "", {}
    for name, data in client.ask_streamed(body):
        if name == "delta":
            text += data["text"]
            out.file.write(data["text"])
            out.file.flush()
        elif name == "done":
            end = data
    out.file.write("\n")
    return {**end, "answer": text}


def show_end(end: dict[str, Any]) -> None:
    """What the answer was made from, and how it came about."""
    show_sources(end["sources"])
    facts = [{"generate": "by the model", "quote": "quoted word for word"}[end["mode"]], f"trail {end['trail']}"]
    if end["redactions"]:
        facts.insert(1, "redacted: " + ", ".join(f"{kind} {n}×" for kind, n in end["redactions"].items()))
    if end["fallback"]:
        note(f"The model did not answer ({end['fallback']}); these are quotes instead.")
    if end["conversation"]:
        facts.append(f"conversation {end['conversation']}")
    note(" · ".join(facts))


def show_sources(sources: list[dict[str, Any]]) -> None:
    """One line for each source, and the sentence of it that fits best."""
    if sources:
        out.print(Text("\nSources", "bold"))
    for source in sources:
        page = f", page {source['page']}" if source["page"] else ""
        where = " › ".join(dict.fromkeys([source["title"], *source["heading"]]))
        number = (f"[{source['number']}] ", "bold cyan" if source["cited"] else "dim")
        place = (f"{source['collection']}/{source['path']}{page}", "bold" if source["cited"] else "")
        out.print(Text.assemble(number, place, (f"  {source['label']}", "dim")))
        out.print(Text(f"    {where}", "dim"))
        if source["cited"]:
            out.print(Text(f"    “{source['quote']}”"))


@connected
def search(
    client: Client,
    query: Annotated[str, typer.Argument(help="words, or a question")],
    *,
    limit: Annotated[int, typer.Option(min=1, max=50)] = 5,
) -> None:
    """Find passages you may read, without an answer."""
    hits = client.post("/search", {"query": query, "limit": limit})["hits"]
    for number, hit in enumerate(hits, start=1):
        page = f", page {hit['page']}" if hit["page"] else ""
        out.print(Text.assemble((f"{number}. ", "bold cyan"), (f"{hit['collection']}/{hit['path']}{page}", "bold"),
                                (f"  {hit['label']}", "dim")))  # fmt: skip
        out.print(Text(f"   {' › '.join(dict.fromkeys([hit['title'], *hit['heading']]))}", "dim"))
        out.print(Text(f"   {' '.join(hit['snippet'].split())}\n"))
    if not hits:
        note("No passage that you may read.")
