"""Answers that go on when nobody watches, over PostgreSQL: for their asker, while it is theirs to read, in the log."""

import asyncio
import dataclasses
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from app.answer import pipeline
from app.answer.conversation import begin_conversation, read_turn
from app.answer.events import Done, Mode, Opened
from app.answer.replies import reply
from app.answer.running import AnswerFailed, AnswerStopped
from app.errors import InPersonNeeded, LabelTooHigh, MissingCapability, ModelUnavailable, NotFound, TooManyRequests
from app.identity.subject import ActingService
from tests.api.running_answers import SAID, Gated, Play, outcomes, play, text_of, told
from tests.support.company import SECRETS, Company
from tests.support.questions import ON_LEAVE, ON_SALARY, OWN_KEY
from tests.support.service import app_of, client_of, parts_of, saying, subject_named

MEMBERSHIP = "membership where user_id = (select id from app_user where name = 'ada')"


def test_it_goes_on_alone_and_is_joined_late(company: Company) -> None:
    """By two at once, and again from a number on, also when it has ended; what they see is what the turn keeps."""

    async def act(site: Play) -> None:
        ada = site.subject("ada")
        with site.parts.database.writing(ada.user_id) as session:
            conversation = begin_conversation(session, ada).id
        begun = await site.answers.start(ada, f"{ON_SALARY} {OWN_KEY}", "generate", conversation)
        assert site.answers.list_own(ada) == [begun]
        assert begun.question == f"{ON_SALARY} [redacted: credential]"
        first = await anext(await site.answers.watch(ada, begun.id))
        assert isinstance(first[1], Opened)
        watching = [asyncio.create_task(site.seen("ada", begun.id)) for _ in range(2)]
        await asyncio.sleep(0.05)
        site.chat.gate.set()
        one, other = await asyncio.gather(*watching)
        assert one == other == await site.seen("ada", begun.id)
        assert [number for number, _ in one] == list(range(1, len(one) + 1))
        assert isinstance(one[-1][1], Done)
        assert await site.seen("ada", begun.id, after=2) == one[2:]
        await begun.until_ended()
        turn = read_turn(site.parts, ada, conversation, begun.id)
        assert turn.answer is not None
        assert (turn.outcome, turn.answer.text) == ("answered", text_of(one))
        assert "florins" in text_of(one)
        assert site.answers.list_own(ada) == []

    play(company, act)
    assert outcomes(company) == {"answered": 1}


def test_it_is_for_its_asker_alone(company: Company) -> None:
    """For anybody else, an administrator too, it is absent: the same as one that never was. Services have none."""

    async def act(site: Play) -> None:
        begun = await site.answers.start(site.subject("ada"), ON_SALARY, "generate")
        told = {await site.refused(who, trail) for who in ("ben", "mia", "max") for trail in (begun.id, uuid.uuid4())}
        told.add(await site.refused("ada", uuid.uuid4()))
        assert told == {NotFound.NOTHING}
        for call in (site.answers.watch, site.answers.stop):
            with pytest.raises(NotFound):
                await call(site.subject("max"), begun.id)
        assert site.answers.list_own(site.subject("max")) == []
        assert not begun.ended
        bot = dataclasses.replace(site.subject("ada"), via=ActingService(uuid.uuid4(), "bot", "cld_x"))
        mute = dataclasses.replace(site.subject("ada"), capabilities=frozenset())
        with pytest.raises(InPersonNeeded):
            await site.answers.start(bot, ON_SALARY, "quote")
        for call in (site.answers.watch, site.answers.stop):
            with pytest.raises(InPersonNeeded):
                await call(bot, begun.id)
            with pytest.raises(MissingCapability):
                await call(mute, begun.id)

    play(company, act)


LOSSES = {
    "a membership": f"delete from {MEMBERSHIP}",
    "a document that was not cited": "delete from document where path = 'kitchen.md'",
    "clearance": "update app_user set clearance = 0 where name = 'ada'",
}


