"""Whom to talk to: a list with a filter, and all that is known of the one under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from kai_tui.ui.modals.base import Ask
from kai_tui.ui.widgets.filter_input import FilterInput
from kai_tui.ui.widgets.one_line import clip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kai_tui.backends.agents import Agent
    from kai_tui.services.agents import AgentList

_KEYS = "type to search · Enter chooses · Ctrl+R reads anew · Esc closes"
_MOVES = {"up": "cursor_up", "down": "cursor_down", "pageup": "page_up", "pagedown": "page_down"}
LONGEST_NAME = 200


class AgentsDialog(Ask[str]):
    """Result: the id of an agent, or None."""

    AUTO_FOCUS: ClassVar[str | None] = "#agents-filter"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f12,alt+a", "leave", "Close", show=False),
        Binding("ctrl+r", "read", "Read again", show=False),
    ]
    DEFAULT_CSS = """
    AgentsDialog .dialog { width: 84; }
    AgentsDialog #agents-why { height: auto; margin: 1 0 0 0; display: none; }
    AgentsDialog #agents-why.-shown { display: block; }
    AgentsDialog #agents-filter { border: none; height: 1; padding: 0 1; background: $panel; margin: 1 0; }
    AgentsDialog #agents-filter:focus { border: none; background: $boost; }
    AgentsDialog #agents-list {
        height: auto; min-height: 1; max-height: 12; border: none; background: $surface; padding: 0;
        scrollbar-size-vertical: 1;
    }
    AgentsDialog #agents-list > .option-list--option-highlighted {
        background: $block-cursor-background; color: $block-cursor-foreground;
    }
    AgentsDialog #agents-about {
        height: auto; max-height: 5; border-top: solid $panel; margin-top: 1; scrollbar-size-vertical: 1;
    }
    AgentsDialog #agents-words { height: auto; }
    AgentsDialog #agents-problem { display: none; }
    AgentsDialog #agents-problem.-shown { display: block; }
    """

    def __init__(self, agents: AgentList, chat_id: str | None, *, why: str = "") -> None:
        """`chat_id`: the chat whose agent is marked; `why`: what choosing does here, in our words. Raw."""
        super().__init__(name="agents")
        self._agents = agents
        self._chat_id = chat_id
        self._why = why
        self._shown: tuple[Agent, ...] = ()
        self._drawn: tuple[object, ...] | None = None
        self._needle = ""
        self._leave_list = lambda: None

    def compose(self) -> ComposeResult:
        self.filter_input = FilterInput(placeholder="search", id="agents-filter")
        self.filter_input.command = self._command
        self.filter_input.edited = self._search
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Who to talk to")
            yield Static(id="agents-why", markup=False)
            yield self.filter_input
            yield OptionList(id="agents-list", markup=False)
            with VerticalScroll(id="agents-about", can_focus=False):
                yield Static(id="agents-words", markup=False)
            yield Static(id="agents-problem", classes="problem", markup=False)
            yield Static(_KEYS, classes="quiet", markup=False)

    def on_mount(self) -> None:
        from kai_tui.conversation.safe_text import safe_prose

        self._leave_list = self._agents.observe(self._news)
        self.query_one(OptionList).can_focus = False
        why = self.query_one("#agents-why", Static)
        why.set_class(bool(self._why), "-shown")
        why.update(Content(safe_prose(self._why)))
        if not self._agents.rows:
            self.action_read()
        self.call_after_refresh(self._draw)

    def on_unmount(self) -> None:
        self._leave_list()

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def _news(self, _: None) -> None:
        self.call_later(self._draw)

    # What is shown

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        from kai_tui.conversation.safe_text import safe_prose

        agents = self._agents
        words = self._needle.lower().split()
        self._shown = tuple(
            each
            for each in agents.rows
            if all(word in f"{each.name} {each.description} {each.note}".lower() for word in words)
        )
        problem = self.query_one("#agents-problem", Static)
        problem.set_class(bool(agents.problem), "-shown")
        problem.update(Content(safe_prose(f"{agents.problem} Ctrl+R reads the list again.")))
        self.query_one(".dialog").border_subtitle = Content(_count(agents.rows) if agents.rows else "")
        listed = self.query_one(OptionList)
        width = max(20, listed.size.width - 2)
        drawn = (self._shown, agents.loading, width, agents.chosen(self._chat_id))
        if drawn == self._drawn:
            return
        held = self._marked
        self._drawn = drawn
        listed.clear_options()
        if not self._shown:
            text = "Reading…" if agents.loading else "Nobody is called that." if words else "Nobody is there."
            listed.add_option(Option(Content.styled(f"  {text}", "$text-muted"), disabled=True))
            self._say(None)
            return
        chosen = agents.chosen(self._chat_id)
        listed.add_options(
            [Option(Content.assemble(_row(each, each.id == chosen, width))) for each in self._shown]
        )
        ids = [each.id for each in self._shown]
        at = held.id if held is not None and held.id in ids else chosen
        listed.highlighted = ids.index(at) if at in ids else 0
        self._say(self._marked)

    @property
    def _marked(self) -> Agent | None:
        """The agent under the cursor."""
        at = self.query_one(OptionList).highlighted
        return self._shown[at] if at is not None and at < len(self._shown) else None

    def _say(self, agent: Agent | None) -> None:
        """All that is known of an agent."""
        from kai_tui.conversation.safe_text import safe_exact, safe_line, safe_prose

        words = self.query_one("#agents-words", Static)
        if agent is None:
            words.update(Content(""))
            return
        name = safe_exact(agent.name, one_line=True)
        note = safe_line(agent.note, 200)
        words.update(
            Content.assemble(
                (name.text, "bold"),
                (f" · {note}" if note else "", "$text-muted"),
                *((f"\n! {flag}", "$text-warning") for flag in name.flags),
                f"\n{safe_prose(agent.description).strip() or 'The server does not describe it.'}",
            )
        )
        self.query_one("#agents-about").scroll_home(animate=False)

    @on(OptionList.OptionHighlighted)
    def _moved(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._say(self._marked)

    # Keys

    def _search(self, needle: str) -> None:
        self._needle = needle
        self._draw()

    @on(Input.Changed, "#agents-filter")
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._search(event.value)

    def _command(self, key: str) -> bool:
        """Keys that type nothing belong to the list."""
        listed = self.query_one(OptionList)
        if key in _MOVES:
            getattr(listed, f"action_{_MOVES[key]}")()
        elif key == "enter":
            self._choose()
        elif key == "escape" and self.filter_input.value:
            self.filter_input.value = ""
            self._search("")
        else:
            return False
        return True

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        self._choose()

    def _choose(self) -> None:
        agent = self._marked
        if agent is not None:
            self.finish(agent.id)

    def action_read(self) -> None:
        """Ask the server for the list anew."""
        self.run_worker(self._agents.load(), group="agents", exit_on_error=False)


def _row(agent: Agent, chosen: bool, width: int) -> Content:
    from kai_tui.conversation.safe_text import safe_line

    name = clip(str(safe_line(agent.name.strip(), LONGEST_NAME)) or agent.id, max(10, width // 2))
    rest = " · ".join(
        text
        for text in (str(safe_line(each, 300)).strip() for each in (agent.note, agent.description))
        if text
    )
    room = width - 4 - len(name)
    return Content.assemble(
        ("● " if chosen else "  ", "$text-accent"),
        (name, "bold"),
        (f"  {clip(rest, room)}" if rest and room > 6 else "", "$text-muted"),
    )


def _count(agents: Sequence[Agent]) -> str:
    return "1 agent" if len(agents) == 1 else f"{len(agents)} to choose from"
