"""What rules of the user have to do with an open question: what they decided beside it, what they forbid."""

from __future__ import annotations

from collections.abc import Sequence

from kai_tui.services.approval_service import Approval, Decision

SHOWN = 4
"""Calls decided beside that are named one by one."""

Beside = Sequence[tuple[Approval, Decision]]


def beside_words(beside: Beside) -> list[tuple[str, str]]:
    """What rules decided in the same message, and what goes out together with the answer: text and style."""
    if not beside:
        return []
    from kai_tui.conversation.reviews.reviewing import review
    from kai_tui.conversation.safe_text import safe_exact

    parts = [
        ("\nDecided by your rules in the same message, sent together with your answer:", "not bold $text")
    ]
    for asked, decision in beside[:SHOWN]:
        said = review(asked.tool_name, asked.input, read_only=asked.read_only, title_given=asked.title)
        sentence = safe_exact(said.sentence, one_line=True).text
        mark = "✓" if decision.approved else "⊘"
        style = "not bold $text-success" if decision.approved else "not bold $text-muted"
        parts += [(f"\n  {mark} {sentence}", style), (f"  {decision.rule}", "not bold $text-muted")]
    more = len(beside) - SHOWN
    if more > 0:
        parts.append((f"\n  and {more} more: see their cards", "not bold $text-muted"))
    return parts
