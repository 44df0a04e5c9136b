"""Circumstances that can be chosen for a running sandbox: who the user is, how much quota is left.

They last as long as the sandbox runs, so that nobody is locked out of a project for good.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from kai_tui.sandbox.refusals import Refusal

JsonObject: TypeAlias = dict[str, Any]
Role: TypeAlias = Literal["admin", "guest"]

COMMANDS = (
    ("/demo quota", "the month's quota is used up: messages are refused until `/demo quota off`"),
    ("/demo quota 85", "85 % of the month's quota is used"),
    ("/demo guest", "you are no admin: the project's instructions cannot be changed (`/demo admin` ends it)"),
)
_QUOTA = re.compile(r"/demo quota(?: (off|\d{1,3}) ?%?)?")
_ROLE = re.compile(r"/demo (guest|admin)")
USED_UP = "You have exceeded your maximum number of messages for this month."


@dataclass(slots=True)
class Modes:
    """What was chosen."""

    role: Role = "admin"
    percent: int | None = None
    """How much of the quota is used, whatever was really sent; None: what was."""

    def usage(self, counted: JsonObject) -> JsonObject:
        """The answer to GET /api/usage."""
        if self.percent is None:
            return counted
        return counted | {"messagesUsed": counted["messagesLimit"] * self.percent // 100}

    def check_role(self) -> None:
        """Raises Refusal for what only admins and managers of the project may (kai.md §4.12)."""
        if self.role == "guest":
            raise Refusal("forbidden", "settings", "Only project admins can change project settings.")

    def command(self, text: str) -> str | None:
        """Carry out a `/demo` command about the circumstances; what to say to it, None for other texts.

        Raises Refusal for every text while the quota is used up, except for the commands that change that.
        """
        said = " ".join(text.lower().split())
        quota, role = _QUOTA.fullmatch(said), _ROLE.fullmatch(said)
        if quota is not None:
            what = quota[1]
            self.percent = None if what == "off" else min(int(what), 100) if what else 100
            if what == "off":
                return "The quota is counted as usual again."
            if what:
                return f"{self.percent} % of this month's quota counts as used. `/demo quota off` ends it."
        if self.percent is not None and self.percent >= 100:
            raise Refusal("rate_limit", "chat", USED_UP)
        if role is not None:
            self.role = "guest" if role[1] == "guest" else "admin"
            return (
                "You are a guest of this project now: its instructions are not yours to change. `/demo admin` ends it."
                if self.role == "guest"
                else "You are an admin of this project again."
            )
        return None
