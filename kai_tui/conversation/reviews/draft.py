"""A review while it is being put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from kai_tui.conversation.reviews.review import (
    Block,
    Effect,
    ObjectRef,
    PathChanges,
    Review,
    TextChange,
    Tone,
    Words,
)

GRAVITY: Final[Sequence[Effect]] = (
    "destroys",
    "deploys",
    "unknown",
    "runs",
    "changes",
    "costs",
    "creates",
    "reads",
)
_LONGEST: Final = 240
"""Characters of a sentence."""


@dataclass(slots=True)
class Draft:
    sentence: str
    effects: list[Effect]
    objects: list[ObjectRef] = field(default_factory=list[ObjectRef])
    cautions: list[str] = field(default_factory=list[str])
    blocks: list[Block] = field(default_factory=list[Block])
    to_type: str = ""
    called: str = ""
    """What people call the thing, where it is known and does not change."""

    def touches(self, *objects: ObjectRef) -> None:
        """Name what the call touches, once each."""
        for each in objects:
            if each not in self.objects:
                self.objects.append(each)

    def warn(self, *sentences: str) -> None:
        """Say what must not be overlooked, once each."""
        for each in sentences:
            if each not in self.cautions:
                self.cautions.append(each)

    def say(self, text: str, tone: Tone = "plain") -> None:
        """A line or a paragraph."""
        self.blocks.append(Words(text, tone))

    def show(self, *blocks: Block) -> None:
        """Blocks keep where a present value comes from, not the whole of it: it may hold secrets."""
        for block in blocks:
            if isinstance(block, TextChange | PathChanges) and block.present is not None:
                block = replace(block, present=replace(block.present, value=None))
            self.blocks.append(block)

    def also(self, *effects: Effect) -> None:
        """It does this too."""
        self.effects = gravest_first([*self.effects, *effects])

    def _name(self) -> Iterable[Block]:
        return [Words(f"It is called {quoted(self.called)}.", "quiet")] if self.called else []

    def review(self, reason: str) -> Review:
        return Review(
            sentence=shortened(self.sentence),
            effects=tuple(gravest_first(self.effects)),
            objects=tuple(self.objects),
            reason=reason,
            cautions=tuple(self.cautions),
            blocks=(*self._name(), *self.blocks),
            to_type=self.to_type,
        )


def gravest_first(effects: Iterable[Effect]) -> list[Effect]:
    """Each once; reading is not worth a word beside anything else."""
    given = set(effects)
    if len(given) > 1:
        given.discard("reads")
    return sorted(given, key=GRAVITY.index) or ["unknown"]


def shortened(sentence: str) -> str:
    """A heading stays one: what is longer says so. The whole text stands in the arguments."""
    if len(sentence) <= _LONGEST:
        return sentence
    return f"{sentence[:_LONGEST]}… ({len(sentence):,} characters)"


def count(number: int, what: str, many: str = "") -> str:
    """`1 table`, `3 tables`."""
    return f"{number:,} {what if number == 1 else many or what + 's'}"


def quoted(text: str) -> str:
    """A name inside a sentence."""
    return f"“{text}”"
