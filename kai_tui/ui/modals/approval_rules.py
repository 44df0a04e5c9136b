"""What rules of the user have to do with an open question: what they decided beside it, what they forbid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kai_tui.services.approval_service import Approval, Decision

if TYPE_CHECKING:
    from kai_tui.ui.modals.reading_view import Paragraph

Beside = Sequence[tuple[Approval, Decision]]


def beside_paragraphs(beside: Beside) -> list[Paragraph]:
    """What rules decided in the same message, and what goes out together with the answer."""
    if not beside:
        return []
    from kai_tui.conversation.reviews.reviewing import review
    from kai_tui.conversation.safe_text import safe_exact
    from kai_tui.ui.modals.reading_view import GAP, Passage

    heading = "Decided by your rules in the same message, sent together with your answer:"
    found: list[Paragraph] = [Passage(heading, "title", wrap="words")]
    for asked, decision in beside:
        said = review(asked.tool_name, asked.input, read_only=asked.read_only, title_given=asked.title)
        sentence = safe_exact(said.sentence, one_line=True).text
        mark, style = ("✓ ", "good") if decision.approved else ("⊘ ", "quiet")
        found.append(Passage(sentence, style, mark, "  ", style, wrap="words", aside=decision.rule))
    return [*found, GAP]
