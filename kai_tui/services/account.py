"""What an account is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

AccountKind: TypeAlias = Literal["sandbox", "kai"]
ServiceFlavour: TypeAlias = Literal["agent", "assistant"]
TokenSource: TypeAlias = Literal["", "keyring", "environment", "file", "memory"]


@dataclass(frozen=True, slots=True)
class Account:
    """One place to talk to. Holds no secret."""

    id: str
    kind: AccountKind
    label: str
    """Project name, or "Sandbox"."""
    base_url: str = ""
    storage_url: str = ""
    service: ServiceFlavour | Literal[""] = "agent"
    """Empty: told by the server's answers (protocols/kai.md §1)."""
    project_id: str = ""
    token_from: TokenSource = ""


SANDBOX = Account("sandbox", "sandbox", "Sandbox")
