"""The second step of signing in: on which branch of the project, and in which workspace, Kai works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from kai_tui.services.account import MAIN, branch_number

if TYPE_CHECKING:
    from kai_tui.backends.kai.branches import Branch

NAME_COLUMN = 26


@dataclass(frozen=True, slots=True)
class ChosenBranch:
    """Where the work goes. `id` None: the main branch."""

    id: int | None = None
    name: str = ""
    workspace_id: str = ""


class BranchChoice(Vertical):
    """A list with main chosen already, or a field for a number where the stack gives no list."""

    DEFAULT_CSS = """
    BranchChoice { height: auto; display: none; }
    BranchChoice.-shown { display: block; }
    BranchChoice #branch-list {
        height: auto; max-height: 7; border: none; padding: 0; background: $surface; display: none;
    }
    BranchChoice #branch-number { display: none; }
    BranchChoice.-listed #branch-list, BranchChoice.-typed #branch-number { display: block; }
    """

    def __init__(self) -> None:
        super().__init__(id="branch-choice")
        self._branches: Sequence[Branch] = ()

    def compose(self) -> ComposeResult:
        yield Static(id="branch-label", classes="label", markup=False)
        yield OptionList(id="branch-list", markup=False)
        yield Input(placeholder="empty: main", id="branch-number", max_length=18)
        yield Static("Workspace for Kai's queries (optional)", classes="label", markup=False)
        yield Input(placeholder="empty: Kai's own", id="workspace", max_length=100)

    def ask(self, branches: Sequence[Branch] | None) -> None:
        """Offer these development branches beside main; None: the stack does not list them."""
        self._branches = branches or ()
        self.set_class(branches is not None, "-listed")
        self.set_class(branches is None, "-typed")
        self.add_class("-shown")
        label = self.query_one("#branch-label", Static)
        if branches is None:
            label.update("The branches cannot be listed. Type the number of one, or leave it empty for main.")
            self.query_one("#branch-number").focus()
            return
        label.update("Branch: what Kai reads and changes")
        options = self.query_one(OptionList)
        options.set_options(self._options())
        options.highlighted = 0
        options.focus()

    def put_away(self) -> None:
        """The first step again."""
        self.remove_class("-shown", "-listed", "-typed")

    def chosen(self) -> ChosenBranch:
        """What is chosen now. Raises ValueError with a sentence for something that is no branch."""
        workspace = self.query_one("#workspace", Input).value.strip()
        if workspace and not (workspace.isascii() and workspace.isprintable() and " " not in workspace):
            raise ValueError("A workspace is a number or a short word without spaces.")
        if self.has_class("-typed"):
            return ChosenBranch(branch_number(self.query_one("#branch-number", Input).value), "", workspace)
        place = self.query_one(OptionList).highlighted or 0
        if place == 0:
            return ChosenBranch(None, "", workspace)
        branch = self._branches[place - 1]
        return ChosenBranch(branch.id, branch.name, workspace)

    def _options(self) -> list[Option]:
        from kai_tui.conversation.safe_text import safe_line

        options = [_option(MAIN, "", "what everybody in the project works with")]
        for branch in self._branches:
            name = safe_line(branch.name, NAME_COLUMN - 2) or "without a name"
            options.append(_option(name, str(branch.id), safe_line(branch.description, 60)))
        return options


def _option(name: str, number: str, about: str) -> Option:
    from rich.cells import cell_len

    gap = " " * max(2, NAME_COLUMN - cell_len(name))
    aside = f"{gap}{number}  {about}" if number else f"{gap}{about}"
    return Option(Content.assemble((name, "bold"), (aside.rstrip(), "$text-muted not bold")))
