"""What a system is to the rest of the program: how an account of it is made, and how it is opened.

Each system's folder has a `system.py` with one `SYSTEM`; `systems.py` lists them, a line each. Light on
purpose: clients are imported inside the functions.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend, LocalChats
    from kai_tui.backends.secret import Secret

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers to choose from. Texts may be the server's: raw."""

    value: str
    label: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One question about an account."""

    name: str
    """Under which the answer is kept in `NewAccount.settings`; unique within a system."""
    label: str
    kind: Literal["text", "secret", "choice", "switch", "lines"] = "text"
    """`switch` answers "yes" or "no"; `lines` is a text of several lines, empty allowed when not required."""
    help: str = ""
    """One sentence below the field: what it is for, where to find it."""
    example: str = ""
    default: str = ""
    """What stands there at first; for a choice its value."""
    choices: tuple[Choice, ...] = ()
    required: bool = True


class Guide(Protocol):
    """Asks the user, one field after the other, and shows what is checked on the way.

    May be run through again from its beginning, with the answers and checks so far given back at once:
    that is how a step back works. So an interview does nothing outside `ask`, `ask_until` and `check`
    that it could not do twice. Leaving cancels the interview.
    """

    async def ask(self, question: Field) -> str:
        """The answer; without white space around it, unless it has `lines`. A required one is not empty."""
        ...

    async def ask_until(self, question: Field, doing: str, check: Callable[[str], Awaitable[T]]) -> T:
        """Ask, then `check` the answer, said as `doing` ("asking the server"). While the check raises a
        BackendError its sentence is shown at the field, which keeps what was typed, and is asked again."""
        ...

    async def check(self, doing: str, work: Callable[[], Awaitable[T]]) -> T:
        """Do something on the way, shown while it runs and with a tick after. Raises what `work` raises."""
        ...

    def tell(self, line: str) -> None:
        """A fact that was found, for the user to see: "3 agents", "signed in as …". Foreign text is raw."""
        ...


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What an interview found out: all that is needed to open the account again."""

    label: str
    """A name to propose. Raw."""
    address: str
    """Where it is, for the user to see."""
    settings: Mapping[str, str]
    """The answers by field name, and whatever else `open` needs. No secrets (S6)."""
    secret: Secret | None = field(repr=False)
    """Goes to the keyring; several secrets are one JSON text, an object of strings. None where nothing is secret."""


class Memory(Protocol):
    """What a backend keeps for itself between runs, in its account's store. Never raises."""

    @property
    def chats(self) -> LocalChats:
        """The chats kept on this computer, for systems whose servers keep none."""
        ...

    async def recall(self, name: str) -> str | None:
        """What was kept under this name. No secrets."""
        ...

    async def keep(self, name: str, value: str | None) -> None:
        """Keep a text under this name; None forgets it. What is of a chat is its baggage (`chats`)."""
        ...

    async def secret(self) -> Secret | None:
        """The account's secret as it is kept now: another window may have renewed it."""
        ...

    async def keep_secret(self, secret: Secret) -> None:
        """The account's secret changed by itself (a renewed sign-in): keep the new one where the old one was.
        An empty one: there is none any more."""
        ...

    async def alone(self) -> bool:
        """Whether no other window has this account open: what an earlier run left behind is nobody's then."""
        ...


class Interview(Protocol):
    """Asks for everything an account needs, with live checks."""

    async def __call__(
        self, guide: Guide, settings: Mapping[str, str], secret: Secret | None = None
    ) -> NewAccount:
        """`settings` and `secret` are those of an account that is edited, empty for a new one: defaults of
        the fields, and what an empty answer for a secret keeps. Raises BackendError when it cannot go on."""
        ...


@dataclass(frozen=True, slots=True)
class System:
    """A kind of assistant."""

    kind: str
    """As in accounts on disk; never changes."""
    title: str
    """Its name on the screen."""
    about: str
    """One line for whoever chooses: what it is, and what is needed to sign in."""
    interview: Interview
    identity: Callable[[Mapping[str, str]], tuple[str, ...]]
    """What makes an account of these settings another one than others of its kind: the address above all, and
    user or organisation where they are known. A credential goes nowhere else than where it was kept for (T14)."""
    open: Callable[[Mapping[str, str], Secret | None, Memory], Awaitable[Backend]]
    """Make the backend of an account; nothing is sent yet. Raises BackendError for settings that cannot work."""
    short: str = ""
    """For the margin beside its answers, nine letters at most; empty: the title."""
    chats_here: bool = False
    """Its servers keep no chats: they are on this computer and nowhere else."""
    lacks: tuple[str, ...] = ()
    """What it cannot do that others can, a sentence each, for the help and the about panel."""
