"""`clearance ask` and `clearance search`."""

import os
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import typer

from app.cli.api_calls import Unfinished, shell_command
from app.cli.connection import with_client
from app.cli.last_answer import save
from app.cli.output import Span, print_chunk, print_note, print_result, print_table, print_text, wants_json
from app.client.api import ApiError, Client

FALLBACK_NOTES = {
    "Ungrounded": "The sources support nothing of what the model wrote",
}
# How an answer was made, by its outcome; a fixed reply is neither.
MADE = {"answered": "by the model", "quoted": "quoted word for word", "may_help": "quoted word for word"}
# Whether a model that should have been asked was out.
REFUSED = {
    False: "Questions of the category '{}' are not answered here",
    True: "A model that is asked about questions for the category '{}' does not answer",
}
REASONS = {
    "number": "a number that the sources do not give",
    "date": "a date that the sources do not give",
    "name": "a name that the sources do not give there",
    "negation": "the sources say the opposite",
}

Mode = Annotated[
    Literal["generate", "quote"] | None,
    typer.Option(help="generate: by the model; quote: sentences word for word; unset: as the service is set up"),
]


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
    collection: Annotated[list[str] | None, typer.Option(help="answer from this one alone; may be given again")] = None,
) -> None:
    """Answer a question from the documents you may read, with its sources. Nothing is kept outside a conversation."""
    is_new = conversation == "new"
    if is_new:
        conversation = client.post("/conversations", {})["id"]
    body = {"question": question, "mode": mode, "conversation": conversation, "collections": collection or []}
    try:
        print_answer(client, body, streamed=streamed and not wants_json())
    except ApiError as error:
        if not is_new:
            raise
        chosen = [word for name in collection or [] for word in ("--collection", name)]
        again = shell_command("ask", question, *chosen, "--conversation", str(conversation))
        raise Unfinished(error, [f"the conversation {conversation} is there"], [again]) from error


def print_answer(client: Client, body: dict[str, Any], *, streamed: bool) -> None:
    """Ask, print the answer with its sources, and save their numbers."""
    answer, printed = print_stream(client, body) if streamed else (client.post("/ask", body), False)
    save_numbers(client, {source["number"]: source["document"] for source in answer["sources"]})

    def show() -> None:
        if answer["mode"] == "quote" and not printed:
            print_quotes(answer)
        elif not printed:
            print_text(answer["answer"])
        print_provenance(answer)

    print_result(answer, show)


