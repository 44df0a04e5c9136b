"""Ids that are the server's own: it names conversations and messages itself, the program names them first.

Chats and the user's messages go by our ids on this computer; the server's are joined here, in both directions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

OnName: TypeAlias = Callable[[str, str], None]
"""Told (our id, the server's id) once for each pair, to be kept: without it a chat comes back as another one."""


class Names:
    """Which of our ids stands for which of the server's. What has no pair goes by one id on both sides."""

    def __init__(self, known: Mapping[str, str] | None = None, on_name: OnName | None = None) -> None:
        """`known`: our ids and the server's, from earlier runs."""
        self._theirs = dict(known or {})
        self._ours = {theirs: ours for ours, theirs in self._theirs.items()}
        self._on_name = on_name

    def learn(self, ours: str, theirs: str) -> None:
        """From now on these two are one."""
        if not theirs or ours == theirs or self._theirs.get(ours) == theirs:
            return
        self._theirs[ours] = theirs
        self._ours[theirs] = ours
        if self._on_name is not None:
            self._on_name(ours, theirs)

    def known(self, ours: str) -> bool:
        """Whether the server has a name of its own for this."""
        return ours in self._theirs

    def named(self, theirs: str) -> bool:
        """Whether we have a name of our own for this."""
        return theirs in self._ours

    def theirs(self, ours: str) -> str:
        return self._theirs.get(ours, ours)

    def ours(self, theirs: str) -> str:
        return self._ours.get(theirs, theirs)
