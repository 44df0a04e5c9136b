"""From a call to its review. Names that are not known work too: those count as changing something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kai_tui.conversation.reviews.review import Effect, ObjectRef, Presents, Review, Wanted
from kai_tui.conversation.tools import headline, risk, title


def wanted(tool: str, input: Any) -> Sequence[Wanted]:
    """The present values that `review` could show the change against."""
    return ()


def review(
    tool: str,
    input: Any,
    *,
    read_only: bool | None = None,
    title_given: str = "",
    presents: Presents | None = None,
) -> Review:
    """What to show of a call. Never raises, whatever the input is.

    `read_only`: the server's own mark (kai.md §4.12); `title_given`: what the server calls the tool;
    `presents`: the values of `wanted` that are known by now.
    """
    subject = headline(tool, input)
    effect: Effect = risk(tool, read_only)
    words = title_given or title(tool)
    return Review(
        sentence=f"{words}: {subject}" if subject else words,
        effects=(effect,),
        objects=(ObjectRef("other", subject),) if subject else (),
    )
