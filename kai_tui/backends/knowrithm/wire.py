"""What goes over the wire to Knowrithm and back (knowrithm.md). Read tolerantly: no server code is public.

An object may come bare, under its name or under `data`, and `data` may be JSON inside a string; a list likewise.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Final, TypeAlias, TypeVar, cast

from pydantic import BeforeValidator, Field

from kai_tui.backends.tolerant import Count, Fields, Flag, Number, Rows, SnakeModel, Text, read_rows
from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.json_text import BadJson, decode_json

M = TypeVar("M", bound=SnakeModel)

_WRAPPERS: Final = ("data", "result", "response")


def _as_id(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Id: TypeAlias = Annotated[str, BeforeValidator(_as_id)]
"""A row without one is left out."""


class AgentRow(SnakeModel):
    """§6."""

    id: Id
    name: Text = None
    description: Text = None
    status: Text = None
    model_name: Text = None


class ConversationRow(SnakeModel):
    """§7, §8."""

    id: Id
    title: Text = None
    status: Text = None
    agent: Fields = None
    agent_id: Text = None
    message_count: Count = None
    last_activity: Text = None
    created_at: Text = None
    updated_at: Text = None


class MessageRow(SnakeModel):
    """§8. `sources` are called `citations` in one place of the documents."""

    id: Text = None
    role: Text = None
    content: Any = None
    created_at: Text = None
    model_used: Text = None
    processing_time: Number = None
    tokens_used: Count = None
    confidence_score: Number = None
    user_feedback: Count = None
    sources: Rows = Field(default_factory=list[Any])
    citations: Rows = Field(default_factory=list[Any])
    metadata: Fields = None

    @property
    def text(self) -> str:
        """The content as prose; what is no text is shown as JSON."""
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        return json.dumps(self.content, ensure_ascii=False, indent=2)

    @property
    def answers(self) -> bool:
        """Whether this can be an answer: whole, and not of the user's own."""
        return (self.role or "assistant").lower() == "assistant" and self.content is not None


class DocumentRow(SnakeModel):
    """§9."""

    id: Id
    original_filename: Text = None
    filename: Text = None
    name: Text = None
    url: Text = None
    status: Text = None
    processing_error: Text = None
    document_type: Text = None
    file_size: Count = None
    created_at: Text = None


class WebsiteRow(SnakeModel):
    """A website an agent reads (the module `website` of `knowrithm-py`, and the documents' "Website awareness")."""

    id: Id
    agent_id: Text = None
    base_url: Text = None
    url: Text = None
    domain: Text = None
    last_crawl_status: Text = None
    status: Text = None
    last_crawl_completed_at: Text = None
    last_error: Text = None
    max_pages: Count = None
    max_depth: Count = None
    is_active: Flag = None


class PageRow(SnakeModel):
    """A page of such a website."""

    id: Id
    canonical_url: Text = None
    url: Text = None
    path: Text = None
    title: Text = None
    last_crawl_status: Text = None
    status: Text = None
    last_http_status: Count = None


class Pagination(SnakeModel):
    """§8."""

    page: Count = None
    pages: Count = None
    total: Count = None
    has_next: Flag = None


def opened(value: Any) -> Any:
    """A value that may be JSON inside a string (§4); any other text stays text."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return decode_json(value)
        except BadJson:
            return value
    return value


def objects(body: Any, depth: int = 2) -> list[JsonObject]:
    """The body and what it wraps, outermost first: where a field may be found."""
    value = opened(body)
    if not isinstance(value, dict):
        return []
    found = [cast("JsonObject", value)]
    if depth:
        for name in _WRAPPERS:
            found += objects(found[0].get(name), depth - 1)
    return found


def rows_of(model: type[M], body: Any, *names: str) -> list[M]:
    """The rows of a list, under one of these names, under `data`, or bare."""
    return read_rows(model, _list(opened(body), names, 2))


def _list(value: Any, names: Sequence[str], depth: int) -> list[Any]:
    if isinstance(value, list):
        return cast("list[Any]", value)
    if not isinstance(value, dict) or depth < 0:
        return []
    fields = cast("JsonObject", value)
    for name in (*names, *_WRAPPERS):
        inner = opened(fields.get(name))
        if isinstance(inner, list):
            return cast("list[Any]", inner)
        found = _list(inner, names, depth - 1)
        if found:
            return found
    return []


def one_of(model: type[M], body: Any, name: str) -> M | None:
    """One object, under its name, under `data`, or bare; None when none of them has an id."""
    for each in objects(body):
        inner = opened(each.get(name))
        found = read_rows(model, [inner] if isinstance(inner, dict) else []) or read_rows(model, [each])
        if found:
            return found[0]
    return None


def text_of(body: Any, *names: str) -> str:
    """The first text under one of these names, in the body or in what it wraps; empty when there is none."""
    for each in objects(body):
        for name in names:
            value = each.get(name)
            if isinstance(value, str) and value:
                return value
            if isinstance(value, int) and not isinstance(value, bool):
                return str(value)
    return ""


def further_page(body: Any, page: int, rows: int, per_page: int) -> bool:
    """Whether a list goes on behind this page; a full page of a list that does not say so counts as yes."""
    found = pagination(body)
    if found is None:
        return rows >= per_page
    if found.has_next is not None:
        return found.has_next
    if found.pages is not None:
        return page < found.pages
    return rows >= per_page


def pagination(body: Any) -> Pagination | None:
    """What a list says about its pages, when it says anything."""
    for each in objects(body):
        inner = each.get("pagination")
        if isinstance(inner, dict):
            return next(iter(read_rows(Pagination, [inner])), None)
    return None


def chronological(rows: Sequence[MessageRow]) -> list[MessageRow]:
    """By time when every row has one, for the order of pages is not specified (§5); each message once."""
    by_id: dict[str, MessageRow] = {}
    for number, row in enumerate(rows):
        by_id[row.id or f"row {number}"] = row
    once = list(by_id.values())
    if all(row.created_at for row in once):
        once.sort(key=lambda row: row.created_at or "")
    return once
