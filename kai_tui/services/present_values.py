"""What is there now, beside what a call would make of it: from the chat at once, then from the project.

Nothing here blocks or raises: a question can be decided without it. The project is asked in the background, in
one go per question; while somebody looks it is asked again when a call that writes has ended.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from kai_tui.backends.base import BackendError, NotFound, Unsupported
from kai_tui.conversation.messages import ToolPart
from kai_tui.conversation.tools import risk
from kai_tui.services.changes import PartChanged
from kai_tui.services.observers import Observers

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend
    from kai_tui.backends.project import Project
    from kai_tui.conversation.events import JsonObject
    from kai_tui.conversation.reviews.review import Present, Presents, Wanted
    from kai_tui.services.approval_service import Approval
    from kai_tui.services.changes import SessionChange
    from kai_tui.services.chat_service import ChatService
    from kai_tui.services.session_state import SessionState

_LOG = logging.getLogger(__name__)

MOST_LOOKED_UP = 100
"""Values that are looked up in the project for one question."""
PATIENCE = 20.0
"""Seconds after which nobody waits for the project any more."""
AT_ONCE = 1.5
"""Seconds in which all that comes is told together: what somebody reads is not to change again and again."""
READ_AT_ONCE = 100_000
"""Characters of the chat's answers that are read before a question is shown; the rest is read in a thread."""
FRESH = 10.0
"""Seconds for which a question that is opened again is not looked up again."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known by now of the values a question is about."""

    presents: Presents = field(default_factory=dict[Any, Any])
    looking: bool = False
    """Whether the project is being asked."""
    note: str = ""
    """What it does, or why it did not get all: sentences for the user, foreign text in them raw; empty: nothing
    to say."""


@dataclass(slots=True)
class _Kept:
    known: Known
    at: float
    """Seconds since the epoch: monotonic ones stand still while the computer sleeps."""
    settled: int
    """How many calls had ended then, in all chats that are open."""


class Look:
    """One question somebody looks at. `known` grows; who observes hears every change. Call `stop` in the end."""

    def __init__(self, known: Known, on_stop: Callable[[Look], None]) -> None:
        self.known = known
        self._on_stop = on_stop
        self._observers: Observers[Known] = Observers()
        self._stopped = False

    def observe(self, callback: Callable[[Known], None]) -> Callable[[], None]:
        """Hear every change of `known`, in the event loop; call the result to hear no more."""
        return self._observers.add(callback)

    def stop(self) -> None:
        """Nobody looks any more. May be called again."""
        if not self._stopped:
            self._stopped = True
            self._on_stop(self)

    def tell(self, known: Known) -> None:
        """There is news; not after `stop`."""
        if not self._stopped and known != self.known:
            self.known = known
            self._observers.tell(known)