@pytest.mark.parametrize("what", LOSSES)
@pytest.mark.parametrize("ended", [False, True])
def test_who_joins_reads_it_while_all_of_it_is_theirs_to_read(company: Company, what: str, ended: bool) -> None:
    """Joined again after something of its context was lost, it is withheld in the words of a turn."""

    async def act(site: Play) -> None:
        begun = await site.answers.start(site.subject("ada"), ON_SALARY, "generate")
        if ended:
            site.chat.gate.set()
            await begun.until_ended()
        stale = site.subject("ada")
        await site.answers.watch(site.subject("ada"), begun.id)
        company.execute(LOSSES[what])
        assert await site.refused("ada", begun.id) == reply("withheld", "en")
        with pytest.raises(NotFound):  # row-level security holds for who was looked up before
            await site.answers.watch(stale, begun.id)
        if what == "a membership":
            company.execute("insert into membership select u.id, r.id from app_user u, role r"
                            " where u.name = 'ada' and r.name = 'hr'")  # fmt: skip
            await told(await site.answers.watch(site.subject("ada"), begun.id))

    play(company, act)


def test_the_scope_filter_holds_alone(company: Company) -> None:
    """The lock open, what was lost is withheld all the same."""

    async def act(site: Play) -> None:
        begun = await site.answers.start(site.subject("ada"), ON_SALARY, "generate")
        company.execute("alter table document no force row level security, disable row level security")
        await site.answers.watch(site.subject("ada"), begun.id)
        company.execute(LOSSES["a membership"])
        assert await site.refused("ada", begun.id) == reply("withheld", "en")

    play(company, act)


@pytest.mark.parametrize(
    "ending", ["update app_user set active = false", "update app_user set capabilities = '{curate}'"]
)
@pytest.mark.parametrize("question", [ON_SALARY, "Which quasar hums below the glacier?"])
def test_who_may_not_ask_any_more_gets_nothing(company: Company, ending: str, question: str) -> None:
    """Of an answer made from nothing too, though its asker was looked up before."""

    async def act(site: Play) -> None:
        ada = site.subject("ada")
        begun = await site.answers.start(ada, question, "quote")
        company.execute(f"{ending} where name = 'ada'")
        with pytest.raises(NotFound) as refusal:
            await site.answers.watch(ada, begun.id)
        assert refusal.value.detail == NotFound.NOTHING

    play(company, act)


def test_it_is_stopped_with_what_was_said(company: Company) -> None:
    """Also after coming back; the turn has what was released, and whoever watched is told."""

    async def act(site: Play) -> None:
        ada = site.subject("ada")
        with site.parts.database.writing(ada.user_id) as session:
            conversation = begin_conversation(session, ada).id
        begun = await site.answers.start(ada, ON_SALARY, "generate", conversation)
        watching = asyncio.create_task(site.seen("ada", begun.id))
        await told(await site.answers.watch(ada, begun.id))
        await site.answers.stop(site.subject("ada"), begun.id)
        turn = read_turn(site.parts, ada, conversation, begun.id)
        seen = await watching
        assert seen[-1][1] == AnswerStopped()
        assert turn.answer is not None
        assert (turn.outcome, turn.answer.text) == ("hung_up", text_of(seen))
        assert "florins" in turn.answer.text
        await site.answers.stop(ada, begun.id)
        assert await site.seen("ada", begun.id) == seen, "stopping what has ended changes nothing"

    play(company, act)
    assert outcomes(company) == {"hung_up": 1}


def test_what_is_refused_before_it_begins_is_raised(company: Company) -> None:
    """To who starts it, and it takes no place among the answers in progress."""

    async def act(site: Play) -> None:
        mia, ada = site.subject("mia"), site.subject("ada")
        for _ in range(4):
            with pytest.raises(LabelTooHigh):
                await site.answers.start(mia, "When closes the merger with Quillfeather?", "generate")
            with pytest.raises(NotFound):
                await site.answers.start(ada, ON_LEAVE, "quote", uuid.uuid4())
            with pytest.raises(NotFound):
                await site.answers.start(ada, ON_LEAVE, "quote", None, ["board"])
        await site.answers.start(ada, ON_LEAVE, "quote")

    play(company, act, per_person=1)


def test_three_at_once_and_no_more(company: Company) -> None:
    """Of one person; what has ended, or was refused while others ran, makes room."""

    async def act(site: Play) -> None:
        ada, hank = site.subject("ada"), site.subject("hank")
        begun = [await site.answers.start(ada, ON_SALARY, "generate") for _ in range(3)]
        with pytest.raises(TooManyRequests, match="3 answers in progress"):
            await site.answers.start(ada, ON_SALARY, "generate")
        await site.answers.start(hank, ON_SALARY, "generate")
        await site.answers.stop(ada, begun[0].id)
        assert site.answers.list_own(ada) == begun[1:]
        await site.answers.start(ada, ON_SALARY, "generate")
        at_once = [site.answers.start(hank, ON_SALARY, "generate") for _ in range(6)]
        taken = await asyncio.gather(*at_once, return_exceptions=True)
        assert sorted(isinstance(one, TooManyRequests) for one in taken) == [False] * 2 + [True] * 4

    play(company, act)
    assert len(company.records("answer.opened")) == 7


