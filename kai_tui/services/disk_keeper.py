"""Keeps what one account's services need on disk, and never raises: a full disk must not stop a chat."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from kai_tui.backends.errors import BackendError
from kai_tui.services.keeper import REPLY_STATES, ReplyState
from kai_tui.services.kept_rows import cached_of, copy_reader, summary_of, texts_of
from kai_tui.services.local_chats import AccountChats
from kai_tui.storage.errors import StorageError
from kai_tui.storage.paths import AccountFiles

if TYPE_CHECKING:
    from kai_tui.backends.base import Chat, ChatSummary
    from kai_tui.conversation.messages import Message
    from kai_tui.services.reply_text import ReplyText
    from kai_tui.storage.chat_notes import ChatNotes, NoteKind
    from kai_tui.storage.chats import CachedChat, Chats
    from kai_tui.storage.database import Database
    from kai_tui.storage.drafts import Drafts, OutboxRow
    from kai_tui.storage.presence import Presence

T = TypeVar("T")

PROMPTS_RECALLED = 500
"""Earlier prompts that are read at the start."""

SUMMARIES = 500
"""How many rows of the history are shown before the server answers."""


class LeftBehind(NamedTuple):
    """What an earlier run of the program did not finish in a chat."""

    sent: Sequence[tuple[str, str]] = ()
    """(message id, text) of messages that the server may not have, in order of sending."""
    waiting: Sequence[tuple[str, str]] = ()
    """The same of messages that waited for a turn to end."""
    not_sent: frozenset[str] = frozenset()
    """Ids of those in `sent` that provably never arrived."""
    answers: Mapping[tuple[str, str], bool] = MappingProxyType({})
    """Decisions that were noted before they were posted (A6), by tool call and approval id."""

    @property
    def ids(self) -> list[str]:
        """Of all these messages."""
        return [message_id for message_id, _ in (*self.sent, *self.waiting)]


class DiskKeeper:
    """Drafts, outbox, answers and chats that no server keeps in the state file; copies of chats in the cache file.

    What works with the files is loaded at its first use: the first frame needs none of it.
    """

    def __init__(self, files: AccountFiles) -> None:
        self._files = files
        self._failed: str | None = None
        self.credential_notice: str | None = None
        """One sentence when a credential that renewed itself could not be kept."""
        self._swept = False
        self._background: set[asyncio.Task[None]] = set()
        self._keeping_reply = asyncio.Lock()
        self._texts: dict[str, ReplyText] = {}
        """Of replies that are being written, by chat."""
        self.local_chats = AccountChats(lambda: self._state, lambda: self._presence)
        """Chats that no server keeps."""

    @cached_property
    def _presence(self) -> Presence:
        from kai_tui.storage.presence import Presence

        return Presence(self._files.state)

    @cached_property
    def _state(self) -> Database:
        from kai_tui.storage.database import Database
        from kai_tui.storage.drafts import STATE_SCHEMA

        return Database.open(self._files.state, STATE_SCHEMA, kind="state")

    @cached_property
    def _cache(self) -> Database:
        from kai_tui.storage.chats import CACHE_SCHEMA
        from kai_tui.storage.database import Database

        return Database.open(self._files.cache, CACHE_SCHEMA, kind="cache")

    @cached_property
    def _drafts(self) -> Drafts:
        from kai_tui.storage.drafts import Drafts

        return Drafts(self._state, self._presence.owner)

    @cached_property
    def _notes(self) -> ChatNotes:
        from kai_tui.storage.chat_notes import ChatNotes

        return ChatNotes(self._state)

    @cached_property
    def _chats(self) -> Chats:
        from kai_tui.storage.chats import Chats

        return Chats(self._cache, self._presence.owner)

    @property
    def notice(self) -> str | None:
        """One sentence when something is not kept on disk."""
        unused = "_state" not in vars(self)
        stored = None if unused else self._state.notice
        return stored or self._failed or self.credential_notice

    async def ready(self) -> None:
        """Open both files now, and let other windows know of this one. Never raises."""
        await self._quietly(self._state.ready(), None)
        await asyncio.to_thread(self._presence.announce)
        if not self._swept:
            # Once: later it could be of a fork that is on screen.
            self._swept = True
            await self._quietly(self._notes.drop_unused_quotes(), None)
        await self._quietly(self._cache.ready(), None, matters=False)

    # Drafts and outbox

    async def save_draft(self, chat_id: str, text: str) -> None:
        await self._quietly(self._drafts.save_draft(chat_id, text), None)

    async def draft(self, chat_id: str) -> str:
        return await self._quietly(self._drafts.draft(chat_id), "")

    async def last_draft(self, besides: str = "") -> tuple[str, str] | None:
        return await self._quietly(self._drafts.last_draft(besides), None)

    async def remember_prompt(self, text: str, chat_id: str) -> None:
        await self._quietly(self._drafts.remember_prompt(text, chat_id), None)

    async def prompts(self) -> list[str]:
        """Earlier prompts, the oldest first."""
        newest_first: list[str] = await self._quietly(self._drafts.prompts(PROMPTS_RECALLED), [])
        return newest_first[::-1]

    async def keep_outgoing(self, chat_id: str, message_id: str, text: str) -> None:
        from kai_tui.storage.drafts import OutboxRow

        row = OutboxRow(message_id, chat_id, text, "sending")
        await self._quietly(self._drafts.put_outbox(row), row)

    async def settle_outgoing(self, message_id: str, state: Literal["sent", "not-sent", "unsure"]) -> None:
        if state == "sent":
            await self._quietly(self._drafts.remove_outbox(message_id), None)
        else:
            await self._quietly(self._drafts.set_outbox_state(message_id, state), None)

    async def keep_queue(self, chat_id: str, waiting: Sequence[tuple[str, str]]) -> None:
        await self._quietly(self._drafts.put_queue(chat_id, waiting), None)

    async def left_behind(self, chat_id: str) -> LeftBehind:
        """What an earlier run did not finish in this chat; from now on this window has it in hand."""
        await self._quietly(self._drafts.take_over(chat_id, await self._open_windows()), None)
        rows = [row for row in await self._outbox(chat_id) if row.owner == self._presence.owner]
        return LeftBehind(
            sent=[(row.message_id, row.text) for row in rows if row.state in ("unsure", "not-sent")],
            waiting=[(row.message_id, row.text) for row in rows if row.state == "queued"],
            not_sent=frozenset(row.message_id for row in rows if row.state == "not-sent"),
            answers=await self._quietly(self._drafts.answers(chat_id), {}),
        )

    async def unsent_chats(self) -> list[ChatSummary]:
        """Chats with messages in the outbox, the newest first, named by the message."""
        from kai_tui.backends.base import ChatSummary

        elsewhere = await self._open_windows()
        rows = [row for row in await self._outbox() if row.owner not in elsewhere]
        named = {row.chat_id: " ".join(row.text.split())[:60] for row in rows}
        return [ChatSummary(chat_id, f"Not sent: {text}") for chat_id, text in reversed(named.items())]

    async def waiting_chats(self) -> list[str]:
        """Chats in which messages waited to be sent when their window ended, the newest first."""
        elsewhere = await self._open_windows()
        rows = [row for row in await self._outbox() if row.owner not in elsewhere and row.state == "queued"]
        return list(dict.fromkeys(row.chat_id for row in reversed(rows)))

    async def _outbox(self, chat_id: str | None = None) -> list[OutboxRow]:
        rows: list[OutboxRow] = await self._quietly(self._drafts.outbox(chat_id), [])
        return rows

    async def _open_windows(self) -> set[str]:
        """The other windows of this account that have messages in hand."""
        owners: set[str] = await self._quietly(self._drafts.owners(), set())
        owners.discard(self._presence.owner)
        return {each for each in owners if await asyncio.to_thread(self._presence.alive, each)}

    async def remember_answer(
        self, chat_id: str, tool_call_id: str, approval_id: str | None, approved: bool
    ) -> bool:
        try:
            await self._drafts.remember_answer(chat_id, tool_call_id, approval_id, approved)
        except StorageError as error:
            self._failed = error.sentence
            return False
        # Answered before counts as noted: asking again means that the chat was read and still waits (A7).
        return True

    async def answers_noted(self, chat_id: str) -> Mapping[tuple[str, str], bool]:
        return await self._quietly(self._drafts.answers(chat_id), {})

    async def withdraw_answer(self, chat_id: str, tool_call_id: str, approval_id: str | None) -> None:
        await self._quietly(self._drafts.withdraw_answer(chat_id, tool_call_id, approval_id), None)

    async def keep_note(self, chat_id: str, kind: NoteKind, value: Any) -> None:
        await self._quietly(self._notes.put(chat_id, kind, value), None)

    async def notes(self, chat_id: str) -> dict[str, Any]:
        """What was noted about a chat, by kind."""
        return await self._quietly(self._notes.of_chat(chat_id), {})

    async def last_enclosed(self, besides: str = "") -> tuple[str, str] | None:
        """(chat id, no words) of a chat in which something was attached to a message without words yet."""
        notes: dict[str, Any] = await self._quietly(self._notes.of_kind("enclosed"), {})
        if not notes:
            return None
        from kai_tui.services.enclosures import draft_noted

        found = [chat_id for chat_id, note in notes.items() if chat_id != besides and draft_noted(note)]
        return (found[-1], "") if found else None

    async def unseen(self) -> dict[str, Any]:
        """What chats wanted of the user when they were last heard of, by chat id."""
        return await self._quietly(self._notes.of_kind("unseen"), {})

    async def asked(self) -> dict[str, Any]:
        """Questions that waited for the user when they were last heard of, by chat id."""
        return await self._quietly(self._notes.of_kind("asked"), {})

    @property
    def owner(self) -> str:
        """Names this window in what it has in hand."""
        return self._presence.owner

    async def is_open_elsewhere(self, owner: str) -> bool:
        """Whether that is another window, and it is open."""
        return owner not in ("", self.owner) and await asyncio.to_thread(self._presence.alive, owner)

    async def recall(self, name: str) -> str | None:
        """A text the backend keeps for the account."""
        return await self._quietly(self._notes.kept_text(name), None)

    async def remember(self, name: str, value: str | None) -> None:
        """Keep such a text; None forgets it."""
        await self._quietly(self._notes.keep_text(name, value), None)

    async def objects(self) -> str | None:
        """What was last known of the project's objects, as it was kept; it may vanish at any time. Never raises."""
        from kai_tui.storage.objects_file import read_beside

        return await asyncio.to_thread(read_beside, self._files.cache)

    async def keep_objects(self, text: str) -> None:
        """Keep it for the next run. Never raises."""
        from kai_tui.storage.objects_file import write_beside

        await asyncio.to_thread(write_beside, self._files.cache, text)

    async def alone(self) -> bool:
        """Whether no other window has this account open."""
        return await asyncio.to_thread(self._presence.alone)

    # Chats: of those that servers keep, here are copies. That cache may fail silently

    def keep_here(self, chat_id: str) -> None:
        self.local_chats.take(chat_id)

    def is_here(self, chat_id: str) -> bool:
        """Whether no server keeps this chat, as far as it was listed, read or written in."""
        return self.local_chats.holds(chat_id)

    async def rename_message(self, chat_id: str, old_id: str, new_id: str) -> None:
        here = self.is_here(chat_id)
        store = self.local_chats if here else self._chats
        await self._quietly(store.rename_message(chat_id, old_id, new_id), None, matters=here)

    async def checkpoint(self, chat_id: str, title: str, message: Message, state: ReplyState) -> None:
        work = self._write(chat_id, title, message, state)
        await self._quietly(work, None, matters=self.is_here(chat_id))

    async def keep_reply(
        self, chat_id: str, title: str, question: Message, reply: Message, state: ReplyState
    ) -> None:
        from kai_tui.services.reply_text import ReplyText

        kept: tuple[tuple[Message, ReplyState], ...] = ((question, "complete"), (reply, state))
        # A reply stands behind its question: nothing of the next turn may come in between.
        async with self._keeping_reply:
            for message, how in kept:
                text = ReplyText().of(message)
                work = self.local_chats.checkpoint(chat_id, title, message, how, text, whole=False)
                await self._quietly(work, None)

    async def ids_here(self) -> set[str] | None:
        """Of all chats that no server keeps; None when they cannot be read."""
        return await self._quietly(self.local_chats.ids(), None)

    async def replies_kept(self, chat_id: str) -> list[Message]:
        """Replies the server does not keep although it keeps the chat, each after its question."""
        return await self._quietly(self.local_chats.replies(chat_id), [])

    async def drop_message(self, chat_id: str, message_id: str) -> None:
        if self.is_here(chat_id):
            await self._quietly(self.local_chats.drop_message(chat_id, message_id), None)

    async def _write(self, chat_id: str, title: str, message: Message, state: ReplyState) -> None:
        from kai_tui.services.reply_text import ReplyText

        text = self._texts.setdefault(chat_id, ReplyText()).of(message)
        if state != "streaming":
            del self._texts[chat_id]
        if self.is_here(chat_id):
            await self.local_chats.checkpoint(chat_id, title, message, state, text)
        else:
            await self._chats.checkpoint(chat_id, {"id": message.id}, state, title=title, text=text)

    async def keep_summaries(self, rows: Iterable[ChatSummary]) -> None:
        """Rows of the server's list, the newest first. Of those that are kept here anyway no copy is made."""
        copies = [cached_of(row) for row in rows if not self.is_here(row.id)]
        await self._quietly(self._chats.put_summaries(copies), None, matters=False)

    async def summaries(self) -> list[ChatSummary]:
        """The newest rows known here: copies, and chats that no server keeps."""
        own: list[ChatSummary] = await self._quietly(self.local_chats.rows(SUMMARIES), [])
        rows: Sequence[CachedChat] = await self._quietly(self._chats.summaries(SUMMARIES), [], matters=False)
        return [*own, *(summary_of(row) for row in rows if not self.is_here(row.id))]

    async def keep_chat(self, chat: Chat) -> None:
        """Keep a chat as it was read, with the marks of replies that broke off (P8)."""
        states: dict[str, ReplyState] = {
            each.id: REPLY_STATES[each.finish.reason]
            for each in chat.messages
            if each.finish is not None and each.finish.reason in REPLY_STATES
        }

        async def put() -> None:
            texts = await texts_of(tuple(chat.messages))
            writers = await self._writers(chat.summary.id)
            await self._chats.put_chat(cached_of(chat.summary), texts, states, open_windows=writers)

        await self._quietly(put(), None, matters=False)

    async def chat_copy(
        self, chat_id: str, *, known: Sequence[Message] = (), newest: int | None = None
    ) -> Chat | None:
        """The copy of a chat, or the chat that no server keeps. Replies that were being written are marked as cut off,
        unless another window, which is open, writes them still.

        Messages that are `known` and did not change are these objects. `newest`: only that many from the end.
        """
        from kai_tui.backends.base import Chat

        if self.is_here(chat_id):
            try:
                return await self.local_chats.chat(chat_id)
            except BackendError:
                return None
        writers = await self._writers(chat_id)
        reader = copy_reader({each.id: each for each in known})
        reading = self._chats.read(chat_id, reader, newest=newest, open_windows=writers)
        copy = await self._quietly(reading, None, matters=False)
        if copy is None or not copy[1]:
            return None
        return Chat(summary_of(copy[0]), copy[1])

    async def _writers(self, chat_id: str) -> set[str]:
        """The other open windows that write a reply of this chat."""
        owners: set[str] = await self._quietly(self._chats.writers(chat_id), set(), matters=False)
        return {each for each in owners if await asyncio.to_thread(self._presence.alive, each)}

    async def delete_chat(self, chat_id: str) -> None:
        """Remove the chat or its copy, draft, outbox, answers and notes."""
        await self._quietly(self.local_chats.remove(chat_id), None)
        # Last of the state file: it renews the backups.
        await self._quietly(self._drafts.forget_chat(chat_id), None)
        await self._quietly(self._chats.delete(chat_id), None, matters=False)

    def drop_copy(self, chat_id: str) -> None:
        """Remove the copy in the background, unless another window writes in it: that chat is new."""

        async def drop() -> None:
            if not await self._writers(chat_id):
                await self._quietly(self._chats.delete(chat_id), None, matters=False)
                await self._quietly(self.local_chats.remove(chat_id), None)

        if self.is_here(chat_id):
            return
        task = asyncio.create_task(drop())
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def aclose(self) -> None:
        """Close both files; what was written is there."""
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._state.aclose()
        await self._cache.aclose()
        await asyncio.to_thread(self._presence.leave)

    async def _quietly(self, work: Awaitable[T], otherwise: T, *, matters: bool = True) -> T:
        try:
            result = await work
        except StorageError as error:
            if matters and error.fault != "closed":
                self._failed = error.sentence
            return otherwise
        if matters:
            self._failed = None
        return result