def print_stream(client: Client, body: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Print what a model says as it is streamed; returns the last event, with the whole text as `answer`, and whether
    that was printed: quotes that were asked for come in one piece, and are printed by their blocks at the end.
    """
    text, mode, end = "", "", {}
    for name, data in client.ask_streamed(body):
        if name == "opened":
            mode = data["mode"]
        elif name == "delta":
            text += data["text"]
            if mode != "quote":
                print_chunk(data["text"])
        elif name == "done":
            end = data
    if mode != "quote":
        print_chunk("\n")
    return {**end, "answer": text}, mode != "quote"


def print_quotes(answer: dict[str, Any]) -> None:
    """Print each block under its title and headings, with the words that decide; or what is said instead."""
    if answer["outcome"] != "quoted":
        print_text(answer["answer"].split("\n\n")[0] if answer["blocks"] else answer["answer"])
    for block in answer["blocks"]:
        page = f", page {block['page']}" if block["page"] else ""
        where = " › ".join(dict.fromkeys([block["title"], *block["heading"]]))
        sure = {"high": "", "medium": "", "low": " · not sure"}[block["confidence"]]
        changed = f" · {block['date']}" if block["date"] else ""
        print_text(
            (f"\n{where}", "bold"), (f"{page}{changed}{sure}", "dim"), (f"  [{block['source_number']}]", "bold cyan")
        )
        print_text(*_marked(block["text"], block["highlights"]), wrap=True)


def save_numbers(client: Client, documents: Mapping[int, str]) -> None:
    """Save which number stands for which document, so that `clearance documents show` takes it."""
    try:
        save(os.environ, client.base_url, documents)
    except OSError as error:
        print_note(f"'clearance documents show NUMBER' will not know these sources: {error}")


def print_provenance(answer: dict[str, Any]) -> None:
    """Print an answer's sources, mode, redactions, and the ids of its audit trail and conversation."""
    print_sources(answer["sources"], with_quotes=not answer["blocks"])
    print_conflicts(answer["conflicts"])
    print_searched(answer["searched"])
    facts = [f"trail {answer['trail']}"]
    if answer["redactions"]:
        facts.insert(0, "redacted: " + ", ".join(f"{kind} {n}×" for kind, n in answer["redactions"].items()))
    if answer["fallback"]:
        said = FALLBACK_NOTES.get(answer["fallback"], f"The model did not answer ({answer['fallback']})")
        print_note(f"{said}; these are quotes instead.")
    elif answer["grounding"]:
        for note in grounding_notes(answer["grounding"]):
            print_note(note)
    if answer["refusal"]:
        print_note(REFUSED[bool(answer["refusal"]["outage"])].format(answer["refusal"]["category"]))
    if answer["outcome"] in MADE:
        facts.insert(0, MADE[answer["outcome"]])
    if answer["conversation"]:
        facts.append(f"conversation {answer['conversation']}")
    print_note(" · ".join(facts))


def print_searched(searched: dict[str, Any] | None) -> None:
    """Print which words of earlier turns were searched for, or that the question was taken for another topic."""
    if searched is None:
        return
    if searched["topic_changed"]:
        print_note("Taken as a new topic: searched without the earlier turns.")
    for added in searched["added"]:
        print_note(f"Searched with words of an earlier {added['part']}: {', '.join(added['words'])}")


def grounding_notes(grounding: Mapping[str, Any]) -> list[str]:
    """What was done with the model's sentences, in words: how many were left out or marked, and why."""
    wrong = {reason: n for reason, n in grounding["reasons"].items() if reason in REASONS}
    why = "; ".join(f"{REASONS[reason]}" + (f" ({n}×)" if n > 1 else "") for reason, n in wrong.items())
    notes = []
    if grounding["dropped"]:
        notes.append(f"{_sentences(grounding['dropped'])} left out" + (f": {why}" if why else ""))
    if grounding["marked"]:
        notes.append(f"{_sentences(grounding['marked'])} marked: the sources do not say it")
    return notes


def print_conflicts(conflicts: Sequence[Mapping[str, Any]]) -> None:
    """Print the sentences of sources that contradict each other."""
    for conflict in conflicts:
        print_note("These sources contradict each other:")
        for side in ("first", "second"):
            print_text((f"  [{conflict[side]}] ", "bold cyan"), conflict[f"{side}_text"], wrap=True)


def _sentences(count: int) -> str:
    return "1 sentence" if count == 1 else f"{count} sentences"


def print_sources(sources: list[dict[str, Any]], *, with_quotes: bool = True) -> None:
    """Print each source's path, title and id, and the quote if it is cited and not printed already."""
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
        if source["warnings"]:
            print_text((f"    kept from the model: {', '.join(source['warnings'])}", "yellow"))
        if source["cited"] and with_quotes:
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
    body |= {"since": _start_of_day(since), "until": _start_of_day(until), "neighbours": neighbours, "explain": explain}
    response = client.post("/search", body)
    save_numbers(client, {number: hit["document"] for number, hit in enumerate(response["hits"], start=1)})
    print_result(response, lambda: print_hits(response, explain=explain))


def print_hits(response: dict[str, Any], *, explain: bool) -> None:
    """Print all hits, and with `explain` a table of how each was ranked."""
    for phrase in response["unmatched"]:
        print_note(f"Nothing has the exact words “{phrase}”; they were searched for one by one.")
    for number, hit in enumerate(response["hits"], start=1):
        print_hit(number, hit)
    if explain and response["hits"]:
        print_ranking(response["hits"])
    if not response["hits"]:
        print_note("No passage that you may read.")


def print_hit(number: int, hit: dict[str, Any]) -> None:
    """Print a hit's path, title and id, and its snippet with the search terms highlighted."""
    page = f", page {hit['page']}" if hit["page"] else ""
    print_text(
        (f"{number}. ", "bold cyan"),
        (f"{hit['collection']}/{hit['path']}{page}", "bold"),
        (f"  {hit['label']}", "dim"),
    )
    print_text((f"   {' › '.join(dict.fromkeys([hit['title'], *hit['heading']]))}", "dim"))
    print_text((f"   id {hit['document']}", "dim"))
    for text in hit["before"]:
        print_text((f"   {' '.join(text.split())}", "dim"))
    print_text("   ", *_highlighted(hit["snippet"], hit["highlights"]))
    for text in hit["after"]:
        print_text((f"   {' '.join(text.split())}", "dim"))
    for copy in hit["copies"]:
        print_text((f"   the same stands in {copy['collection']}/{copy['path']}", "dim"))
    print_text()


def print_ranking(hits: list[dict[str, Any]]) -> None:
    """Print a table of each hit's scores and ranks."""
    reranked = any(hit["explained"]["reranked"] is not None for hit in hits)
    rows = []
    for number, hit in enumerate(hits, start=1):
        ranking = hit["explained"]
        dense = (f"{ranking['similarity']:.3f}", ranking["similarity_rank"])
        lexical = (f"{ranking['word_share']:.3f}", ranking["word_rank"], f"{ranking['coverage']:.0%}")
        cross_encoder = "" if ranking["reranked"] is None else f"{ranking['reranked']:.3f}"
        rows.append((number, f"{hit['score']:.3f}", *dense, *lexical, *((cross_encoder,) if reranked else ())))
    more = ("cross-encoder",) if reranked else ()
    print_table(("hit", "score", "meaning", "rank", "words", "rank", "of the words", *more), rows)


def _highlighted(snippet: str, highlights: list[list[int]]) -> list[Span]:
    """The snippet on one line, its highlights bold. Each white-space character becomes one blank, so offsets hold."""
    return _marked("".join(" " if c.isspace() else c for c in snippet), highlights)


def _marked(text: str, highlights: list[list[int]]) -> list[Span]:
    """The text with its highlights bold."""
    spans: list[Span] = []
    at = 0
    for start, end in sorted(highlights):
        spans += [text[at:start], (text[max(at, start) : end], "bold yellow")]
        at = max(at, end)
    return [*spans, text[at:]]


def _start_of_day(time: str | None) -> str | None:
    """A date as its first moment in UTC; anything else as it is."""
    return f"{time}T00:00:00Z" if time is not None and len(time) == len("2026-03-31") else time
