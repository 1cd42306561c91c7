"""The events of a running answer: joined at any number, by many, as they come."""

import asyncio
import uuid
from collections.abc import AsyncGenerator

from app.answer.events import AddedWords, Delta, Done, Opened, Searched
from app.answer.running import AnswerFailed, AnswerStopped, RunningAnswer, RunningEvent

TRAIL = uuid.uuid4()
WORDS = [Delta(word) for word in ("one ", "two ", "three ")]
Numbered = AsyncGenerator[tuple[int, RunningEvent], None]


async def all_of(events: Numbered) -> list[tuple[int, RunningEvent]]:
    return [event async for event in events]


def running() -> RunningAnswer:
    return RunningAnswer(uuid.uuid4(), "why?", None, opened=Opened(TRAIL, "quote"))


def done(searched: Searched | None = None) -> Done:
    return Done(TRAIL, "quote", "quoted", (), searched=searched)


def test_whoever_joins_gets_all_behind_their_number() -> None:
    """Before the first, in the middle, after the last: no event twice and none left out."""

    async def play() -> None:
        answer = running()
        early = [asyncio.create_task(all_of(answer.events(0))) for _ in range(3)]
        await asyncio.sleep(0)
        answer.add(WORDS[0])
        answer.add(WORDS[1])
        await asyncio.sleep(0)
        middle = asyncio.create_task(all_of(answer.events(1)))
        ahead = asyncio.create_task(all_of(answer.events(2)))
        await asyncio.sleep(0)
        answer.add(WORDS[2])
        answer.add(done())
        answer.end()
        whole = [*enumerate([*WORDS, done()], start=1)]
        assert await asyncio.gather(*early) == [whole] * 3
        assert (await middle, await ahead) == (whole[1:], whole[2:])
        assert [await all_of(answer.events(after)) for after in (-5, 0, 3, 4, 99)] == [whole, whole, whole[3:], [], []]

    asyncio.run(asyncio.wait_for(play(), 5))


def test_it_ends_with_what_became_of_it() -> None:
    """Stopped only where nothing else says so: not behind an end that came, and not behind a failure."""

    async def play() -> None:
        for last in (done(), AnswerFailed("ModelUnavailable", "t", "d")):
            answer = running()
            answer.add(last)
            answer.end()
            assert await all_of(answer.events(0)) == [(1, last)]
        answer = running()
        answer.add(WORDS[0])
        answer.end()
        assert await all_of(answer.events(1)) == [(2, AnswerStopped())]

    asyncio.run(asyncio.wait_for(play(), 5))


def test_words_of_an_earlier_answer_are_not_kept() -> None:
    """They stand in documents that nobody looks up at joining: those of the answer itself are."""

    async def play() -> None:
        answer, own = running(), AddedWords(TRAIL, "question", ("salary",))
        searched = Searched(("why",), (own, AddedWords(TRAIL, "answer", ("florins",))))
        answer.add(done(searched))
        answer.end()
        [(_, event)] = await all_of(answer.events(0))
        assert isinstance(event, Done)
        assert event.searched == Searched(("why",), (own, AddedWords(TRAIL, "answer", ())))

    asyncio.run(asyncio.wait_for(play(), 5))
