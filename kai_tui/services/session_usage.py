"""Tokens of one chat: added up while it is open, kept over restarts."""

from __future__ import annotations

from typing import Any

from kai_tui.conversation.events import Usage
from kai_tui.conversation.usage import StreamTokens, Tokens, tokens_in
from kai_tui.services.changes import TurnChanged
from kai_tui.services.session_before import SessionBefore

CALM_SECONDS = 0.25
"""Reports that come sooner after another are not told one by one."""


class SessionUsage(SessionBefore):
    """Counts what streams report. A note keeps it, because a server need not store it with its messages."""

    _before = Tokens()
    """Of the streams before the running one."""
    _stream: StreamTokens | None = None
    _counted_at = float("-inf")

    @property
    def tokens(self) -> Tokens:
        """Of the whole chat, as far as the server told."""
        return self._before if self._stream is None else self._before + self._stream.tokens

    def restore_tokens(self, note: Any) -> None:
        """Take over what was noted; the chat's own messages may say more (written elsewhere)."""
        self._before = Tokens.noted(note).at_least(tokens_in(self.messages))
        self._tokens = self.tokens.total or None

    def _begin_counting(self) -> None:
        """A new stream."""
        self._before = self.tokens
        self._stream = StreamTokens()

    def _count_tokens(self, usage: Usage) -> None:
        """A stream reported."""
        assert self._stream is not None
        self._stream.note(usage)
        self._tokens = self.tokens.total or None
        now = self._tools.clock()
        if now - self._counted_at >= CALM_SECONDS:
            self._counted_at = now
            self._tell(TurnChanged())
            self._keep_tokens()

    def _keep_tokens(self) -> None:
        """Note what was counted."""
        tokens = self.tokens
        if tokens != Tokens():
            self._in_background(self._tools.keeper.keep_note(self.chat_id, "usage", tokens.to_note()))