class PresentValues:
    """The present values of one account's questions."""

    def __init__(
        self,
        backend: Callable[[], Awaitable[Backend]],
        chats: ChatService,
        *,
        wall: Callable[[], float] = time.time,
        patience: float = PATIENCE,
        wishes: Callable[[str, Any], Sequence[Wanted]] | None = None,
    ) -> None:
        """`wall` gives seconds since the epoch. `wishes`: what a call is about, instead
        of `reviewing.wanted`."""
        self._backend = backend
        self._chats = chats
        self._wall = wall
        self._patience = patience
        self._wishes = wishes
        self._kept: dict[str, _Kept] = {}
        self._tasks: dict[Look, asyncio.Task[None]] = {}
        self._open: dict[Look, Approval] = {}
        self._watched: dict[str, Callable[[], None]] = {}
        self._ended: set[str] = set()
        """Calls whose end was heard of, or that had ended before anybody looked."""

    def look(self, approval: Approval) -> Look:
        """Begin to look for the values a question is about. What the chat showed is known at once."""
        kept = self._kept.get(_which(approval))
        fresh = kept is not None and self._fresh(kept) and kept.settled == self._settled()
        look = Look(kept.known if kept is not None and fresh else Known(), self._stopped)
        self._open[look] = approval
        self._watch()
        if not fresh:
            self._begin(look, {})
        return look

    def known(self, approval: Approval) -> Presents:
        """What is known by now about a question, without looking."""
        which = _which(approval)
        for look, each in self._open.items():
            if _which(each) == which:
                return look.known.presents
        kept = self._kept.get(which)
        return kept.known.presents if kept is not None else {}

    def at_once(self, approval: Approval) -> Presents:
        """The same, else what the chat showed. Nothing is asked of a server. Never raises."""
        known = self.known(approval)
        if known:
            return known
        try:
            return self._seen(approval, self._wanted(approval), READ_AT_ONCE)
        except Exception:  # noqa: BLE001 - odd inputs of strangers
            _LOG.exception("present values could not be looked for")
            return {}

    async def aclose(self) -> None:
        """End everything."""
        tasks = list(self._tasks.values())
        for look in list(self._open):
            look.stop()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, look: Look, before: Presents) -> None:
        """`before`: what was found earlier and stands."""
        approval = self._open[look]
        task = self._tasks.pop(look, None)
        if task is not None:
            task.cancel()
        try:
            wanted = self._wanted(approval)
            seen = self._seen(approval, wanted, READ_AT_ONCE)
        except Exception:  # noqa: BLE001 - odd inputs of strangers; the question itself is shown all the same
            _LOG.exception("present values could not be looked for")
            return
        if wanted:
            look.tell(Known({**seen, **before}, True, "Looking at the project…"))
            self._tasks[look] = asyncio.create_task(self._run(look, approval, wanted), name="present values")

    def _wanted(self, approval: Approval) -> Sequence[Wanted]:
        if not approval.has_input:
            return ()
        wishes = self._wishes
        if wishes is None:
            from kai_tui.conversation.reviews.reviewing import wanted as wishes

        return tuple(dict.fromkeys(wishes(approval.tool_name, approval.input)))

    def _seen(self, approval: Approval, wanted: Sequence[Wanted], most_text: int) -> dict[Wanted, Present]:
        from kai_tui.conversation.seen_values import seen_values

        session = self._chats.sessions.get(approval.chat_id)
        if session is None:
            return {}
        return seen_values(
            list(session.messages),
            wanted,
            when=lambda message, index: session.ended_at(message.id, index),
            besides=approval.tool_call_id,
            most_text=most_text,
        )

    async def _seen_with_time(self, approval: Approval, wanted: Sequence[Wanted]) -> dict[Wanted, Present]:
        """What takes too long to be read while somebody types: in a thread."""
        from kai_tui.conversation.seen_values import MOST_TEXT

        return await asyncio.to_thread(self._seen, approval, wanted, MOST_TEXT) if wanted else {}

    async def _run(self, look: Look, approval: Approval, wanted: Sequence[Wanted]) -> None:
        found = dict(look.known.presents)
        troubles: list[str] = []
        try:
            found |= await self._seen_with_time(approval, [each for each in wanted if each not in found])
            async with asyncio.timeout(self._patience):
                project = (await self._backend()).project
                if project is not None:
                    await self._ask(project, look, approval, wanted, found, troubles)
        except TimeoutError:
            troubles.append("The project did not answer in time.")
        except BackendError as error:
            troubles.append(f"The project cannot be looked at: {error.sentence}")
        except Exception:  # noqa: BLE001 - as above; whoever looks must not wait for ever
            _LOG.exception("the project could not be looked at")
            troubles.append("kai-tui made a mistake while it looked at the project.")
        known = Known(dict(found), False, _sentences(troubles))
        self._kept = {key: kept for key, kept in self._kept.items() if self._fresh(kept)}
        self._kept[_which(approval)] = _Kept(known, self._wall(), self._settled())
        look.tell(known)

    async def _ask(
        self,
        project: Project,
        look: Look,
        approval: Approval,
        wanted: Sequence[Wanted],
        found: dict[Wanted, Present],
        troubles: list[str],
    ) -> None:
        asked = wanted[:MOST_LOOKED_UP]
        if len(wanted) > len(asked):
            troubles.append(
                f"Only the first {len(asked)} of {len(wanted)} values were looked up in the project."
            )
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._one(project, approval, each, found, troubles)) for each in asked]
            _, late = await asyncio.wait(tasks, timeout=AT_ONCE)
            if late:
                look.tell(Known(dict(found), True, look.known.note))

    async def _one(
        self,
        project: Project,
        approval: Approval,
        wanted: Wanted,
        found: dict[Wanted, Present],
        troubles: list[str],
    ) -> None:
        from kai_tui.conversation.reviews.review import Present

        try:
            if wanted.what == "preview":
                if not isinstance(approval.input, dict):
                    return
                value = await project.preview(approval.tool_name, cast("JsonObject", approval.input))
                present = Present(value, "preview", self._wall())
            else:
                present = Present(await project.present(wanted), "project", self._wall())
        except Unsupported:
            return  # what the chat showed stands
        except NotFound as error:
            found.pop(wanted, None)
            troubles.append(error.sentence)
            return
        except BackendError as error:
            # A preview is an extra, and a call that names nothing is the review's to tell.
            if wanted.what != "preview" and error.code != "id":
                troubles.append(f"The project cannot be looked at: {error.sentence}")
            return
        found[wanted] = present

    def _stopped(self, look: Look) -> None:
        self._open.pop(look, None)
        task = self._tasks.pop(look, None)
        if task is not None:
            task.cancel()
        if not self._open:
            for stop in self._watched.values():
                stop()
            self._watched.clear()
            self._ended.clear()

    # While somebody looks, a call that ends may change what is looked at

    def _watch(self) -> None:
        for chat_id, session in self._chats.sessions.items():
            if chat_id not in self._watched:
                self._ended |= set(_settled_in(session))
                self._watched[chat_id] = session.observe(
                    lambda change, session=session: self._heard(session, change)
                )

    def _heard(self, session: SessionState, change: SessionChange) -> None:
        if not isinstance(change, PartChanged):
            return
        message = session.find(change.message_id)
        if message is None or change.part_index >= len(message.parts):
            return
        part = message.parts[change.part_index]
        if not isinstance(part, ToolPart) or not part.settled or part.tool_call_id in self._ended:
            return
        self._ended.add(part.tool_call_id)
        if part.state != "output-denied" and risk(part.tool_name) != "reads":
            for look in list(self._open):
                self._again(look, part)

    def _again(self, look: Look, part: ToolPart) -> None:
        """A call ended that may have changed what is looked at."""
        from kai_tui.conversation.seen_values import may_have_changed

        wanted = self._wanted(self._open[look])
        stale = {each for each in wanted if may_have_changed(part, each)}
        if stale:
            presents = look.known.presents
            self._begin(look, {each: value for each, value in presents.items() if each not in stale})

    def _fresh(self, kept: _Kept) -> bool:
        return 0 <= self._wall() - kept.at < FRESH

    def _settled(self) -> int:
        return sum(len(_settled_in(session)) for session in self._chats.sessions.values())


def _which(approval: Approval) -> str:
    """What tells one question from another. The call as the user edited it has the digest of what was asked."""
    from kai_tui.conversation.approvals import digest

    return digest(approval.digest, approval.tool_call_id, approval.tool_name, approval.input)


def _settled_in(session: SessionState) -> Sequence[str]:
    return [call_id for message in session.messages for call_id in message.settled_calls()]


def _sentences(troubles: Sequence[str]) -> str:
    """Each once, the first three; how many more."""
    each = list(dict.fromkeys(troubles))
    more = f" (and {len(each) - 3} more)" if len(each) > 3 else ""
    return " ".join(each[:3]) + more
