"""Earlier prompts on ↑ and ↓. What is being typed stays the newest entry; changes to recalled
prompts are kept until one is sent."""

from __future__ import annotations

from collections.abc import Sequence

from kai_tui.ui.widgets.draft import Draft

MOST_PROMPTS = 500


class Recall:
    """A list of prompts with a place in it."""

    def __init__(self) -> None:
        self._prompts: list[Draft] = []
        self._walk: list[Draft] | None = None
        """A copy that takes changes, with the current draft at its end; None when not recalling."""
        self._place = 0

    @property
    def prompts(self) -> Sequence[Draft]:
        """The oldest first."""
        return self._prompts

    def set_prompts(self, prompts: Sequence[str]) -> None:
        """Earlier prompts, the oldest first."""
        self._prompts = [Draft.of(prompt) for prompt in prompts[-MOST_PROMPTS:] if prompt.strip()]
        self.stop()

    def remember(self, draft: Draft) -> None:
        """Add a prompt as the newest, unless it just was that; recall starts anew."""
        self.stop()
        if not draft.shown.strip() or (self._prompts and self._prompts[-1] == draft):
            return
        self._prompts.append(draft)
        del self._prompts[:-MOST_PROMPTS]

    def stop(self) -> None:
        """Forget the place and the changes."""
        self._walk = None

    def older(self, current: Draft) -> Draft | None:
        """The prompt before this one; None at the oldest."""
        return self._step(current, -1)

    def newer(self, current: Draft) -> Draft | None:
        """The prompt after this one, at last what was being typed; None there."""
        return self._step(current, 1)

    def _step(self, current: Draft, by: int) -> Draft | None:
        if self._walk is None:
            if by > 0 or not self._prompts:
                return None
            self._walk = [*self._prompts, current]
            self._place = len(self._prompts)
        target = self._place + by
        if not 0 <= target < len(self._walk):
            return None
        self._walk[self._place] = current
        self._place = target
        return self._walk[target]
