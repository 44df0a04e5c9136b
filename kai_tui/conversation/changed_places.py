"""Where one can look at what a call changed: the addresses its answer gives (keboola-tools.md §2), or, where it gives
none, those that earlier answers of the chat gave of the same things. None is made up here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, cast
from urllib.parse import unquote, urlsplit

from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.conversation.tool_results import Link, answer_of, result_links
from kai_tui.conversation.tools import risk

_URLS: Final = (("url", "Open it"), ("deployment_url", "Open the app"), ("repo_url", "Repository"))
"""Fields that hold an address to look at. `git_clone_url` is none: it holds a secret."""
_INSIDE: Final = ("deployment_info", "data_app", "job")
_LOOKS: Final = frozenset(
    {"get_project_info", "get_buckets", "get_tables", "get_bucket_detail", "get_table_detail"}
)
_MOST_LOOKS: Final = 50
_LONGEST: Final = 4_000
"""Characters of an address; longer ones are no use to anybody."""


def places(part: ToolPart) -> list[Link]:
    """Of a call that wrote and is done, the details before the overviews; nothing for others. Raw."""
    if part.state != "output-available" or part.preliminary or risk(part.tool_name) == "reads":
        return []
    answer, failed = answer_of(part.output)
    if failed:
        return []
    if isinstance(answer, str):
        # `create_oauth_url` answers with nothing but the address.
        text = answer.strip()
        return [Link("Authorize", text)] if part.tool_name == "create_oauth_url" and _usable(text) else []
    if not isinstance(answer, dict):
        return []
    fields = cast("JsonObject", answer)
    if fields.get("_declined") is True:
        return []
    found = [*_listed(fields), *_named(fields)]
    unique: dict[str, Link] = {}
    for link in found:
        unique.setdefault(link.url, link)
    return list(unique.values())


def seen_places(messages: Sequence[Message], part: ToolPart) -> list[Link]:
    """Of a call that changed descriptions: their buckets and tables (or the project), as far as the chat led there."""
    ends = dict.fromkeys(_ends(part))
    if not ends or part.state != "output-available" or part.preliminary:
        return []
    found: dict[str, Link] = {}
    for call in _looks(messages):
        for link in result_links(call.output):
            end = _end_of(link.url)
            if end in ends and end not in found and _usable(link.url):
                found[end] = link
        if len(found) == len(ends):
            break
    return [found[end] for end in ends if end in found]


def _ends(part: ToolPart) -> Iterator[str]:
    """How the addresses of what was described end, in the web interface."""
    if part.tool_name == "update_project_description":
        yield "dashboard"
    if part.tool_name != "update_descriptions" or not isinstance(part.input, dict):
        return
    updates: Any = cast("JsonObject", part.input).get("updates")
    for update in cast("list[Any]", updates) if isinstance(updates, list) else []:
        item: Any = cast("JsonObject", update).get("item_id") if isinstance(update, dict) else None
        pieces = item.split(".") if isinstance(item, str) else []
        if len(pieces) == 2:
            yield f"storage/{pieces[0]}.{pieces[1]}"
        elif len(pieces) > 2:
            yield f"storage/{pieces[0]}.{pieces[1]}/table/{pieces[2]}"


def _looks(messages: Sequence[Message]) -> Iterator[ToolPart]:
    """The newest calls first that looked at buckets, tables or the project."""
    number = 0
    for message in reversed(messages):
        for part in reversed(message.tool_calls()):
            if part.tool_name in _LOOKS and part.state == "output-available":
                yield part
                number += 1
                if number >= _MOST_LOOKS:
                    return


def _end_of(url: str) -> str:
    try:
        path = unquote(urlsplit(url).path).rstrip("/")
    except ValueError:
        return ""
    storage = path.rfind("/storage/")
    return path[storage + 1 :] if storage >= 0 else path.rsplit("/", 1)[-1]


def _listed(fields: JsonObject) -> list[Link]:
    """`links`, without those to documentation; pages that show one thing come first."""
    raw = fields.get("links")
    ranked: list[tuple[bool, Link]] = []
    for item in cast("list[Any]", raw) if isinstance(raw, list) else []:
        if not isinstance(item, dict):
            continue
        link = cast("JsonObject", item)
        url, title, kind = link.get("url"), link.get("title"), link.get("type")
        if isinstance(url, str) and _usable(url) and kind != "docs":
            name = title.strip() if isinstance(title, str) else ""
            ranked.append((kind == "ui-dashboard", Link(name or url, url)))
    return [link for _, link in sorted(ranked, key=lambda each: each[0])]


def _named(fields: JsonObject) -> list[Link]:
    found: list[Link] = []
    for each in (fields, *(fields.get(name) for name in _INSIDE)):
        if not isinstance(each, dict):
            continue
        for name, title in _URLS:
            url = cast("JsonObject", each).get(name)
            if isinstance(url, str) and _usable(url):
                found.append(Link(title, url))
    return found


def _usable(url: str) -> bool:
    return url.lower().startswith(("https://", "http://")) and len(url) <= _LONGEST
