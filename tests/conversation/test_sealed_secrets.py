"""Secrets of an input that no `#key` of its own gives away: sealed wherever an input is written down."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kai_tui.conversation.edited_input import NotSendable
from kai_tui.conversation.input_changes import changes, correction
from kai_tui.conversation.sealed_secrets import has_seal, sealed
from kai_tui.conversation.tools import headline
from kai_tui.services.approval_service import Decision
from kai_tui.services.call_rules import decision_words
from kai_tui.services.ledger_entries import decision_entry
from tests.ui.fakes import approval

CANARY = "hunter2canary"


def operation(value: str, path: str = "db.#password") -> dict[str, Any]:
    return {"parameter_updates": [{"op": "set", "path": path, "value": value}]}


CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (operation("old-one"), operation(CANARY)),
    (operation(CANARY), operation("new-one")),
    ({"parameter_updates": []}, operation(CANARY)),
    (operation(CANARY), {"parameter_updates": []}),
    (
        {"variables": []},
        {"variables": [{"name": "k", "type": "vault", "default_value": CANARY}]},
    ),
    ({"parameters": "{}"}, {"parameters": json.dumps({"#password": CANARY})}),
    ({"parameters": {}}, {"parameters": {"#auth": {"user": "u", "password": CANARY}}}),
]


@pytest.mark.parametrize(("before", "after"), CASES)
def test_no_secret_of_an_edit_stands_in_the_ledger_or_on_a_card(before: Any, after: Any) -> None:
    asked = approval(tool_name="update_config", input=before, edits=True)
    decision = Decision(approved=True, updated_input=after)
    entry = decision_entry(asked, decision)
    assert entry["edits"]
    assert CANARY not in json.dumps(entry)
    assert "\\u0000" not in json.dumps(entry)
    words = decision_words(asked, decision)
    assert "approved it with changes" in words
    assert CANARY not in words
    assert "u0000" not in words


@pytest.mark.parametrize(("before", "after"), CASES)
def test_no_secret_goes_into_a_correction(before: Any, after: Any) -> None:
    with pytest.raises(NotSendable, match="secret"):
        correction("update_config", before, after)


def test_a_secret_that_stays_is_not_repeated_in_a_correction() -> None:
    before = {**operation(CANARY), "name": "a"}
    assert CANARY not in correction("update_config", before, {**before, "name": "b"})


def test_other_secrets_are_another_change_and_the_same_ones_are_none() -> None:
    assert changes(sealed(operation("one-secret")), sealed(operation("two-secret")))
    assert not changes(sealed(operation("one-secret")), sealed(operation("one-secret")))


def test_what_is_no_secret_stays_as_it_is() -> None:
    for value in (
        operation("open", "db.host"),
        operation("KBC::ProjectSecure::x"),
        {"a": "[1, 2", "b": None},
    ):
        assert sealed(value) == value
        assert not has_seal(sealed(value))


def test_the_subject_of_an_unknown_call_is_no_secret() -> None:
    assert headline("store", {"passphrase": CANARY}) == ""
    assert headline("store", {"passphrase": CANARY, "place": "vault"}) == "vault"
