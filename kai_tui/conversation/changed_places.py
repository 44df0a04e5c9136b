"""Where one can look at what a call changed: the addresses its answer gives (keboola-tools.md §2)."""

from __future__ import annotations

from typing import Any, Final, cast

from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.messages import ToolPart
from kai_tui.conversation.tool_results import Link, answer_of
from kai_tui.conversation.tools import risk

_URLS: Final = (("url", "Open it"), ("deployment_url", "Open the app"), ("repo_url", "Repository"))
"""Fields that hold an address to look at. `git_clone_url` is none: it holds a secret."""
_INSIDE: Final = ("deployment_info", "data_app", "job")
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
