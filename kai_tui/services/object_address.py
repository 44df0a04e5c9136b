"""A page of Keboola's web interface that a chat can be about (`requestContext.path`, kai.md §4.3); pure.

Only the path of the page goes into a message. It must be a page of this account's own stack and
project: Kai reads it as one of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from kai_tui.backends.addresses import Origin
    from kai_tui.services.account import Account

LONGEST = 1_000
"""Characters of a path; pages have far shorter ones."""

_PATH = re.compile(r"/admin/projects/([1-9][0-9]{0,18})((?:/[A-Za-z0-9._~%!$&'()*+,;=:@-]+)*)/?")
_BRANCH = re.compile(r"/branch/([0-9]+)(?:/.*)?")


@dataclass(frozen=True, slots=True)
class ObjectAddress:
    """What an address leads to. Texts are raw."""

    path: str | None = None
    """What to send; None: not for this account, `why_not` says why."""
    why_not: str = ""
    branch: int | None = None
    """The development branch the page shows."""


def object_address(text: str, account: Account) -> ObjectAddress | None:
    """Read a pasted address. None: it is none of Keboola's pages, or more than an address."""
    from kai_tui.backends.addresses import parse_origin
    from kai_tui.backends.base import CannotConnect

    text = text.strip()
    if not text.startswith(("https://", "http://")) or len(text) > 2 * LONGEST:
        return None
    try:
        origin = parse_origin(text)
        path = urlsplit(text).path
    except (CannotConnect, ValueError):
        return None
    page = object_path(path, account)
    if page is None:
        return None
    own = _own_stack(account)
    if own != origin:
        known = f"this account is on {_said(own)}" if own is not None else "this account names no stack"
        return ObjectAddress(None, f"This page is on {_said(origin)}, {known}. It stays text.")
    return page


def object_path(path: str, account: Account) -> ObjectAddress | None:
    """Read the path of a page, `/admin/projects/1/…`. None: it is no such path."""
    match = _PATH.fullmatch(path)
    if match is None or len(path) > LONGEST or not all(map(_harmless, path.split("/")[1:])):
        return None
    project = _project(account)
    if project and match[1] != project:
        return ObjectAddress(
            None, f"This page is of project {match[1]}, this account is project {project}. It stays text."
        )
    branch = _BRANCH.fullmatch(match[2])
    return ObjectAddress(path.rstrip("/"), branch=int(branch[1]) if branch is not None else None)


def _harmless(segment: str) -> bool:
    """Whether a piece of a path stays a piece of it when it is decoded."""
    plain = unquote(segment, errors="replace")
    return plain not in (".", "..") and plain.isprintable() and not set("/\\") & set(plain)


def _said(origin: Origin) -> str:
    return origin.shown if origin.scheme == "https" else f"{origin.scheme}://{origin.shown}"


def _own_stack(account: Account) -> Origin | None:
    from kai_tui.backends.addresses import IN_PROCESS_HOST, Origin, parse_origin
    from kai_tui.backends.base import CannotConnect

    if account.kind == "sandbox":
        return Origin("https", IN_PROCESS_HOST, 443)  # where the links of its tools point
    try:
        return parse_origin(account.storage_url)
    except CannotConnect:
        return None


def _project(account: Account) -> str:
    if account.kind == "sandbox":
        from kai_tui.sandbox.company import PROJECT_ID

        return PROJECT_ID
    return account.project_id
