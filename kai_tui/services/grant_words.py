"""What a grant is for, in words: for the dialog, the cards, the ledger. Raw: names of objects are foreign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from kai_tui.conversation.granting import inside_words

if TYPE_CHECKING:
    from kai_tui.conversation.reviews.review import ObjectRef
    from kai_tui.services.grants import GrantTerms


def span_words(terms: GrantTerms) -> str:
    """For how long and how often: "for 10 minutes, at most 5 calls"."""
    calls = "" if terms.calls is None else "1 call" if terms.calls == 1 else f"{terms.calls} calls"
    if terms.minutes is None:
        return f"for {calls}" if calls else "until you leave"
    whole = int(terms.minutes) if terms.minutes == int(terms.minutes) else terms.minutes
    time = "1 minute" if whole == 1 else f"{whole} minutes"
    return f"for {time}, at most {calls}" if calls else f"for {time}"


def about_words(of: ObjectRef | None) -> str:
    """About what: "about table in.c-crm.customers and its columns"."""
    if of is None:
        return "about anything"
    kind = "" if of.kind == "other" else f"{of.kind} "
    return f"about {kind}{of.id}{inside_words(of)}" if of.id else f"about the {of.kind}"


def terms_words(terms: GrantTerms) -> str:
    """All of it, seen from the chat it was given in."""
    where = "in every chat" if terms.chat_id is None else "in this chat"
    return f"{about_words(terms.of)}, {where}, {span_words(terms)}"


def noted_words(note: Any) -> str:
    """The same of a grant as the ledger notes it; empty when it cannot be read."""
    from kai_tui.conversation.reviews.review import ObjectRef
    from kai_tui.services.grants import GrantTerms

    if not isinstance(note, Mapping):
        return ""
    said = cast("Mapping[str, Any]", note)
    found, minutes, calls = said.get("of"), said.get("minutes"), said.get("calls")
    of = cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else None
    terms = GrantTerms(
        str(said.get("tool", "")),
        of=None
        if of is None
        else ObjectRef(cast("Any", str(of.get("kind", "other"))), str(of.get("id", ""))),
        chat_id=None if said.get("chat_id") is None else str(said["chat_id"]),
        minutes=minutes if isinstance(minutes, int | float) else None,
        calls=calls if isinstance(calls, int) else None,
    )
    return terms_words(terms)
