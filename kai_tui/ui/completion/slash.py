"""The rows behind a `/` at the start of the prompt: commands, then what may stand behind one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from kai_tui.ui.completion.commands import Command, ranked
from kai_tui.ui.completion.fuzzy import fit
from kai_tui.ui.widgets.popover import PopoverRow

if TYPE_CHECKING:
    from textual import events

    from kai_tui.ui.completion.desk import Way
    from kai_tui.ui.widgets.composer import Composer

_RUNS = "↑↓ · Tab completes · Enter runs it · Esc"


class Choice(NamedTuple):
    """What may stand behind a command. Raw."""

    word: str
    note: str = ""


class SlashOffer:
    """Commands that begin like the prompt, or the words behind one."""

    title = ""
    empty = ""
    step: int = 0

    def __init__(
        self,
        composer: Composer,
        commands: Sequence[Command],
        choices: Callable[[Command], Sequence[Choice]],
        run: Callable[[str], None],
    ) -> None:
        self._composer = composer
        self._commands = commands
        self._choices = choices
        self._run = run
        self._texts: Sequence[str] = ()
        """What the prompt would be with each row."""
        self._goes_on: Sequence[bool] = ()
        """Whether something has to follow it."""
        self._sends: Sequence[bool] = ()
        """Whether running it sends it as a message."""
        self.rows: Sequence[PopoverRow] = ()
        self.hint = _RUNS

    def follow(self) -> bool:
        """Other rows for what stands there now."""
        text = self._composer.text
        row, column = self._composer.cursor_location
        if not text.startswith("/") or "\n" in text or row != 0 or column != len(text):
            return False
        said = text[1:]
        if said[:1].isspace() or "/" in said.split(" ", 1)[0]:
            return False
        command = self._with_argument(said)
        if command is not None:
            self._offer_arguments(command, said[len(command.words) + 1 :])
        else:
            self._offer_commands(said)
        # Where the likeliest stands there already, Enter is the prompt's.
        return command is None or not self._texts or self._texts[0].rstrip() != text.rstrip()

    def take(self, number: int, way: Way) -> bool:
        """Tab writes it out; Enter runs it, or writes it out when something has to follow."""
        text = self._texts[number]
        # What would be sent is only written out at first: Enter in this list sends nothing that was not typed.
        unread = self._sends[number] and self._composer.text.rstrip() != text.rstrip()
        self._composer.complete((0, 0), self._composer.document.end, text)
        if way == "tab" or self._goes_on[number] or unread:
            return False
        self._run(text.rstrip())
        return True

    def moved(self, number: int) -> None:
        """Nothing to show beside the row."""

    def typed(self, event: events.Key | events.Paste) -> bool:
        """Everything that is typed goes to the prompt."""
        return False

    def dropped(self) -> None:
        """The text stays as it is."""

    def _with_argument(self, said: str) -> Command | None:
        fits = [
            each for each in self._commands if each.argument and said.lower().startswith(each.words + " ")
        ]
        return max(fits, key=lambda each: len(each.words), default=None)

    def _offer_commands(self, said: str) -> None:
        found = ranked(said, self._commands)
        self.rows = [
            PopoverRow(f"/{each.command.words}", each.command.help, each.command.key, each.marks)
            for each in found
        ]
        self._texts = [f"/{each.command.words}" + (" " if each.command.argument else "") for each in found]
        self._goes_on = [each.command.needs_argument for each in found]
        self._sends = [each.command.action is None for each in found]

    def _offer_arguments(self, command: Command, rest: str) -> None:
        wanted = rest.strip()
        found: list[tuple[float, int, Choice, tuple[int, ...]]] = []
        for number, choice in enumerate(self._choices(command)):
            match = fit(wanted, choice.word) or (fit(wanted, choice.note) if len(wanted) > 2 else None)
            if match is not None:
                marks = match.places if fit(wanted, choice.word) is not None else ()
                found.append((match.score, number, choice, marks))
        found.sort(key=lambda one: (-one[0], one[1]))
        self.rows = [PopoverRow(choice.word, choice.note, "", marks) for _, _, choice, marks in found]
        self._texts = [f"/{command.words} {choice.word}" for _, _, choice, _ in found]
        self._goes_on = [False] * len(found)
        self._sends = [command.action is None] * len(found)