def test_what_breaks_off_says_so_to_who_joins(company: Company) -> None:
    async def act(site: Play) -> None:
        begun = await site.answers.start(site.subject("ada"), ON_SALARY, "generate")
        site.chat.gate.set()
        await begun.until_ended()
        last = (await site.seen("ada", begun.id))[-1][1]
        assert last == AnswerFailed("ModelUnavailable", ModelUnavailable.title, "The scripted model fails here.")
        await site.answers.start(site.subject("ada"), ON_LEAVE, "quote")

    play(company, act, chat=lambda: Gated(fail=True))
    assert outcomes(company)["failed"] == 1


def test_our_own_mistake_ends_that_answer_alone(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a word of it to who watches, and without ending the others."""
    real = pipeline.answer

    async def breaking(*given: Any) -> AsyncGenerator[Any, None]:
        async with aclosing(real(*given)) as events:
            async for event in events:
                yield event
                if given[2] == ON_LEAVE:
                    raise ValueError("florins")

    monkeypatch.setattr("app.answer.running.answer", breaking)

    async def act(site: Play) -> None:
        ada = site.subject("ada")
        other = await site.answers.start(ada, ON_SALARY, "generate")
        broken = await site.answers.start(ada, ON_LEAVE, "quote")
        await broken.until_ended()
        last = (await site.seen("ada", broken.id))[-1][1]
        assert last == AnswerFailed("InternalError", "Something went wrong", "It is our fault and has been logged.")
        assert not other.ended

    play(company, act)


def test_it_is_forgotten_after_a_while(company: Company) -> None:
    """Not before its end, however long it takes."""

    async def act(site: Play) -> None:
        begun = await site.answers.start(site.subject("ada"), ON_SALARY, "generate")
        await asyncio.sleep(0.3)
        assert site.answers.find(site.subject("ada"), begun.id) is begun
        site.chat.gate.set()
        await begun.until_ended()
        assert site.answers.find(site.subject("ada"), begun.id) is begun
        await asyncio.sleep(0.5)
        assert await site.refused("ada", begun.id) == NotFound.NOTHING

    play(company, act, kept_seconds=0.2)


@pytest.mark.timeout(120)
def test_thirty_two_that_nobody_watches_are_all_in_the_log(company: Company) -> None:
    """Some stopped, some done, the rest cut short as the service goes down: each opened and closed once, and kept."""

    async def act(site: Play) -> None:
        ada = site.subject("ada")
        with site.parts.database.writing(ada.user_id) as session:
            conversation = begin_conversation(session, ada).id

        async def one(number: int) -> uuid.UUID:
            mode: Mode = "quote" if number % 4 == 0 else "generate"
            begun = await site.answers.start(ada, ON_SALARY, mode, conversation)
            if number % 4 == 1:
                await site.answers.stop(ada, begun.id)
            if number % 4 == 0:
                await begun.until_ended()
            return begun.id

        trails = await asyncio.gather(*map(one, range(32)))
        assert len(set(trails)) == 32
        assert len(site.answers.list_own(ada)) == 16

    play(company, act, per_person=32)
    opened, closed = company.records("answer.opened"), company.records("answer.closed")
    assert len(opened) == 32
    assert sorted(record["trail"] for record in opened) == sorted(record["trail"] for record in closed)
    assert outcomes(company) == {"quoted": 8, "hung_up": 24}
    assert all(record["kept"] for record in closed)
    assert len(company.rows("select 1 from turn where outcome = 'hung_up'")) == 24


def test_the_service_has_them_and_ends_them(company: Company) -> None:
    """As `app.main` wires it: in the lifespan of the application, for as long as that lasts."""
    with client_of(parts_of(company.db, chat=saying(*SAID.split(), *["word "] * 2000, delay=0.02))) as client:
        app = app_of(client)
        answers, ada = app.state.running, subject_named(app.state.parts, "ada")
        assert client.portal is not None
        begun = client.portal.call(answers.start, ada, ON_SALARY, "generate")
        assert not begun.ended
    assert begun.ended
    assert outcomes(company) == {"hung_up": 1}
    assert not [word for word in SECRETS if word in str(company.records("answer.closed"))]
