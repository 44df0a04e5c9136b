"""Commands behind a `/` in the prompt: what the registry has, carried out on the chat screen.

What looks like a command and is none is never sent at once: Enter says so, and a second Enter sends it.
"""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from kai_tui.services.notice import Notice
from kai_tui.ui.app_of import app_of
from kai_tui.ui.screens.chat_loan import ChatLoan
from kai_tui.ui.screens.chat_queue import STRAY_SECONDS

if TYPE_CHECKING:
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.ui.action import Action
    from kai_tui.ui.app import KaiApp
    from kai_tui.ui.completion.commands import Command, Typed
    from kai_tui.ui.completion.desk import CompletionDesk
    from kai_tui.ui.completion.slash import Choice
    from kai_tui.ui.widgets.popover import Popover

_SENT_ANYWAY = "Enter again sends it as a message; a space in front does, too."


class ChatCommands(ChatLoan):
    """The prompt's commands, and the list above it."""

    _completion: CompletionDesk | None = None
    _doubted: tuple[str, float] | None = None
    """The text that was held back because it looks like a command, and when (monotonic seconds)."""

    @property
    @abstractmethod
    def kai(self) -> KaiApp:
        """The app, by its own type."""

    @abstractmethod
    async def _choose_agent(self, agent_id: str, session: ChatSession | None) -> None:
        """New chats, or this one, go on with an agent."""

    # The list above the prompt

    def on_mount(self) -> None:
        self._composer.commands = self.run_typed
        self._composer.summon = self.completion

    def completion(self) -> CompletionDesk:
        """The prompt's helper; made when it is wanted first, its code is not loaded at the start."""
        if self._completion is None:
            from kai_tui.ui.completion.desk import CompletionDesk

            self._completion = CompletionDesk(self._composer, self, self._finders())
            self._composer.helper = self._completion
        return self._completion

    def _finders(self) -> Sequence[Callable[[], Any]]:
        return (self._find_commands,)

    def _find_commands(self) -> object:
        if self.lent or not self._composer.text.startswith("/"):
            return None
        from kai_tui.ui.completion.slash import SlashOffer

        offer = SlashOffer(self._composer, self.commands(), self.command_choices, self._run_chosen)
        return offer if offer.follow() else None

    def on_popover_picked(self, message: Popover.Picked) -> None:
        message.stop()
        if self._completion is not None:
            self._completion.choose(message.number, "enter")
        self.set_focus(self._composer)

    def action_search_prompts(self) -> None:
        """Earlier prompts by their words."""
        from kai_tui.ui.completion.prompts import PromptSearch

        if self._composer.read_only:
            return
        self.set_focus(self._composer)
        if not self._composer.earlier:
            self._tell(Notice("Nothing was sent from here yet."))
            return
        self.completion().begin(PromptSearch(self._composer, self._composer.earlier))

    # Which commands there are

    def commands(self) -> list[Command]:
        """Those that can be done here and now."""
        from kai_tui.ui.action_words import key_name
        from kai_tui.ui.actions import ACTIONS
        from kai_tui.ui.completion.commands import Command

        found = [
            Command(
                item.command,
                _sentence(item.help.removeprefix("While reading: ")),
                next((key_name(key) for key in item.keys if _works_while_writing(key)), ""),
                item.argument,
                item.needs_argument,
                item,
            )
            for item in ACTIONS
            if item.command and self._can(item)
        ]
        if self.workspace.account.kind == "sandbox":
            found.append(Command("demo", "Hard cases on demand, from the sandbox.", "", "case"))
        return found

    def _can(self, item: Action) -> bool:
        node = app_of(self) if item.scope == "app" else self
        return not self.denies(item.name) and node.check_action(item.name, ()) is not False

    def command_choices(self, command: Command) -> Sequence[Choice]:
        """What may stand behind a command now."""
        from kai_tui.ui.completion.slash import Choice

        if command.action is None:
            return _demos()
        if command.action.name == "choose_agent":
            return [
                Choice(each.name, each.id if each.id != each.name else "")
                for each in self.workspace.agents.rows
            ]
        return [Choice(word) for word in command.choices]

    # Carrying them out

    def _run_chosen(self, text: str) -> None:
        if not self.run_typed(text):
            self._composer.submit()

    def run_typed(self, text: str) -> bool:
        """Enter was pressed on `text`: carry it out if it is a command. False: it is a message."""
        if self.lent or not text.startswith("/"):
            return False
        from kai_tui.ui.completion.commands import Unknown, understand

        commands = self.commands()
        meant = understand(text, commands)
        if meant is None:
            return False
        if isinstance(meant, Unknown):
            denied = self._denied(meant.word)
            if denied is not None:
                self._is_there(denied.name)
                return True
            if self._is_elsewhere(meant.word):
                return self._doubt(text, f"/{meant.word} is not there with this account.")
            like = f" Did you mean {meant.nearest}?" if meant.nearest else ""
            return self._doubt(text, f"There is no command /{meant.word}.{like}")
        if meant.command.action is None:
            return False
        why_not = _why_not(text, meant)
        if why_not:
            return self._doubt(text, why_not)
        self._composer.take_out()
        self._carry_out(meant)
        return True

    def _denied(self, word: str) -> Action | None:
        """The action behind a word that this system, or this moment, does not have."""
        from kai_tui.ui.actions import ACTIONS
        from kai_tui.ui.needs import is_there

        return next(
            (
                each
                for each in ACTIONS
                if each.command.split(" ")[0] == word.lower() and not is_there(each.name, self.caps)
            ),
            None,
        )

    def _is_elsewhere(self, word: str) -> bool:
        """Whether this is a command, though not of this account: no other one is meant then."""
        from kai_tui.ui.actions import ACTIONS

        return any(each.command.split(" ")[0] == word.lower() for each in ACTIONS)

    def _doubt(self, text: str, why: str) -> bool:
        """Hold a text back once that looks like a command. True: it is held back."""
        now = monotonic()
        if self._doubted is not None and self._doubted[0] == text:
            if now - self._doubted[1] < STRAY_SECONDS:
                return True
            self._doubted = None
            return False
        self._doubted = (text, now)
        self._tell(Notice(f"{why} Nothing was sent. {_SENT_ANYWAY}", "warning"))
        return True

    def _carry_out(self, typed: Typed) -> None:
        item = typed.command.action
        assert item is not None
        with_rest = cast("Callable[[str], None] | None", getattr(self, f"command_{item.name}", None))
        if with_rest is not None and typed.rest:
            with_rest(typed.rest)
            return
        node = app_of(self) if item.scope == "app" else self
        run = getattr(node, f"action_{item.name}")
        done: Any = run(typed.rest) if typed.rest else run()
        if inspect.isawaitable(done):
            self.run_worker(cast("Awaitable[None]", done), exit_on_error=False)

    # Commands with something behind them

    def command_toggle_theme(self, which: str) -> None:
        """Dark or light."""
        from kai_tui.ui.themes import DARK, LIGHT

        if app_of(self).theme != (DARK if which.lower() == "dark" else LIGHT):
            self.kai.action_toggle_theme()

    def command_toggle_notifications(self, which: str) -> None:
        """On or off."""
        if (self._preferences.notify != "off") != (which.lower() == "on"):
            self.kai.action_toggle_notifications()
        else:
            self._tell(Notice(f"Notifications are {which.lower()} already."))

    def command_copy_menu(self, which: str) -> None:
        """The last answer, the message under the reading cursor, the whole chat."""
        if which.lower() == "last":
            self.action_copy_answer()
        elif which.lower() == "message":
            self.action_copy_message()
        else:
            self.action_copy_chat()

    @abstractmethod
    def action_copy_answer(self) -> None:
        """Copy the newest answer."""

    @abstractmethod
    def action_copy_message(self) -> None:
        """Copy a message."""

    @abstractmethod
    def action_copy_chat(self) -> None:
        """Copy all."""

    def command_toggle_read_only(self, which: str) -> None:
        """On or off."""
        session = self._session
        on = which.lower() == "on"
        if (session is not None and session.read_only_switch) == on:
            self._tell(Notice(f"The read-only switch is {which.lower()} already."))
        else:
            self.action_toggle_read_only()

    @abstractmethod
    def action_toggle_read_only(self) -> None:
        """Switch it."""

    def command_choose_agent(self, name: str) -> None:
        """By name or id; what fits several or nobody opens the list."""
        rows = self.workspace.agents.rows
        wanted = name.lower()
        exact = [each for each in rows if wanted in (each.name.lower(), each.id.lower())]
        found = exact or [each for each in rows if wanted in each.name.lower()]
        if len(found) == 1:
            self.run_worker(
                self._choose_agent(found[0].id, self._session), group="agent", exit_on_error=False
            )
            return
        why = (
            f"There is nobody called “{name}” here." if not found else f"“{name}” fits {len(found)} of them."
        )
        self._tell(Notice(f"{why} Choose from the list."))
        self.action_choose_agent()

    @abstractmethod
    def action_choose_agent(self) -> None:
        """The list of agents."""


def _why_not(text: str, typed: Typed) -> str:
    """Why a command cannot mean this; empty when it can."""
    command, rest = typed
    if "\n" in text.strip():
        return f"/{command.words} is a command, and a command is one line."
    if rest and not command.argument:
        return f"/{command.words} is a command and takes nothing behind it."
    if not rest and command.needs_argument:
        return f"/{command.words} needs something behind it: {command.argument}."
    if rest and command.choices and rest.lower() not in command.choices:
        return f"/{command.words} takes {' or '.join(command.choices)}."
    return ""


def _works_while_writing(key: str) -> bool:
    """Not a letter or sign of the reading cursor: here it would be typed."""
    return "+" in key or (key[0] == "f" and key[1:].isdigit())


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _demos() -> list[Choice]:
    """The cases of the sandbox."""
    from kai_tui.sandbox.assistant.demo import DEMOS
    from kai_tui.sandbox.modes import COMMANDS
    from kai_tui.ui.completion.slash import Choice

    more = [Choice(command.removeprefix("/demo "), about.replace("`", "")) for command, about in COMMANDS]
    return [*(Choice(name, about) for name, (about, _) in DEMOS.items()), *more]
