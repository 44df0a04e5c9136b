"""All open chats of one account; several may stream at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from kai_tui.backends.agents import caps_for, is_local
from kai_tui.backends.errors import BackendError, NotFound
from kai_tui.services.chat_names import name_of, short_title
from kai_tui.services.history_service import is_name
from kai_tui.services.notice import Notice
from kai_tui.services.observers import Observers
from kai_tui.services.session_tools import NEW_CHAT_TITLE, SessionTools

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend, Chat, ChatSummary, ToolInfo
    from kai_tui.conversation.messages import Message
    from kai_tui.services.changes import SessionChange
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.services.disk_keeper import DiskKeeper
    from kai_tui.services.glimpse import Glimpse
    from kai_tui.services.history_service import HistoryService

_LOG = logging.getLogger(__name__)

_NOT_READ_ONLY_HERE = (
    "This chat began as read-only, but this Kai does not keep to that: it may ask to change things."
)


class ChatService:
    """Opens, finds and closes sessions. Observers hear the id of a chat whose turn moved on."""

    def __init__(self, tools: SessionTools, history: HistoryService, keeper: DiskKeeper) -> None:
        self._tools = tools
        self._history = history
        self._keeper = keeper
        self._sessions: dict[str, ChatSession] = {}
        self._observers: Observers[str] = Observers()
        self._hearers: Observers[tuple[ChatSession, SessionChange]] = Observers()
        self._background: set[asyncio.Task[None]] = set()
        self._glimpsed: tuple[str, Sequence[Message]] = ("", ())
        """The messages of the copy that is on screen while its chat opens."""
        self._copies: set[str] = set()
        """Open chats that show the copy kept here, because the server did not answer."""
        self._elsewhere: set[str] = set()
        """Open chats that show a reply another window writes."""
        history.before_forgetting(self._leave)
        history.when_read(self._take_names)

    @property
    def sessions(self) -> Mapping[str, ChatSession]:
        """Open sessions by chat id."""
        return self._sessions

    def observe(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Hear which chat's turn or title changed, over all sessions."""
        return self._observers.add(callback)

    def hear(self, callback: Callable[[ChatSession, SessionChange], None]) -> Callable[[], None]:
        """Hear every change in every chat but those of parts, which are many."""
        return self._hearers.add(lambda news: callback(*news))

    def new_chat(self) -> ChatSession:
        """A fresh chat with a new UUID; nothing is stored until something is sent."""
        from uuid import uuid4

        from kai_tui.services.chat_session import ChatSession

        return self._add(ChatSession(str(uuid4()), self._tools))

    def fork(self, session: ChatSession, message_id: str) -> ChatSession | None:
        """A new chat that begins with this one, up to a message, as quoted text; None when there is nothing to quote.

        Nothing is sent; the user sees the quote first. What holds for the chat holds for its fork.
        """
        from uuid import uuid4

        from kai_tui.conversation.quoting import quote_chat
        from kai_tui.services.chat_session import ChatSession

        target = session.find(message_id)
        if target is None:
            return None
        said = session.messages[: session.messages.index(target) + 1]
        if not session.is_superseded(message_id):
            said = [each for each in said if not session.is_superseded(each.id)]
        arrived = [
            each for each in said if session.delivery(each.id) not in ("not-sent", "unsure", "sending")
        ]
        quote = quote_chat(session.title, arrived, denied=lambda call: session.decision(call) is False)
        if not quote.messages:
            return None
        forked = self._add(ChatSession(str(uuid4()), self._tools, title=f"Fork of {session.title}"))
        forked.set_terms(session.terms)
        forked.set_context(session.context_path)
        forked.switch_read_only(session.read_only_switch)
        forked.begin_with(quote.text)
        origin = {"chat": session.chat_id, "message": message_id, "title": session.title}
        self._in_background(self._keeper.keep_note(forked.chat_id, "fork", origin))
        return forked

    async def unsent_fork(self, chat_id: str) -> ChatSession | None:
        """A fork that was being written when the program ended; None when this is none."""
        from kai_tui.services.chat_session import ChatSession

        notes = await self._keeper.notes(chat_id)
        if not isinstance(notes.get("quote"), str) or chat_id in self._sessions:
            return None
        origin: Any = notes.get("fork")
        title = cast("dict[str, Any]", origin).get("title") if isinstance(origin, dict) else None
        name = f"Fork of {title}" if isinstance(title, str) and title else NEW_CHAT_TITLE
        session = self._add(ChatSession(chat_id, self._tools, title=name))
        session.restore(notes)
        return session

    async def glimpse(self, chat_id: str, *, newest: int | None = None) -> Glimpse | None:
        """The copy kept here of a chat that is not open, to be read while it opens; None: nothing to show."""
        from kai_tui.services.glimpse import glimpse

        if chat_id in self._sessions or self._keeper.is_here(chat_id) or self._history.is_deleted(chat_id):
            return None
        found = await glimpse(self._keeper, chat_id, newest=newest, known=self._seen_of(chat_id))
        if found is None or chat_id in self._sessions or self._history.is_deleted(chat_id):
            return None
        self._glimpsed = chat_id, found.messages
        return found

    def _seen_of(self, chat_id: str) -> Sequence[Message]:
        """What is on screen of its copy: messages that stay the same objects need not be drawn again."""
        return self._glimpsed[1] if self._glimpsed[0] == chat_id else ()

    async def open_chat(self, chat_id: str) -> ChatSession:
        """The open session, else the chat read from the server (from the copy here when it cannot be).

        Raises BackendError when neither has it.
        """
        from kai_tui.backends.base import Chat
        from kai_tui.services.chat_session import ChatSession
        from kai_tui.services.inbox import questions_noted
        from kai_tui.services.left_behind import take_left_behind
        from kai_tui.services.read_back import adopt, with_kept

        if chat_id in self._sessions and not self.is_behind(chat_id):
            return self._sessions[chat_id]
        backend: Backend | None = None
        try:
            backend = await self._tools.backend()
            chat = await backend.chat(chat_id)
        except BackendError as error:
            if self._keeper.is_here(chat_id) if backend is None else is_local(backend, chat_id):
                here = await self._keeper.chat_copy(chat_id) if backend is None else None
                return await self._open_local(chat_id, backend, here or error)
            return self._sessions.get(chat_id) or await self._open_copy(chat_id, error)
        if is_local(backend, chat_id):
            return await self._open_local(chat_id, backend, chat)
        copy = await self._keeper.chat_copy(chat_id, known=self._seen_of(chat_id))
        left_behind = await self._keeper.left_behind(chat_id)
        notes = await self._keeper.notes(chat_id)
        kept = await self._keeper.replies_kept(chat_id)
        asked = await questions_noted(notes.get("asked"), self._keeper)
        if self._history.is_deleted(chat_id):
            raise NotFound("This chat was deleted.")
        session = self._sessions.get(chat_id)
        if session is not None:
            self._bring_up_to_date(session, chat, copy, backend)
            return session
        # From here on nothing is awaited until the session is whole: who opens it may give up and come back.
        ours = with_kept(copy.messages if copy is not None else (), kept)
        messages = adopt(ours, chat.messages, questions=False)
        session = self._add(
            ChatSession(
                chat_id,
                self._tools,
                title=name_of(chat.summary, copy.summary if copy is not None else None),
                messages=messages,
                stored=True,
            )
        )
        self._note_elsewhere(session)
        session.restore(notes, visibility=chat.summary.visibility, unsent=left_behind.ids)
        arrived = take_left_behind(session, left_behind, sure=True)
        session.restore_queue(left_behind.waiting)
        session.know_answers(left_behind.answers)
        session.know_questions(asked)
        if caps_for(backend, chat_id).votes:
            self._in_background(self._read_votes(session))
        for message_id in arrived:
            await self._keeper.settle_outgoing(message_id, "sent")
        await self._keeper.keep_chat(Chat(chat.summary, messages))
        # Last: what is said about them is for the screen, which listens when this returns.
        session.take_up(backend, running=chat.running)
        if session.terms.read_only and not caps_for(backend, chat_id).read_only_chats:
            self._tell_soon(session, _NOT_READ_ONLY_HERE)
        return session

    async def _open_local(
        self, chat_id: str, backend: Backend | None, found: Chat | BackendError
    ) -> ChatSession:
        """A chat that no server keeps; it can be read without a `backend`, too. One that was not `found` may be in
        the outbox; raises that error else."""
        from kai_tui.backends.base import Chat
        from kai_tui.services.chat_session import ChatSession
        from kai_tui.services.inbox import questions_noted
        from kai_tui.services.left_behind import take_left_here

        left_behind = await self._keeper.left_behind(chat_id)
        notes = await self._keeper.notes(chat_id)
        asked = await questions_noted(notes.get("asked"), self._keeper)
        if self._history.is_deleted(chat_id):
            raise NotFound("This chat was deleted.")
        chat = found if isinstance(found, Chat) else None
        session = self._sessions.get(chat_id)
        if session is not None:
            if chat is not None and backend is not None:
                self._bring_up_to_date(session, chat, None, backend)
            return session
        texts = [text for _, text in (*left_behind.sent, *left_behind.waiting)]
        if isinstance(found, BackendError) and not texts:
            raise found
        title = chat.summary.title if chat is not None else short_title(texts[0])
        messages = chat.messages if chat is not None else ()
        session = ChatSession(chat_id, self._tools, title=title, messages=messages, stored=chat is not None)
        self._add(session)
        session.kept_here = True
        if backend is not None:
            session.learn(backend)
        self._note_elsewhere(session)
        session.restore(notes, unsent=left_behind.ids)
        arrived = take_left_here(session, left_behind)
        session.restore_queue(left_behind.waiting)
        session.know_answers(left_behind.answers)
        session.know_questions(asked)
        for message_id in arrived:
            await self._keeper.settle_outgoing(message_id, "sent")
        if backend is not None:
            session.resume_questions(backend)
        return session

    async def begin_instead(self, session: ChatSession, chat_id: str) -> None:
        """The new `session` takes the place of a chat that was never begun: what was chosen for it holds."""
        notes = await self._keeper.notes(chat_id)
        if not session.terms_decided:
            session.take_over(notes)
        for kind in ("terms", "about", "enclosed", "read-only"):
            if kind in notes:
                await self._keeper.keep_note(chat_id, kind, None)

    async def refresh_copies(self) -> None:
        """The server is there again: chats that were opened from the copy are read anew. Never raises."""
        for chat_id in tuple(self._copies):
            if chat_id in self._sessions:
                await self.open_chat(chat_id)
            else:
                self._copies.discard(chat_id)

    def is_behind(self, chat_id: str) -> bool:
        """Whether an open chat shows less than can be read: it came from the copy, or another window writes in it."""
        return chat_id in self._copies or chat_id in self._elsewhere

    def _note_elsewhere(self, session: ChatSession) -> None:
        from kai_tui.services.read_back import is_elsewhere

        if any(is_elsewhere(message) for message in session.messages):
            self._elsewhere.add(session.chat_id)
        else:
            self._elsewhere.discard(session.chat_id)

    def _bring_up_to_date(
        self, session: ChatSession, chat: Chat, copy: Chat | None, backend: Backend
    ) -> None:
        from kai_tui.backends.base import Chat

        if self.is_behind(session.chat_id) and not session.turn.busy:
            from kai_tui.services.read_back import adopt, is_elsewhere

            self._copies.discard(session.chat_id)
            if session.chat_id in self._elsewhere:
                # What the other window wrote meanwhile takes the place of what it had then.
                session.messages = [each for each in session.messages if not is_elsewhere(each)]
                chat = Chat(
                    chat.summary, adopt(copy.messages if copy else (), chat.messages, questions=False)
                )
            session.refresh(chat)
            self._note_elsewhere(session)
            session.take_up(backend, running=chat.running)
            if caps_for(backend, session.chat_id).votes:
                self._in_background(self._read_votes(session))

    def use_tools(self, tools: Sequence[ToolInfo]) -> None:
        """The user's permissions changed."""
        for session in self._sessions.values():
            session.use_tools(tools)

    def forget(self, chat_id: str) -> None:
        """Drop a session nobody needs any more; stops its turn. Deleting a chat does this by itself."""
        session = self._sessions.pop(chat_id, None)
        if session is not None:
            self._in_background(session.aclose(keep=False))

    async def _leave(self, chat_id: str) -> None:
        """The server deleted this chat: end the work on it, and keep nothing more of it."""
        self._copies.discard(chat_id)
        session = self._sessions.pop(chat_id, None)
        if session is not None:
            await session.aclose(keep=False)

    async def aclose(self) -> None:
        """Stop every turn and save what came."""
        closing = [session.aclose() for session in self._sessions.values()]
        for error in await asyncio.gather(*closing, return_exceptions=True):
            if isinstance(error, Exception):
                _LOG.error("a chat did not close", exc_info=error)
        for task in tuple(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    async def _open_copy(self, chat_id: str, error: BackendError) -> ChatSession:
        from kai_tui.backends.base import Chat, ChatSummary
        from kai_tui.services.chat_session import ChatSession
        from kai_tui.services.inbox import questions_noted
        from kai_tui.services.left_behind import take_left_behind
        from kai_tui.services.read_back import is_elsewhere

        copy = await self._keeper.chat_copy(chat_id, known=self._seen_of(chat_id))
        left_behind = await self._keeper.left_behind(chat_id)
        notes = await self._keeper.notes(chat_id)
        asked = await questions_noted(notes.get("asked"), self._keeper)
        texts = [text for _, text in (*left_behind.sent, *left_behind.waiting)]
        if copy is None and not texts:
            raise error
        if chat_id in self._sessions:
            return self._sessions[chat_id]
        # A chat that another window has just begun may not be on the server yet.
        begun = copy is not None and any(is_elsewhere(message) for message in copy.messages)
        gone = isinstance(error, NotFound) and not begun
        # One that is only in the outbox may never have reached the server.
        stored = not gone and (copy is not None or self._history.lists(chat_id))
        if self._history.is_deleted(chat_id):
            raise error
        if copy is None:
            copy = Chat(ChatSummary(chat_id, short_title(texts[0])), ())
        session = self._add(
            ChatSession(chat_id, self._tools, title=copy.summary.title, messages=copy.messages, stored=stored)
        )
        if not gone:
            self._copies.add(chat_id)
        self._note_elsewhere(session)
        # A copy that was begun here says "private" because nobody said anything else.
        public = copy.summary.visibility == "public"
        session.restore(notes, visibility="public" if public else "", unsent=left_behind.ids)
        session.gone = gone and bool(copy.messages)
        arrived = take_left_behind(session, left_behind, sure=gone)
        session.restore_queue(left_behind.waiting)
        session.know_answers(left_behind.answers)
        session.know_questions(asked)
        if gone:
            session.give_up_questions()
        for message_id in arrived:
            await self._keeper.settle_outgoing(message_id, "sent")
        if copy.messages:
            sentence = (
                "This chat no longer exists on the server. You see the copy kept here."
                if gone
                else f"You see the copy kept here. {error.sentence}"
            )
            self._tell_soon(session, sentence)
        return session

    def _tell_soon(self, session: ChatSession, warning: str) -> None:
        """Once the screen listens."""
        asyncio.get_running_loop().call_soon(session.tell_notice, Notice(warning, "warning"))

    async def _read_votes(self, session: ChatSession) -> None:
        try:
            backend = await self._tools.backend()
            session.set_votes(await backend.votes(session.chat_id))
        except BackendError:
            pass  # votes are an ornament: a chat without them is still whole

    def _take_names(self, rows: Sequence[ChatSummary]) -> None:
        """The server may name a chat when its stream is long over (kai.md §10)."""
        for row in rows:
            session = self._sessions.get(row.id)
            if session is not None and not session.turn.busy and is_name(row.title):
                session.set_title(row.title)

    def _add(self, session: ChatSession) -> ChatSession:
        from kai_tui.services.changes import PartChanged

        def hear(change: SessionChange) -> None:
            if not isinstance(change, PartChanged):  # one per delta
                self._heard(session, change)

        self._sessions[session.chat_id] = session
        self._glimpsed = "", ()
        session.observe(hear)
        if session.messages:
            self._in_background(self._read_rules(session))
        return session

    async def _read_rules(self, session: ChatSession) -> None:
        """What decided calls in earlier runs: for their cards."""
        session.know_rules(await self._tools.ledger.rules(session.chat_id))

    def _heard(self, session: ChatSession, change: SessionChange) -> None:
        from kai_tui.services.changes import MessageAdded, TitleChanged, TurnChanged, TurnEnded

        self._hearers.tell((session, change))
        match change:
            case MessageAdded(message_id):
                message = session.find(message_id)
                if (
                    message is not None
                    and message.role == "user"
                    and session.delivery(message_id) == "sending"
                ):
                    if session.title == NEW_CHAT_TITLE:
                        session.set_title(short_title(message.text))
                    self._touch(session)
            case TitleChanged():
                self._touch(session)
                self._observers.tell(session.chat_id)
            case TurnChanged():
                self._observers.tell(session.chat_id)
            case TurnEnded():
                self._touch(session)
            case _:
                pass

    def _touch(self, session: ChatSession) -> None:
        if session.messages:
            now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
            visibility = session.known_terms.visibility or ""
            self._history.touch(session.chat_id, session.title, now, visibility)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
