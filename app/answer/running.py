"""Answers that go on when nobody watches them, in the process that took the question: joined more than once, stopped.

Each is made by a task of its own, whose cancel scopes stay in it. What came of it is kept while it is made and a short
while after, and given only to its asker, while all that it is made from is theirs to read. For the event loop's thread.
"""

import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import TaskGroup, TaskStatus
from anyio.to_thread import run_sync as in_thread

from app import log
from app.acl.visible import visible_scopes
from app.answer.answer_places import AnswerPlaces, OnlyPlace
from app.answer.components import Components
from app.answer.events import AnswerEvent, Done, Mode, Opened
from app.answer.pipeline import answer
from app.answer.replies import reply
from app.answer.turns import without_answer_words
from app.errors import AppError, NotFound, TooManyRequests
from app.guardrail.credentials import mask_credentials
from app.identity.authenticate import caller_may
from app.identity.subject import Capability, Subject, require_capability, require_in_person
from app.indexing.analysis.language import question_language
from app.retrieval.browse import are_visible

# How many answers of one person may be made at once, in all processes.
MAX_RUNNING = 3
# How long an answer that has ended can still be joined.
KEPT_SECONDS = 60.0


@dataclass(frozen=True)
class AnswerStopped:
    """The last event of an answer that its asker stopped, or that ended with the service."""


@dataclass(frozen=True)
class AnswerFailed:
    """The last event of an answer that broke off, in the words of the API."""

    code: str
    title: str
    detail: str

    @classmethod
    def of(cls, error: Exception) -> Self:
        """In the words of an error that is meant for a caller; of another one the log gets the type and the places."""
        if isinstance(error, AppError):
            return cls(error.code, error.title, error.detail)
        log.get().error("answer.failed", error=type(error).__name__, where=log.where(error))
        return cls("InternalError", "Something went wrong", "It is our fault and has been logged.")


RunningEvent = AnswerEvent | AnswerStopped | AnswerFailed


@dataclass(eq=False)
class RunningAnswer:
    """An answer that is being made, or was until a short while ago. `id` is its trail; credentials in `question` are
    masked. What came of it gives `RunningAnswers.watch` alone.
    """

    user_id: uuid.UUID
    question: str
    conversation: uuid.UUID | None
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    opened: Opened | None = None
    ended: bool = False
    _came: list[RunningEvent] = field(default_factory=list, repr=False)
    _changed: anyio.Event = field(default_factory=anyio.Event)

    @property
    def id(self) -> uuid.UUID:
        if self.opened is None:
            raise ValueError("an answer has no id before it is opened")
        return self.opened.trail

    @property
    def ids(self) -> tuple[uuid.UUID, ...]:
        """What requests for it name: the answer, or the conversation that it is made in."""
        return (self.id,) if self.conversation is None else (self.id, self.conversation)

    def add(self, event: RunningEvent) -> None:
        """Keep an event, and tell who waits for it."""
        if isinstance(event, Done):
            # Those stand in documents of another answer, which may be lost while those of this one are not.
            event = replace(event, searched=without_answer_words(event.searched))
        self._came.append(event)
        self._tell()

    def end(self) -> None:
        """Nothing more will come."""
        if not any(isinstance(event, Done | AnswerFailed) for event in self._came[-1:]):
            self.add(AnswerStopped())
        self.ended = True
        self._tell()

    async def until_ended(self) -> None:
        while not self.ended:
            await self._changed.wait()

    async def events(self, after: int) -> AsyncGenerator[tuple[int, RunningEvent], None]:
        """Those behind number `after`, each with its number from 1; for whom they may be given to."""
        number = max(after, 0)
        while True:
            while number < len(self._came):
                number += 1
                yield number, self._came[number - 1]
            if self.ended:
                return
            await self._changed.wait()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


