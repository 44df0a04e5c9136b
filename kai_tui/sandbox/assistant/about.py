"""“This table” in a message that came from a page of the web interface (`requestContext.path`, kai.md §4.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast
from urllib.parse import unquote

from kai_tui.sandbox.assistant.talk import text_of

Kind: TypeAlias = Literal["table", "bucket", "configuration", "flow", "job"]

_PAGE = re.compile(r"/admin/projects/\d+(?:/branch/\d+)?/(.+)")
_PAGES: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (re.compile(r"storage/(?P<bucket>[^/]+)/table/(?P<name>[^/]+)"), "table"),
    (re.compile(r"storage/(?P<name>(?:in|out)\.[^/]+)"), "bucket"),
    (re.compile(r"(?:components/keboola\.(?:flow|orchestrator)|flows)/(?P<name>[^/]+)"), "flow"),
    (re.compile(r"components/[^/]+/(?P<name>[^/]+)"), "configuration"),
    (re.compile(r"queue/(?P<name>\d+)"), "job"),
)
_KIND_WORDS: Mapping[Kind, str] = {
    "table": "table",
    "bucket": "bucket",
    "configuration": "config(?:uration)?",
    "flow": "flow",
    "job": "job",
}
_THIS_ALONE = re.compile(
    r"(?P<verb>\s*(?:please )?(?:describe|explain|show(?: me)?|open|tell me about|what(?:'s| is)))\s+this\s*[?.!]*\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a page shows."""

    kind: Kind
    name: str
    """As the rules understand it: the whole id of a table, the id of a configuration."""

    @property
    def phrase(self) -> str:
        """The object in a sentence."""
        if self.kind in ("table", "bucket", "job"):
            return f"{self.kind} {self.name}"
        return f"the {self.name} {self.kind}"


def subject_of(path: str) -> Subject | None:
    """What the page at `path` shows; None for pages that show no one thing."""
    page = _PAGE.fullmatch(unquote(path).rstrip("/"))
    if page is None:
        return None
    for pattern, kind in _PAGES:
        match = pattern.fullmatch(page[1])
        if match is not None:
            name = f"{match['bucket']}.{match['name']}" if kind == "table" else match["name"]
            return Subject(kind, name)
    return None


def meant_of(message: Mapping[str, Any]) -> str:
    """The text of a user's message, with the thing itself in the place of “this table” and the like."""
    text = text_of(message)
    subject = subject_of(_path(message))
    if subject is None:
        return text
    word = _KIND_WORDS[subject.kind]
    if subject.kind == "table":
        short = subject.name.rsplit(".", 1)[-1]
        counted = re.fullmatch(
            rf"\s*how many rows (?:(?:are (?:there )?)?in|does|has) this {word}(?: have)?\s*[?.!]*\s*",
            text,
            re.IGNORECASE,
        )
        if counted is not None:
            return f"How many {short}?"
    alone = _THIS_ALONE.fullmatch(text)
    if alone is not None:
        verb = "describe" if alone["verb"].lower().strip().startswith("what") else alone["verb"]
        return f"{verb} {subject.phrase}"
    return re.sub(rf"\b(?:this|the current) {word}\b", lambda _: subject.phrase, text, flags=re.IGNORECASE)


def _path(message: Mapping[str, Any]) -> str:
    metadata: Any = message.get("metadata")
    context: Any = (
        cast("Mapping[str, Any]", metadata).get("requestContext") if isinstance(metadata, dict) else None
    )
    path: Any = cast("Mapping[str, Any]", context).get("path") if isinstance(context, dict) else None
    return path if isinstance(path, str) else ""
