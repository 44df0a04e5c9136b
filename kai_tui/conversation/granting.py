"""What may be allowed for a while, and which calls such a permission covers. Pure (reliability.md T20)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

from kai_tui.conversation.clear_input import nothing_hides
from kai_tui.conversation.reviews.review import Effect, ObjectRef, Review

_MAY_BE: Final[frozenset[Effect]] = frozenset({"reads", "creates", "changes", "runs", "costs"})
_WHY: Final[Mapping[Effect, str]] = {
    "destroys": "It destroys something, so it is asked every time.",
    "deploys": "It changes what others use at once, so it is asked every time.",
    "unknown": "It is not known here what this tool does, so it is asked every time.",
}
_WORD_ENDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_HARD: Final = frozenset(
    [
        "clear",
        "delete",
        "deploy",
        "destroy",
        "detach",
        "drop",
        "erase",
        "kill",
        "overwrite",
        "purge",
        "remove",
        "reset",
        "revoke",
        "shutdown",
        "stop",
        "terminate",
        "truncate",
        "unlink",
        "uninstall",
        "wipe",
    ]
)
_ASKS: Final = frozenset(["ask", "asks", "clarify", "elicit", "question", "questions"])
_SECRETS: Final = frozenset(
    ["credential", "credentials", "key", "oauth", "password", "secret", "secrets", "token", "tokens"]
)
"""Words in a tool's name. A second wall: what a review says of the effects is the first."""


def why_never(tool: str, input: Any, has_input: bool, review: Review) -> str | None:
    """Why this call can never be allowed by a rule, however it was asked for: one sentence; None when it can.

    Never raises.
    """
    for effect in review.effects:
        if effect not in _MAY_BE:
            return _WHY.get(effect, _WHY["unknown"])
    words = {word.lower() for word in _WORD_ENDS.split(tool)}
    if words & _HARD or review.to_type:
        return _WHY["destroys"]
    if words & _SECRETS:
        return "It is about secrets, so it is asked every time."
    if _asks_questions(input) or words & _ASKS:
        return "It asks you something, so it is asked every time."
    if not nothing_hides(tool, input, has_input):
        return "Something in it hides or looks like something else, so it is asked every time."
    return None


def _asks_questions(input: Any) -> bool:
    questions = cast("Mapping[str, Any]", input).get("questions") if isinstance(input, Mapping) else None
    return isinstance(questions, list | tuple)


def object_of(review: Review) -> ObjectRef | None:
    """The one object a permission could be narrowed to: what covers everything the call touches; None when
    nothing does."""
    return next((each for each in review.objects if covers_all(each, review)), None)


def covers_all(of: ObjectRef, review: Review) -> bool:
    """Whether a call touches `of`, or what is inside it, and nothing else."""
    return bool(review.objects) and all(covers(of, each) for each in review.objects)


def covers(of: ObjectRef, other: ObjectRef) -> bool:
    """Whether `other` is the same object, or stands inside it: columns in a table, tables in a bucket,
    rows in a configuration. Names do not count, only ids."""
    if of.kind == other.kind and of.id == other.id:
        return True
    divider = _INSIDE.get((of.kind, other.kind))
    return divider is not None and bool(of.id) and other.id.startswith(of.id + divider)


def inside_words(of: ObjectRef) -> str:
    """What else stands for the same object: ` and its columns`; empty for most."""
    return {
        "bucket": " and the tables in it",
        "table": " and its columns",
        "configuration": " and its rows",
    }.get(of.kind, "")


_INSIDE: Final[Mapping[tuple[str, str], str]] = {
    ("bucket", "table"): ".",
    ("bucket", "column"): ".",
    ("table", "column"): ".",
    ("configuration", "configuration row"): "/",
}
