"""How the program was started: what the command line and the environment decided."""

from __future__ import annotations

from typing import Literal, NamedTuple

from kai_tui.services.account import Account


class LaunchOptions(NamedTuple):
    """What to open at once (design.md §5). Holds no secret."""

    account: Account | None = None
    """`--account`: open this one."""
    sandbox: bool = False
    """`--sandbox`: open the built-in sandbox, ask nothing."""
    base_url: str | None = None
    """`--base-url` or `KAI_BASE_URL`: talk to this Kai address."""
    storage_url: str | None = None
    """`STORAGE_API_URL`: the stack."""
    service: Literal["agent", "assistant"] | None = None
    """`KAI_SERVICE`; None lets discovery choose."""
    branch_id: int | None = None
    """`KAI_BRANCH_ID`, for an account of the environment; None: the main branch."""
    token_in_environment: bool = False
    """Whether `STORAGE_API_TOKEN` is set; its value never comes here."""

    @property
    def from_environment(self) -> bool:
        """Whether the account of the environment is opened at once."""
        return not self.sandbox and bool(self.base_url or (self.token_in_environment and self.storage_url))
