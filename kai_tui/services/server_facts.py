"""What is known about the server, as rows of a table: for the about panel and for support (kai.md §4.1, §4.2).

Values are raw: whatever a server says about itself is shown, also what nobody has heard of yet.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from kai_tui.services.account import Account, TokenSource
from kai_tui.services.naming import assistant_name, lacks_of
from kai_tui.services.quota_words import quota_line

if TYPE_CHECKING:
    from kai_tui.backends.base import Quota, ServerInfo
    from kai_tui.services.health import Pulse

LIVE = ("Running for", "MCP server", "Quota")
"""Rows that are only true while the server answers."""
LONGEST_VALUE = 2_000
"""Characters of one value that are shown; what is left out is counted."""
MOST_FIELDS = 200

_TOKEN_FROM: Mapping[TokenSource, str] = {
    "": "none is needed",
    "keyring": "from the keyring of this computer",
    "environment": "from the environment (STORAGE_API_TOKEN)",
    "file": "from a file only you can read",
    "memory": "typed in for this session, kept nowhere",
}
_LIMITS = (10**9, 24, 60, 60)
"""Of days, hours, minutes and seconds, how many make the next bigger unit."""
_KNOWN = ("timestamp", "uptime", "appName", "appVersion", "serverVersion", "connectedMcp")


@dataclass(frozen=True, slots=True)
class Fact:
    """One row. Both texts are raw."""

    label: str
    value: str
    foreign: bool = False
    """Whether the label is the server's word too."""


def server_facts(
    account: Account, info: ServerInfo | None, quota: Quota | None, agent: str = ""
) -> list[Fact]:
    """Who answers, since when, where, with what; what it lacks; then everything else the server says.

    `agent`: whom the chat is with, where there are several. Raw.
    """
    facts: list[Fact] = []
    details: Mapping[str, Any] = info.details if info is not None else {}
    if info is not None:
        name = f"{info.name} ({info.service})" if info.name and info.name != info.service else info.service
        facts.append(Fact("Assistant", name))
        facts.append(Fact("Agent", agent))
        facts += _versions(info)
        uptime = details.get("uptime")
        if isinstance(uptime, int | float) and not isinstance(uptime, bool):
            words = duration_words(uptime)
            facts += [Fact("Running for", words)] if words else []
    if account.kind == "sandbox":
        facts.append(Fact("Address", "in this program; nothing goes over a network"))
    elif account.kind != "kai":
        facts.append(Fact("Address", (info.address if info is not None else "") or account.base_url))
        facts.append(Fact("Account", account.label))
        facts.append(Fact("System", assistant_name(account)))
    else:
        facts.append(Fact("Address", (info.address if info is not None else "") or account.base_url))
        facts.append(Fact("Stack", account.storage_url))
        project = f"{account.label} ({account.project_id})" if account.project_id else account.label
        facts.append(Fact("Project", project))
        facts.append(Fact("Branch", account.branch))
        facts.append(Fact("Workspace", account.workspace_id or "Kai's choice"))
    if account.kind in ("kai", "sandbox"):
        facts.append(Fact("Token", _TOKEN_FROM[account.token_from]))
    elif account.token_from:
        facts.append(Fact("Credential", _TOKEN_FROM[account.token_from]))
    if quota is not None:
        facts.append(Fact("Quota", quota_line(quota)))
    facts += [Fact("Limits" if number == 0 else "", each) for number, each in enumerate(lacks_of(account))]
    facts += [Fact("MCP server", words) for words in mcp_servers(details.get("connectedMcp"))]
    others = [name for name in details if name not in _KNOWN]
    facts += [Fact(name, value_words(details[name]), foreign=True) for name in others[:MOST_FIELDS]]
    if len(others) > MOST_FIELDS:
        facts.append(Fact("And more", f"{len(others) - MOST_FIELDS:,} further fields"))
    return [fact for fact in facts if fact.value]


def _versions(info: ServerInfo) -> list[Fact]:
    app, server = (info.details.get(name) for name in ("appVersion", "serverVersion"))
    if app and server and app != server:
        return [Fact("Version", f"{app} (server {server})")]
    return [Fact("Version", str(app or server or info.version))]


def mcp_servers(value: Any) -> list[str]:
    """One line per connected MCP server. A list or one object, with names, addresses, or whatever it is."""
    if value is None:
        return []
    if isinstance(value, list):
        rows = cast("list[Any]", value)
        lines = [_mcp(row) for row in rows[:MOST_FIELDS]]
        return [*lines, *([f"{len(rows) - MOST_FIELDS:,} more"] if len(rows) > MOST_FIELDS else [])]
    if isinstance(value, dict):
        named = cast("dict[str, Any]", value)
        if named and all(isinstance(each, dict) for each in named.values()):
            return [_mcp({"name": name, **each}) for name, each in list(named.items())[:MOST_FIELDS]]
    return [_mcp(value)]


def _mcp(row: Any) -> str:
    if not isinstance(row, dict):
        return value_words(row)
    fields = dict(cast("dict[str, Any]", row))
    name = fields.pop("name", None)
    url = fields.pop("url", None)
    status = fields.pop("status", None)
    shown = [value_words(each) for each in (name, url, status) if each is not None]
    more = [f"{key}: {value_words(each)}" for key, each in fields.items()]
    return _cut(" · ".join([*shown, *more])) or "(it says nothing about itself)"


def value_words(value: Any) -> str:
    """A JSON value on as many lines as it needs."""
    if isinstance(value, str):
        return _cut(value)
    try:
        return _cut(json.dumps(value, ensure_ascii=False))
    except (TypeError, ValueError, RecursionError):
        return "(cannot be shown)"


def _cut(text: str) -> str:
    if len(text) <= LONGEST_VALUE:
        return text
    return f"{text[:LONGEST_VALUE]}… ({len(text) - LONGEST_VALUE:,} characters more)"


def duration_words(seconds: float) -> str:
    """`3 days 4 hours`, `5 minutes`; the two biggest units. Empty for what is no duration."""
    if not math.isfinite(seconds) or seconds < 0 or seconds > 1e11:
        return ""
    units = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    counts = [
        (int(seconds) // size % limit, name) for (name, size), limit in zip(units, _LIMITS, strict=True)
    ]
    first = next((place for place, (count, _) in enumerate(counts) if count), None)
    if first is None:
        return "less than a second"
    shown = [each for each in counts[first : first + 2] if each[0]]
    return " ".join(f"{count:,} {name}{'' if count == 1 else 's'}" for count, name in shown)


def clock_words(pulse: Pulse) -> str:
    """How far this computer's clock is from the server's; empty when that is not worth a word."""
    if not pulse.clocks_differ or pulse.ahead is None:
        return ""
    way = "ahead of" if pulse.ahead > 0 else "behind"
    return f"This computer's clock is {duration_words(abs(pulse.ahead))} {way} the server's."


def health_words(host: str, pulse: Pulse) -> str:
    """Whether it answers, and how fast."""
    if pulse.failure is not None:
        return pulse.failure.sentence
    took = pulse.seconds * 1000
    speed = f"{took:.0f} ms" if took >= 1 else "less than a millisecond"
    return f"{host} answers in {speed if took < 10_000 else f'{pulse.seconds:.0f} s'}."


def facts_text(version: str, health: str, facts: list[Fact]) -> str:
    """All of it as text, for support."""
    lines = [f"kai-tui {version}", health]
    lines += [f"{fact.label}: {fact.value}" for fact in facts]
    return "\n".join(line for line in lines if line)
