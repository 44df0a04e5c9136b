"""What was decided in the list of questions and is not sent yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kai_tui.services.approval_service import Approval, Decision

Key = tuple[str, str]
"""Chat and call."""


class GivenAnswers:
    """Each answer counts only for exactly what it was given about."""

    def __init__(self) -> None:
        self._given: dict[Key, tuple[str, Decision]] = {}
        """The digest of what was decided about, and the decision."""

    def __len__(self) -> int:
        return len(self._given)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._given)

    def __contains__(self, key: object) -> bool:
        return key in self._given

    def give(self, approval: Approval, decision: Decision) -> None:
        """Decide about a question as it is now."""
        self._given[approval.key] = (approval.digest, decision)

    def to(self, approval: Approval) -> Decision | None:
        """What was decided about a question, if it is still the same."""
        digest, decision = self._given.get(approval.key, ("", None))
        return decision if digest == approval.digest else None

    def take_back(self, key: Key) -> bool:
        """Decide nothing about it after all; whether there was something."""
        return self._given.pop(key, None) is not None

    def take_back_changed(self, pending: Iterable[Approval]) -> int:
        """Take back what was decided about questions that changed or went; how many."""
        waiting = {each.key: each.digest for each in pending}
        gone = [key for key, (digest, _) in self._given.items() if waiting.get(key) != digest]
        for key in gone:
            del self._given[key]
        return len(gone)

    def ready(self, pending: Iterable[Approval]) -> list[tuple[Approval, Decision]]:
        """What can be sent: of messages whose answers go together only when all are there."""
        waiting = list(pending)
        incomplete = {
            (each.chat_id, each.message_id)
            for each in waiting
            if each.together and each.key not in self._given
        }
        return [
            (each, decision)
            for each in waiting
            if (decision := self.to(each)) is not None and (each.chat_id, each.message_id) not in incomplete
        ]
