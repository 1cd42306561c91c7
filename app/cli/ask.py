"""`clearance ask` and `clearance search`."""

from typing import Annotated, Any, Literal

import typer
from rich.text import Text

from app.cli.connect import connected
from app.cli.screen import note, out, table
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
def search(  # noqa: PLR0913  # each is one option of the command
    client: Client,
    query: Annotated[str, typer.Argument(help='words or a question; "these words" stand so, -this stands nowhere')],
    *,
    limit: Annotated[int, typer.Option(min=1, max=50)] = 5,
    collection: Annotated[list[str] | None, typer.Option(help="only this one; may be given again")] = None,
    folder: Annotated[str, typer.Option(help="documents in this folder or below it")] = "",
    since: Annotated[
        str | None, typer.Option(help="changed then or later: 2026-03-31 or with a time and its zone")
    ] = None,
    until: Annotated[str | None, typer.Option(help="changed before then")] = None,
    neighbours: Annotated[int, typer.Option(min=0, max=3, help="passages before and after each to show")] = 0,
    explain: Annotated[bool, typer.Option("--explain", help="a table of how each was found")] = False,
) -> None:
    """Find passages you may read, without an answer."""
    body = {"query": query, "limit": limit, "collections": collection or [], "folder": folder}
    body |= {"since": _moment(since), "until": _moment(until), "neighbours": neighbours, "explain": explain}
    found = client.post("/search", body)
    for phrase in found["unmatched"]:
        note(f"Nothing has the exact words “{phrase}”; they were searched for one by one.")
    for number, hit in enumerate(found["hits"], start=1):
        show_hit(number, hit)
    if explain and found["hits"]:
        show_explained(found["hits"])
    if not found["hits"]:
        note("No passage that you may read.")


def show_hit(number: int, hit: dict[str, Any]) -> None:
    """Where it stands, and its words with those of the search marked."""
    page = f", page {hit['page']}" if hit["page"] else ""
    place = (f"{hit['collection']}/{hit['path']}{page}", "bold")
    out.print(Text.assemble((f"{number}. ", "bold cyan"), place, (f"  {hit['label']}", "dim")))
    out.print(Text(f"   {' › '.join(dict.fromkeys([hit['title'], *hit['heading']]))}", "dim"))
    for words in hit["before"]:
        out.print(Text(f"   {' '.join(words.split())}", "dim"))
    out.print(Text("   ") + _marked(hit["snippet"], hit["highlights"]))
    for words in hit["after"]:
        out.print(Text(f"   {' '.join(words.split())}", "dim"))
    for copy in hit["copies"]:
        out.print(Text(f"   the same stands in {copy['collection']}/{copy['path']}", "dim"))
    out.print()


def show_explained(hits: list[dict[str, Any]]) -> None:
    """How each hit was found, as a table."""
    crossed = any(hit["explained"]["reranked"] is not None for hit in hits)
    rows = []
    for number, hit in enumerate(hits, start=1):
        how = hit["explained"]
        meaning = (f"{how['similarity']:.3f}", how["similarity_rank"])
        words = (f"{how['word_share']:.3f}", how["word_rank"], f"{how['coverage']:.0%}")
        again = "" if how["reranked"] is None else f"{how['reranked']:.3f}"
        rows.append((number, f"{hit['score']:.3f}", *meaning, *words, *((again,) if crossed else ())))
    more = ("cross-encoder",) if crossed else ()
    table(("hit", "score", "meaning", "rank", "words", "rank", "of the words", *more), rows)


def _marked(snippet: str, highlights: list[list[int]]) -> Text:
    """The snippet in one line, its highlights bold. White space is one character for one, so places stay."""
    marked = Text("".join(" " if c.isspace() else c for c in snippet))
    for start, end in highlights:
        marked.stylize("bold yellow", start, end)
    return marked


def _moment(given: str | None) -> str | None:
    """A day is its first moment, in UTC."""
    return f"{given}T00:00:00Z" if given is not None and len(given) == len("2026-03-31") else given
