"""Asking the last question once more, in the same or other words; and the quote a forked chat begins with.

The server has no rewind: asking again is a new turn, and the question before it, with its answer, is
superseded here. The server still has both.
"""

from __future__ import annotations

import uuid
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from kai_tui.backends.base import Delivery, Outgoing
from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.conversation.quoting import split_quote, with_quote
from kai_tui.services.changes import MessageChanged, MessagesReset, TermsChanged
from kai_tui.services.keeper import REPLY_STATES
from kai_tui.services.read_back import adopt
from kai_tui.services.session_queue import SessionQueue
from kai_tui.services.session_state import SessionTools

Outcome: TypeAlias = Literal["answered", "failed", "lost", "not-sent", "unsure"]


@dataclass(frozen=True, slots=True)
class LastQuestion:
    """The newest question of a chat that was not asked again."""

    message: Message
    outcome: Outcome
    """`lost`: the connection ended before the answer did, so the server may have gone on."""
    ran: tuple[str, ...]
    """Names of tools that write and ran for it. Raw."""
    may_have_run: tuple[str, ...]
    """The same of those whose outcome was not seen."""

    @property
    def words(self) -> str:
        """What the user wrote, without a quote in front of it."""
        return split_quote(self.message.text)[1]

    @property
    def quotes(self) -> bool:
        """Whether an earlier chat is quoted in front of it."""
        return bool(split_quote(self.message.text)[0])


