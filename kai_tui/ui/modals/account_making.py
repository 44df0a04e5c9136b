"""From an interview to an account: whose it is, its name and colour, and where its secret is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kai_tui.backends.system import Choice, Field, Guide, NewAccount
from kai_tui.services.account import ACCOUNT_COLOURS, Account

if TYPE_CHECKING:
    from kai_tui.backends.secret import Secret
    from kai_tui.backends.system import System
    from kai_tui.services.account_secrets import Keep
    from kai_tui.services.account_service import AccountService

_COLOUR_HELP = "It marks this account in the header, in the status line and where a change is asked about."
_WHERE = (
    Choice("memory", "Only this session", "it is asked for again after you quit"),
    Choice("file", "Private file (0600)", "only you can read it, and programs that run as you"),
)


class Making:
    """What a guided dialog asks, from the first question to the kept account."""

    def __init__(
        self,
        accounts: AccountService,
        system: System,
        account: Account | None,
        secret: Secret | None,
        explain: Callable[[str], None],
        *,
        renews: bool,
    ) -> None:
        """`explain`: a sentence for the next question."""
        self._accounts = accounts
        self._system = system
        self._account = account
        self.secret = secret
        self._explain = explain
        self._renews = renews
        self.keeping = False
        """Whether something is being written: that is not broken off."""

    async def whole(self, guide: Guide) -> Account:
        """Everything that is asked, to the end: the account as it is kept."""
        settings = self._account.settings if self._account is not None else dict[str, str]()
        found = await self._system.interview(guide, settings, self.secret)
        target = await self._target(guide, await self._accounts.known(self._system.kind, found))
        label, colour = found.label, ""
        if target is not None:
            label, colour = (target.label if target.named else found.label), target.colour
        if not self._renews or target is not self._account:
            label = await guide.ask(
                Field("@label", "Name of this account", help="As you will see it in the list.", default=label)
            )
            colour = await guide.ask(colour_question(colour))
        keep: Keep | None = None
        while (account := await self._kept(guide, found, target, (label, colour), keep)) is None:
            keep = await self._where(guide)
        return account

    async def _target(self, guide: Guide, known: Account | None) -> Account | None:
        """The account that gets what was found out; None for a new one."""
        edited = self._account
        if edited is None:
            if known is not None:
                guide.tell(f"This account is here already, as “{known.label}”. It gets what you entered.")
            return known
        if known is not None and known.id == edited.id:
            return edited
        does = "Add it as an account of its own" if known is None else f"Change “{known.label}” instead"
        await guide.ask(
            Field(
                "@another",
                "This is another account",
                "choice",
                help=f"What you entered is of another server or user than “{edited.label}”, which stays as it is.",
                default="yes",
                choices=(Choice("yes", does),),
            )
        )
        return known

    async def _kept(
        self,
        guide: Guide,
        found: NewAccount,
        target: Account | None,
        marks: tuple[str, str],
        keep: Keep | None,
    ) -> Account | None:
        """None when the secret cannot be kept there; why is the problem of the next question."""
        from kai_tui.storage.credential_errors import CredentialsUnavailable

        async def work() -> Account:
            self.keeping = True
            try:
                account = await self._save(found, target, keep)
                account = await self._accounts.rename(account, marks[0])
                if marks[1] != account.colour:
                    account = await self._accounts.set_colour(account, marks[1])
                return account
            finally:
                self.keeping = False

        try:
            return await guide.check("keeping the account", work)
        except CredentialsUnavailable as error:
            self._explain(f"{error.sentence} What you typed is right.")
            return None

    async def _save(self, found: NewAccount, target: Account | None, keep: Keep | None) -> Account:
        if target is not None and target is self._account:
            account = await self._accounts.edit(target, found, keep=keep)
            if isinstance(account, Account):
                return account
        return await self._accounts.add(self._system.kind, found, keep=keep or "keyring")

    async def _where(self, guide: Guide) -> Keep:
        answer = await guide.ask(
            Field("@where", "Where to keep the secret", "choice", default="memory", choices=_WHERE)
        )
        return "file" if answer == "file" else "memory"


def colour_question(colour: str) -> Field:
    """Which mark an account gets."""
    from kai_tui.ui.colour_marks import mark

    choices = (Choice("", "none"), *(Choice(each, f"{mark(each)} {each}") for each in ACCOUNT_COLOURS))
    return Field("@colour", "Colour", "choice", help=_COLOUR_HELP, default=colour, choices=choices)
