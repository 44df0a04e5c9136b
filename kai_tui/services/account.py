"""What an account is."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

AccountKind: TypeAlias = str
"""`sandbox`, `kai`, or a key of `backends.systems.SYSTEMS`."""
ServiceFlavour: TypeAlias = Literal["agent", "assistant"]
TokenSource: TypeAlias = Literal["", "keyring", "environment", "file", "memory"]

ACCOUNT_COLOURS = ("blue", "green", "yellow", "red", "magenta", "cyan")
"""Marks a user may give an account; each theme has its own shade of them."""
MAIN = "main"
"""How the main branch is called on every screen."""


def branch_number(text: str) -> int | None:
    """A branch as somebody typed it: None (main) for an empty text. Raises ValueError with a sentence."""
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text) > 0):
        raise ValueError("A branch is a number, as in the address of its page. Empty means main.")
    return int(text)


class Account(NamedTuple):
    """One place to talk to. Holds no secret."""

    id: str
    kind: AccountKind
    label: str
    """Project name, "Sandbox", or the user's own word for it. Raw."""
    base_url: str = ""
    storage_url: str = ""
    service: ServiceFlavour | Literal[""] = "agent"
    """Empty: told by the server's answers (protocols/kai.md §1)."""
    project_id: str = ""
    token_from: TokenSource = ""
    branch_id: int | None = None
    """The development branch all work goes to; None: the main branch."""
    branch_name: str = ""
    """As the stack named it. Raw."""
    user_id: str = ""
    """The person its token belongs to, when the stack says so."""
    workspace_id: str = ""
    """The workspace Kai's queries are pinned to (kai.md §2); empty: Kai chooses."""
    settings: Mapping[str, str] = MappingProxyType({})
    """What another system than Kai needs to be opened (`NewAccount.settings`)."""
    colour: str = ""
    """The user's mark for it: a name of `ACCOUNT_COLOURS`, or empty."""
    named: bool = False
    """Whether the label is the user's own word."""

    @property
    def branch(self) -> str:
        """The branch in words, raw: `main`, or name and number of a development branch.

        With the number, because a development branch may be called "main" too.
        """
        if self.branch_id is None:
            return MAIN
        return f"{self.branch_name} ({self.branch_id})" if self.branch_name else str(self.branch_id)


SANDBOX = Account("sandbox", "sandbox", "Sandbox")