class SessionRewrites(SessionQueue):
    """New turns in place of old ones; on disk at once, kept over a restart."""

    def __init__(
        self, chat_id: str, tools: SessionTools, *, title: str, messages: Iterable[Message], stored: bool
    ) -> None:
        super().__init__(chat_id, tools, title=title, messages=messages, stored=stored)
        self.quote = ""
        """What is sent in front of the first message of a forked chat. Empty: nothing."""

    # Asking again

    def last_question(self) -> LastQuestion | None:
        """What can be asked again; None in an empty chat."""
        question = next(
            (
                each
                for each in reversed(self.messages)
                if each.role == "user" and not self.is_superseded(each.id)
            ),
            None,
        )
        if question is None:
            return None
        answers = self.messages[self.messages.index(question) + 1 :]
        ran: dict[str, None] = {}
        perhaps: dict[str, None] = {}
        for part in (part for each in answers for part in each.tool_calls()):
            if self._questions.reads_only(part.tool_name) or self._did_not_run(part):
                continue
            (ran if part.state == "output-available" and not part.preliminary else perhaps)[
                part.tool_name
            ] = None
        return LastQuestion(question, self._outcome_of(question, answers), tuple(ran), tuple(perhaps))

    def _did_not_run(self, part: ToolPart) -> bool:
        """Denied, or never answered, or left open by the server; all others ran, or may have."""
        approved = self.decision(part)
        if part.state in ("output-denied", "approval-requested", "input-streaming") or approved is False:
            return True
        if part.state == "approval-responded":
            return part.approval is not None and part.approval.get("approved") is not True
        asked = part.tool_call_id in self._questions.asked
        return part.state == "input-available" and ((asked and approved is None) or self._is_left_open(part))

    def _outcome_of(self, question: Message, answers: list[Message]) -> Outcome:
        state = self._deliveries.get(question.id)
        if state in ("not-sent", "unsure"):
            return state
        if not answers:
            return "lost"
        finish = answers[-1].finish
        if finish is None or finish.reason not in REPLY_STATES:
            return "answered"
        return "lost" if finish.reason == "lost" else "failed"

    def ask_again(self, question_id: str, words: str | None = None, *, keep_quote: bool = True) -> bool:
        """Ask the last question in a new turn, with `words` instead of its own. One POST.

        `keep_quote`: with the chat that is quoted in front of it, if one is.

        False when a turn runs, when it is no longer the last question, and when it is not known whether it
        arrived. One that never arrived is replaced rather than superseded.
        """
        last = self.last_question()
        if (
            last is None
            or last.message.id != question_id
            or self.turn.busy
            or self.gone
            or last.outcome == "unsure"
        ):
            return False
        question = last.message
        from kai_tui.services.enclosures import enclosed_in

        if words is None and last.outcome == "not-sent":
            self.retry(question_id)
            return True
        if words is not None and not words.strip():
            return False
        text = question.text
        if words is not None:
            quote, _ = split_quote(text)
            text = with_quote(quote, words) if quote and keep_quote else words
        new_id = str(uuid.uuid4())
        self._go_with(new_id, self.goes_with(question_id) or enclosed_in(question))
        self._contexts[new_id] = question.about
        if question.about is not None:
            self._keep_contexts()
        replaced = self._rewrites.pop(question_id, None) if last.outcome == "not-sent" else question_id
        if replaced is not None:
            self._rewrites[new_id] = replaced
            self._keep_rewrites()
        # First on disk as one that is being sent: no words of the user are ever in neither (P6).
        self._begin(self._outgoing(new_id, text))
        if last.outcome == "not-sent":
            self.take_back(question_id)
        self._tell_superseded(new_id)
        return True

    async def has_more(self, question_id: str) -> bool:
        """Read the chat: whether the server has more of the answer than we saw. Raises BackendError."""
        if self.kept_here:
            return False  # nobody has more than what is here
        backend = await self._tools.backend()
        theirs = await backend.chat(self.chat_id)
        last = self.last_question()
        if self.turn.busy or last is None or last.message.id != question_id:
            return False
        found = adopt(self.messages, theirs.messages)
        if _known(self._answers_to(question_id, found)) <= _known(
            self._answers_to(question_id, self.messages)
        ):
            return False
        self.messages = found
        self._tell(MessagesReset())
        return True

    @staticmethod
    def _answers_to(question_id: str, messages: list[Message]) -> list[Message]:
        at = next((number for number, each in enumerate(messages) if each.id == question_id), None)
        return messages[at + 1 :] if at is not None else []

    @abstractmethod
    def retry(self, message_id: str) -> None:
        """Send a message again that did not arrive, with the same id."""

    # What is superseded

    def restore(self, notes: Mapping[str, Any], *, visibility: str = "", unsent: Iterable[str] = ()) -> None:
        """Take over what was noted about the chat."""
        super().restore(notes, visibility=visibility, unsent=unsent)
        noted: Any = notes.get("superseded")
        pairs = cast("dict[str, Any]", noted) if isinstance(noted, dict) else {}
        self._rewrites = {new: old for new, old in pairs.items() if isinstance(old, str)}
        self._superseded_for = ()
        quote: Any = notes.get("quote")
        self.quote = quote if isinstance(quote, str) else ""

    def _keep_rewrites(self) -> None:
        self._in_background(self._tools.keeper.keep_note(self.chat_id, "superseded", dict(self._rewrites)))

    def _set_delivery(self, message_id: str, state: Delivery, why: str | None = None) -> None:
        super()._set_delivery(message_id, state, why)
        self._tell_superseded(message_id)

    def _tell_superseded(self, new_id: str) -> None:
        """Whether a question is superseded depends on what became of the one that took its place."""
        old = self._rewrites.get(new_id)
        if old is None:
            return
        self._tell(MessageChanged(old))
        for message in self._answers_to(old, self.messages):
            if message.role == "user":
                break
            self._tell(MessageChanged(message.id))

    # Forks

    def begin_with(self, quote: str) -> None:
        """Send this in front of the first message."""
        self.quote = quote
        self._in_background(self._tools.keeper.keep_note(self.chat_id, "quote", quote))
        self._tell(TermsChanged())

    def drop_quote(self) -> None:
        """Begin without it."""
        self.quote = ""
        self._in_background(self._tools.keeper.keep_note(self.chat_id, "quote", None))
        self._tell(TermsChanged())

    def _begin(self, outgoing: Outgoing, message: Message | None = None) -> None:
        super()._begin(outgoing, message)
        if self.quote:
            # It is in the message now, and with it in the outbox.
            self.drop_quote()

    def _first_words(self, text: str) -> str:
        """A message as the user wrote it, with what goes in front of it."""
        return with_quote(self.quote, text) if self.quote and not self.messages else text


def _known(answers: Iterable[Message]) -> tuple[int, int]:
    """How much is known of an answer: calls that came to their end, and characters."""
    messages = list(answers)
    settled = sum(part.settled for each in messages for part in each.tool_calls())
    return settled, sum(len(each.text) for each in messages)
