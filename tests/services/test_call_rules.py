"""What a card says of a decision, in this run and after the next start, is the same."""

from __future__ import annotations

from typing import Any

import pytest

from kai_tui.conversation.reviews.review import ObjectRef
from kai_tui.services.approval_service import Decision
from kai_tui.services.call_rules import decision_words, short_words
from kai_tui.services.grants import GrantTerms
from kai_tui.services.ledger_entries import decision_entry
from kai_tui.services.ledger_words import card_words
from tests.ui.fakes import approval

INPUT = {"name": "reports", "stage": "out", "#token": "hunter2"}


def edited(**changes: Any) -> Decision:
    return Decision(approved=True, updated_input={**INPUT, **changes})


@pytest.mark.parametrize(
    ("decision", "words", "short"),
    [
        (Decision(approved=True), "You approved it.", ""),
        (Decision(approved=True, answers={"q": "a"}), "You answered it.", ""),
        (Decision(approved=False), "You denied it.", ""),
        (
            Decision(approved=True, grant=GrantTerms("create_bucket", chat_id="chat", minutes=10, calls=5)),
            "You approved it, and further calls like it about anything, in this chat, for 10 minutes, at most 5 calls.",
            "",
        ),
        (
            Decision(approved=True, grant=GrantTerms("create_bucket", of=ObjectRef("table", "in.c-crm.t"))),
            "You approved it, and further calls like it about table in.c-crm.t and its columns, in every chat, until you leave.",
            "",
        ),
        (
            Decision(approved=False, reason="not\nyet"),
            "You denied it, and said: not\nyet",
            "denied: not yet",
        ),
        (edited(name="x"), 'You approved it with changes. name: "reports" → "x"', "changed by you"),
        (
            edited(name="x", more=True),
            'You approved it with changes. name: "reports" → "x"; more: true added',
            "changed by you",
        ),
        (Decision(approved=False, by="grant", rule="A rule."), "A rule.", ""),
    ],
)
def test_words_of_decisions(decision: Decision, words: str, short: str) -> None:
    question = approval(input=INPUT)
    assert decision_words(question, decision) == words
    assert card_words(decision_entry(question, decision)) == words
    assert short_words(words) == short


def test_no_secret_and_no_book_stands_on_a_card() -> None:
    decision = edited(**{"#token": "hunter3", **{f"n{number}": number for number in range(20)}})
    words = decision_words(approval(input=INPUT), decision)
    assert "hunter" not in words
    assert words.endswith("and 15 more")
    denied = decision_words(approval(), Decision(approved=False, reason="x" * 1000))
    assert denied.endswith("… (600 characters more)")
    assert len(denied) < 500