class RunningAnswers:
    """The running answers of this process: an async context, at whose end all of them are stopped and recorded."""

    def __init__(
        self,
        parts: Components,
        places: AnswerPlaces | None = None,
        *,
        per_person: int = MAX_RUNNING,
        kept_seconds: float = KEPT_SECONDS,
    ) -> None:
        self._parts, self._per_person, self._kept_seconds = parts, per_person, kept_seconds
        self._places = places or OnlyPlace()
        self._tasks: TaskGroup = anyio.create_task_group()
        self._answers: dict[uuid.UUID, RunningAnswer] = {}
        self._begun: set[RunningAnswer] = set()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        self._tasks.cancel_scope.cancel()
        return await self._tasks.__aexit__(kind, error, trace)

    async def start(
        self,
        subject: Subject,
        question: str,
        mode: Mode,
        conversation: uuid.UUID | None = None,
        collections: Sequence[str] = (),
    ) -> RunningAnswer:
        """Begin an answer, as `answer` does, and return when its record is committed.

        Raises what is raised before that, and TooManyRequests for who has as many in progress as they may.
        """
        require_in_person(subject)
        running = RunningAnswer(subject.user_id, (await in_thread(mask_credentials, question)).text, conversation)
        if not self._places.begin(subject.user_id, self._per_person):
            raise TooManyRequests(
                f"You have {self._per_person} answers in progress, the most you may have: wait for one, or stop it."
            )
        self._begun.add(running)
        answering = answer(self._parts, subject, question, mode, conversation, collections)
        try:
            await self._tasks.start(self._run, running, answering)
        except BaseException:
            self._is_made(running)
            raise
        return running

    def list_own(self, subject: Subject) -> list[RunningAnswer]:
        """Those of the subject's that are being made now, in the order of their ids, which is that of time."""
        require_in_person(subject)
        own = (each for each in self._answers.values() if each.user_id == subject.user_id and not each.ended)
        return sorted(own, key=lambda each: each.id)

    def find(self, subject: Subject, answer_id: uuid.UUID) -> RunningAnswer:
        """The subject's own answer. Raises NotFound for one that is somebody else's, is over or never was."""
        require_in_person(subject)
        require_capability(subject, Capability.ASK)
        running = self._answers.get(answer_id)
        if running is None or running.user_id != subject.user_id:
            raise NotFound
        return running

    async def watch(
        self, subject: Subject, answer_id: uuid.UUID, after: int = 0
    ) -> AsyncGenerator[tuple[int, RunningEvent], None]:
        """The events behind number `after` (0: all), each with its number: those that came, then those that come.

        Raises NotFound as `find`, also for who may not ask any more; where something that the answer is made from is
        no longer the subject's to read, it says so.
        """
        running = self.find(subject, answer_id)
        await in_thread(self._require_readable, subject, running)
        return running.events(after)

    async def stop(self, subject: Subject, answer_id: uuid.UUID) -> None:
        """End an answer as if its asker had hung up; returns when that is recorded. Raises NotFound as `find`."""
        running = self.find(subject, answer_id)
        running.scope.cancel()
        await running.until_ended()

    def _require_readable(self, subject: Subject, running: RunningAnswer) -> None:
        documents = running.opened.documents if running.opened else frozenset()
        with self._parts.database.reading(subject.user_id) as session:
            if not caller_may(session, Capability.ASK):
                raise NotFound
            if not are_visible(session, visible_scopes(session, subject), documents):
                raise NotFound(reply("withheld", question_language(running.question)))

    async def _run(
        self,
        running: RunningAnswer,
        answering: AsyncGenerator[AnswerEvent, None],
        *,
        task_status: TaskStatus[None],
    ) -> None:
        try:
            await self._make(running, answering, task_status)
            await anyio.sleep(self._kept_seconds)
        finally:
            if running.opened is not None:
                del self._answers[running.id]
                self._places.hide(running.ids)

    async def _make(
        self, running: RunningAnswer, answering: AsyncGenerator[AnswerEvent, None], task_status: TaskStatus[None]
    ) -> None:
        """Take all of an answer. What is raised before its first event goes to who started it."""
        try:
            with running.scope:
                async with aclosing(answering) as events:
                    async for event in events:
                        running.add(event)
                        if isinstance(event, Opened):
                            running.opened, self._answers[event.trail] = event, running
                            self._places.show(running.ids)
                            task_status.started()
        except Exception as error:  # an edge of the process: whoever began it may be gone
            if running.opened is None:
                raise
            running.add(AnswerFailed.of(error))
        finally:
            self._is_made(running)
            running.end()

    def _is_made(self, running: RunningAnswer) -> None:
        """It counts no longer among those that its asker has in progress."""
        if running in self._begun:
            self._begun.discard(running)
            self._places.end(running.user_id)
