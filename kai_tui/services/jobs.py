"""Follows the jobs that chats started, to their end: one request now and then, and none when nothing runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from kai_tui.backends.base import BackendError, NotAllowed, NotFound, TokenRefused, Unsupported
from kai_tui.conversation.started_jobs import jobs_started
from kai_tui.services.changes import CallEnded, MessagesReset, Notice
from kai_tui.services.job_state import JobState, job_of, running

if TYPE_CHECKING:
    from kai_tui.backends.project import Job, Project
    from kai_tui.conversation.started_jobs import StartedJob
    from kai_tui.services.changes import SessionChange
    from kai_tui.services.chat_service import ChatService
    from kai_tui.services.chat_session import ChatSession

TICK = 1.0
"""Seconds between two redraws of a card whose job runs."""
PACES = ((30.0, 2), (300.0, 5), (float("inf"), 15))
"""How long it has been followed, in seconds → ticks from one look to the next."""
AFTER_FAILURES = (5, 10, 20, 40, 60)
"""Ticks to the next look after so many looks that failed."""
MOST_LOOKED_AT = 20
"""Jobs of a chat, the newest, that are looked up when it is opened."""
AT_ONCE = 2
"""Requests that are on their way at the same time."""

_FINAL = (NotFound, NotAllowed, Unsupported, TokenRefused)
"""After these a further look finds nothing else, until somebody signs in or opens the chat anew."""

NOT_HERE = "How it goes cannot be seen from here."
NOT_KNOWN = "The project does not know this job."


class JobWatch:
    """Jobs of one account. Works on while other chats are on screen, and stops with the account."""

    def __init__(
        self,
        chats: ChatService,
        project: Callable[[], Awaitable[Project | None]],
        ended: Callable[[ChatSession, Job], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        tick: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`project` raises BackendError; `ended` is told of jobs that were seen running here."""
        self._chats = chats
        self._project = project
        self._ended = ended
        self._clock = clock
        self._wall = wall
        self._tick = tick
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._requests = asyncio.Semaphore(AT_ONCE)

    @property
    def following(self) -> int:
        """How many jobs are followed now."""
        return len(self._tasks)

    def look(self, session: ChatSession) -> None:
        """A chat came on screen, or was read anew: follow its jobs that have not ended."""
        newest = islice(jobs_started(reversed(session.messages)), MOST_LOOKED_AT)
        for call, job in newest:
            self._follow(session, call.tool_call_id, job, session.job(call), seen=False)

    def connected(self) -> None:
        """The server is there (again): jobs that could not be followed are."""
        for session in tuple(self._chats.sessions.values()):
            if session.watched or session.has_open_jobs:
                self.look(session)

    async def aclose(self) -> None:
        """Ask no more."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def heard(self, session: ChatSession, change: SessionChange) -> None:
        """Something changed in a chat: a call may have started a job."""
        if isinstance(change, CallEnded):
            message = session.find(change.message_id)
            for call, job in jobs_started([message] if message is not None else []):
                if call.tool_call_id == change.tool_call_id:
                    self._follow(session, call.tool_call_id, job, session.job(call), seen=True)
        elif isinstance(change, MessagesReset):
            self.look(session)

    def _follow(
        self, session: ChatSession, call_id: str, started: StartedJob, known: JobState | None, *, seen: bool
    ) -> None:
        key = (session.chat_id, call_id)
        if key in self._tasks or (known is not None and known.job.finished):
            return
        if started.finished:
            session.show_job(call_id, JobState(job_of(started)))
            return
        task = asyncio.create_task(self._run(session, call_id, job_of(started), seen=seen), name="job")
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key, None))

    def _is_there(self, session: ChatSession) -> bool:
        return self._chats.sessions.get(session.chat_id) is session

    async def _run(self, session: ChatSession, call_id: str, job: Job, *, seen: bool) -> None:
        """Look again and again until it has ended. `seen`: it was started just now."""
        since, failures, fresh = self._clock(), 0, seen
        # What an answer of long ago says of its state holds no more.
        state = JobState(job, following=True, at=since)
        if seen:
            session.show_job(call_id, state)
            await self._wait(session, call_id, 1)
        while self._is_there(session):
            try:
                found = await self._ask(job.id)
            except BackendError as error:
                # The queue may hear of a job a moment later than the one who started it.
                early = isinstance(error, NotFound) and fresh and failures < len(AFTER_FAILURES)
                if isinstance(error, _FINAL) and not early:
                    why = NOT_KNOWN if isinstance(error, NotFound) else error.sentence
                    session.show_job(call_id, replace(state, following=False, why_not=why))
                    return
                if early:
                    failures += 1
                    await self._wait(session, call_id, AFTER_FAILURES[0])
                    continue
                failures += 1
                # One of long ago waits until somebody opens the chat again, or the server is there again.
                goes_on = seen or failures < len(AFTER_FAILURES)
                state = replace(state, why_not=error.sentence, following=goes_on)
                session.show_job(call_id, state)
                if not goes_on:
                    return
                await self._wait(session, call_id, AFTER_FAILURES[min(failures, len(AFTER_FAILURES)) - 1])
                continue
            failures, fresh = 0, False
            if not self._is_there(session):
                return
            # The address its call gave stays the one the card leads to.
            job = replace(found, url=job.url or found.url)
            state = running(job, now=self._clock(), wall=self._wall())
            session.show_job(call_id, state)
            if job.finished:
                if seen:
                    self._ended(session, job)
                return
            seen = True
            await self._wait(session, call_id, self._pace(self._clock() - since))

    async def _ask(self, job_id: str) -> Job:
        async with self._requests:
            project = await self._project()
            if project is None:
                raise Unsupported(NOT_HERE)
            return await project.job(job_id)

    async def _wait(self, session: ChatSession, call_id: str, ticks: int) -> None:
        """Count the seconds on the card meanwhile, where somebody sees it."""
        for _ in range(ticks):
            await self._tick(TICK)
            if not self._is_there(session):
                return
            if session.watched:
                session.redraw_call(call_id)

    def _pace(self, age: float) -> int:
        return next(ticks for most, ticks in PACES if age <= most)


def ending(job: Job) -> Notice:
    """How a job ended, for somebody who looks at another chat. Foreign text stays out of it."""
    if job.status == "success":
        return Notice(f"Job {job.id} ended well.", code="job")
    if job.status == "warning":
        return Notice(f"Job {job.id} ended with a warning.", "warning", "job")
    if job.status in ("cancelled", "terminated"):
        return Notice(f"Job {job.id} was stopped.", "warning", "job")
    return Notice(f"Job {job.id} failed.", "error", "job")
