"""`clearance ask` and `clearance search`."""

import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer

from app.cli.api_calls import Unfinished, shell_command
from app.cli.connection import with_client
from app.cli.last_answer import remember
from app.cli.output import Span, print_chunk, print_note, print_result, print_table, print_text, wants_json
from app.client.api import ApiError, Client

Mode = Annotated[
    Literal["generate", "quote"] | None,
    typer.Option(help="generate: by the model; quote: sentences word for word; unset: as the service is set up"),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(ask)
    app.command()(search)


@with_client
def ask(
    client: Client,
    question: Annotated[str, typer.Argument(help="in your own words")],
    *,
    mode: Mode = None,
    streamed: Annotated[bool, typer.Option("--stream/--no-stream", help="show the answer while it is made")] = True,
    conversation: Annotated[
        str | None, typer.Option(metavar="ID", help="keep it in this conversation of yours; 'new' begins one")
    ] = None,
) -> None:
    """Answer a question from the documents you may read, with its sources. Nothing is kept outside a conversation."""
    new = conversation == "new"
    if new:
        conversation = client.post("/conversations", {})["id"]
    body = {"question": question, "mode": mode, "conversation": conversation}
    try:
        answered(client, body, streamed=streamed and not wants_json())
    except ApiError as error:
        if not new:
            raise
        go_on = shell_command("ask", question, "--conversation", str(conversation))
        raise Unfinished(error, [f"the conversation {conversation} is there"], [go_on]) from error


def answered(client: Client, body: dict[str, Any], *, streamed: bool) -> None:
    """Ask, show the answer with its sources, and remember their numbers."""
    answer = show_stream(client, body) if streamed else client.post("/ask", body)
    keep_numbers(client, {source["number"]: source["document"] for source in answer["sources"]})

    def show() -> None:
        if not streamed:
            print_text(answer["answer"])
        show_end(answer)

    print_result(answer, show)


def show_stream(client: Client, body: dict[str, Any]) -> dict[str, Any]:
    """Print the answer as it comes; gives the last event, with the whole text as `answer`."""
    text, end = "", {}
    for name, data in client.ask_streamed(body):
        if name == "delta":
            text += data["text"]
            print_chunk(data["text"])
        elif name == "done":
            end = data
    print_chunk("\n")
    return {**end, "answer": text}


def keep_numbers(client: Client, documents: Mapping[int, str]) -> None:
    """Remember which number stands for which document, for `clearance documents show`."""
    try:
        remember(os.environ, client.base_url, documents)
    except OSError as error:
        print_note(f"'clearance documents show NUMBER' will not know these sources: {error}")


def show_end(end: dict[str, Any]) -> None:
    """What the answer was made from, and how it came about."""
    show_sources(end["sources"])
    facts = [{"generate": "by the model", "quote": "quoted word for word"}[end["mode"]], f"trail {end['trail']}"]
    if end["redactions"]:
        facts.insert(1, "redacted: " + ", ".join(f"{kind} {n}×" for kind, n in end["redactions"].items()))
    if end["fallback"]:
        print_note(f"The model did not answer ({end['fallback']}); these are quotes instead.")
    if end["conversation"]:
        facts.append(f"conversation {end['conversation']}")
    print_note(" · ".join(facts))


def show_sources(sources: list[dict[str, Any]]) -> None:
    """Where each source stands, its title and id, and the sentence of it that fits best."""
    if sources:
        print_text(("\nSources", "bold"))
    for source in sources:
        page = f", page {source['page']}" if source["page"] else ""
        where = " › ".join(dict.fromkeys([source["title"], *source["heading"]]))
        number = (f"[{source['number']}] ", "bold cyan" if source["cited"] else "dim")
        place = (f"{source['collection']}/{source['path']}{page}", "bold" if source["cited"] else "")
        print_text(number, place, (f"  {source['label']}", "dim"))
        print_text((f"    {where}", "dim"))
        print_text((f"    id {source['document']}", "dim"))
        if source["cited"]:
            print_text(f"    “{source['quote']}”", wrap=True)


@with_client
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
    keep_numbers(client, {number: hit["document"] for number, hit in enumerate(found["hits"], start=1)})
    print_result(found, lambda: show_found(found, explain=explain))


def show_found(found: dict[str, Any], *, explain: bool) -> None:
    """All hits, and how each was found if that was wanted."""
    for phrase in found["unmatched"]:
        print_note(f"Nothing has the exact words “{phrase}”; they were searched for one by one.")
    for number, hit in enumerate(found["hits"], start=1):
        show_hit(number, hit)
    if explain and found["hits"]:
        show_explained(found["hits"])
    if not found["hits"]:
        print_note("No passage that you may read.")


def show_hit(number: int, hit: dict[str, Any]) -> None:
    """Where it stands, and its words with those of the search marked."""
    page = f", page {hit['page']}" if hit["page"] else ""
    print_text(
        (f"{number}. ", "bold cyan"),
        (f"{hit['collection']}/{hit['path']}{page}", "bold"),
        (f"  {hit['label']}", "dim"),
    )
    print_text((f"   {' › '.join(dict.fromkeys([hit['title'], *hit['heading']]))}", "dim"))
    print_text((f"   id {hit['document']}", "dim"))
    for words in hit["before"]:
        print_text((f"   {' '.join(words.split())}", "dim"))
    print_text("   ", *_marked(hit["snippet"], hit["highlights"]))
    for words in hit["after"]:
        print_text((f"   {' '.join(words.split())}", "dim"))
    for copy in hit["copies"]:
        print_text((f"   the same stands in {copy['collection']}/{copy['path']}", "dim"))
    print_text()


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
    print_table(("hit", "score", "meaning", "rank", "words", "rank", "of the words", *more), rows)


def _marked(snippet: str, highlights: list[list[int]]) -> list[Span]:
    """The snippet in one line, its highlights bold. White space is one character for one, so places stay."""
    line = "".join(" " if c.isspace() else c for c in snippet)
    parts: list[Span] = []
    at = 0
    for start, end in sorted(highlights):
        parts += [line[at:start], (line[max(at, start) : end], "bold yellow")]
        at = max(at, end)
    return [*parts, line[at:]]


def _moment(given: str | None) -> str | None:
    """A day is its first moment, in UTC."""
    return f"{given}T00:00:00Z" if given is not None and len(given) == len("2026-03-31") else given
