"""What the ledger says about a decision: enough to know later what was allowed, and no secrets.

Of inputs only what was changed by hand stands in it, place by place, and a digest of the whole; of answers and
values that a tool asked for only their names: nobody can tell whether they are secrets.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from kai_tui.conversation.edited_input import path_words
from kai_tui.conversation.input_changes import InputChange, changes, masked
from kai_tui.conversation.redact import MASK, redact
from kai_tui.conversation.reviews.reviewing import review
from kai_tui.conversation.sealed_secrets import hash_key, sealed, seals_as_dots
from kai_tui.storage.ledger import now

if TYPE_CHECKING:
    from kai_tui.conversation.reviews.review import ObjectRef, Review
    from kai_tui.services.approval_service import Approval, Decision
    from kai_tui.services.grants import GrantTerms
    from kai_tui.services.ledger import Outcome

LONGEST_TEXT: Final = 2_000
"""Characters of a sentence, a reason, a name."""
LONGEST_VALUE: Final = 400
"""Characters of a value before or after an edit."""
MOST_EDITS: Final = 200
MOST_OBJECTS: Final = 20

_SECRET_NAME: Final = re.compile(
    r"token|secret|passw|passphrase|credential|cookie|authorization|(?:api|access|private)[_-]?key",
    re.IGNORECASE,
)


def decision_entry(approval: Approval, decision: Decision, secrets: Iterable[str] = ()) -> dict[str, Any]:
    """The entry of one decision. `secrets`: the live ones; no piece of them is left (C7)."""
    secrets = tuple(secrets)

    def said(text: str) -> str:
        return clip(redact(text, secrets), LONGEST_TEXT)

    edited = decision.updated_input if decision.approved else None
    asked = _view(approval, approval.input)
    # What a changed input does is what was allowed.
    view = asked if edited is None else _view(approval, edited)
    entry: dict[str, Any] = {
        "kind": "decision",
        "at": now(),
        "account_id": approval.account_id,
        "account": said(approval.account),
        "host": said(approval.host),
        "branch": said(approval.branch),
        "chat_id": approval.chat_id,
        "message_id": approval.message_id,
        "call_id": approval.tool_call_id,
        "approval_id": approval.approval_id or "",
        "tool": said(approval.tool_name),
        "sentence": said(view.sentence),
        "effects": list(view.effects),
        "objects": [_object(each, said) for each in view.objects[:MOST_OBJECTS]],
        "decision": "approved" if decision.approved else "denied",
        "by": decision.by,
        "rule": said(decision.rule or approval.rule),
        "reason": said(decision.reason or ""),
        "shown": approval.digest,
        "input": digest_of(approval.input),
    }
    if decision.by == "server":
        entry["decision"] = "not asked"
    if edited is not None:
        if asked.sentence != view.sentence:
            entry["asked"] = said(asked.sentence)
        entry["edits"] = _edits(approval.input, edited, secrets)
        entry["sent"] = digest_of(edited)
    if decision.answers is not None:
        entry["answered"] = [said(name) for name in decision.answers][:MOST_OBJECTS]
    if decision.given is not None:
        entry["gave"] = "a value"
    if decision.grant is not None:
        entry["grant"] = _grant(decision.grant, said)
    return entry


def outcome_entry(
    chat_id: str, call_id: str, outcome: Outcome, *, job: str, detail: str, secrets: Iterable[str] = ()
) -> dict[str, Any]:
    """The entry of what became of a decision; the ledger adds of which (`of`)."""
    secrets = tuple(secrets)
    return {
        "kind": "outcome",
        "at": now(),
        "chat_id": chat_id,
        "call_id": call_id,
        "outcome": outcome,
        "job": clip(redact(job, secrets), LONGEST_TEXT),
        "detail": clip(redact(detail, secrets), LONGEST_TEXT),
    }


def digest_of(value: Any) -> str:
    """SHA-256 of a JSON value, whatever the order of its names; empty for what has no JSON."""
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        return ""
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def clip(text: str, longest: int) -> str:
    """At most so many characters; what was left out is counted."""
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text):,} characters)"


def _view(approval: Approval, input: Any) -> Review:
    return review(approval.tool_name, input, read_only=approval.read_only, title_given=approval.title)


def _object(ref: ObjectRef, said: Any) -> dict[str, str]:
    return {"kind": ref.kind, "id": said(ref.id), "name": said(ref.name)}


def _grant(terms: GrantTerms, said: Any) -> dict[str, Any]:
    return {
        "tool": said(terms.tool),
        "of": _object(terms.of, said) if terms.of is not None else None,
        "chat_id": terms.chat_id,
        "minutes": terms.minutes,
        "calls": terms.calls,
    }


def _edits(before: Any, after: Any, secrets: tuple[str, ...]) -> list[dict[str, str]]:
    found = changes(sealed(before, _is_secret), sealed(after, _is_secret))
    edits = [_edit(change, secrets) for change in found[:MOST_EDITS]]
    if len(found) > MOST_EDITS:
        edits.append({"path": f"{len(found) - MOST_EDITS:,} further places", "does": "sets"})
    return edits


def _is_secret(name: str) -> bool:
    return hash_key(name) or _SECRET_NAME.search(name) is not None


def _edit(change: InputChange, secrets: tuple[str, ...]) -> dict[str, str]:
    hidden = any(isinstance(step, str) and _is_secret(step) for step in change.path)

    def text(value: Any) -> str:
        if hidden:
            return MASK
        # Redacted before it is cut: half a secret would not be known as one.
        written = seals_as_dots(json.dumps(masked(change.path, value), ensure_ascii=False))
        written = redact(written, secrets)
        return clip(written, LONGEST_VALUE)

    edit = {"path": clip(redact(path_words(change.path), secrets), LONGEST_VALUE), "does": change.does}
    if change.does != "adds":
        edit["before"] = text(change.before)
    if change.does != "removes":
        edit["after"] = text(change.after)
    return edit
