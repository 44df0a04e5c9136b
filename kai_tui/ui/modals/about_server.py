"""About this server: who answers, where, and whether it is there right now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from kai_tui.backends.base import BackendError
from kai_tui.services.server_facts import (
    LIVE,
    Fact,
    clock_words,
    facts_text,
    health_words,
    server_facts,
)
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.transcript.wrap import break_words

if TYPE_CHECKING:
    from kai_tui.backends.base import ServerInfo
    from kai_tui.services.health import Pulse
    from kai_tui.services.workspace import Workspace

EVERY_SECONDS = 5.0
"""So often the server is asked for a sign of life while the panel is open."""
LABEL_COLUMN = 14
_KEYS = "r ask again · c copy as text · ↑ ↓ scroll · Esc close"


class AboutServer(Ask[None]):
    """Asks the server while it is open, and only then."""

    AUTO_FOCUS: ClassVar[str | None] = "#about-body"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "ask", "Ask again", show=False),
        Binding("c", "copy", "Copy", show=False),
        Binding("q", "leave", show=False),
    ]
    DEFAULT_CSS = """
    AboutServer .dialog { width: 88; }
    AboutServer #about-health { height: auto; margin-top: 1; color: $text-muted; }
    AboutServer #about-health.-well { color: $text-success; }
    AboutServer #about-health.-ill { color: $text-error; }
    AboutServer #about-clock { height: auto; color: $text-warning; display: none; }
    AboutServer #about-clock.-shown { display: block; }
    AboutServer #about-body { height: auto; max-height: 30; margin: 1 0; scrollbar-size-vertical: 1; }
    AboutServer #about-facts { height: auto; padding-right: 1; }
    AboutServer.-low #about-body { max-height: 13; }
    """

    def __init__(self, workspace: Workspace, redact: Callable[[str], str], agent: str = "") -> None:
        """`agent`: whom the chat on screen is with. Raw. `redact` takes secrets out of what the server says: nothing of this panel may hold the token."""
        super().__init__(name="about-server")
        self._workspace = workspace
        self._redact = redact
        self._agent = agent
        self._info: ServerInfo | None = workspace.connection.info
        self._health = "Asking…"
        self._clock = ""
        self._asking = False
        self._gone = False
        """Whether it does not answer."""
        self._leave_offers = lambda: None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("About this server")
            yield Static(id="about-health", markup=False)
            yield Static(id="about-clock", markup=False)
            with VerticalScroll(id="about-body"):
                yield Static(id="about-facts", markup=False)
            yield Static(_KEYS, classes="quiet", markup=False)

    def on_mount(self) -> None:
        self._leave_offers = self._workspace.offers.observe(self._offers_changed)
        self._draw()
        self.set_interval(EVERY_SECONDS, self._beat)
        self.action_ask()

    def on_unmount(self) -> None:
        self._leave_offers()

    def _offers_changed(self, _: None) -> None:
        self.call_later(self._draw)

    def on_resize(self) -> None:
        self.set_class(self.size.height < 30, "-low")
        self.call_after_refresh(self._draw)

    # Asking

    def action_ask(self) -> None:
        """Ask the server for everything anew."""
        self.run_worker(self._ask(whole=True), group="about", exit_on_error=False)

    def _beat(self) -> None:
        # Behind another dialog nobody looks.
        if self.is_active:
            self.run_worker(self._ask(whole=False), group="about", exit_on_error=False)

    async def _ask(self, *, whole: bool) -> None:
        if self._asking:
            return
        self._asking = True
        try:
            pulse = await self._workspace.offers.health.ping()
            if not self.standing:
                return
            self._show_pulse(pulse)
            if whole and pulse.failure is None:
                try:
                    self._info = await self._workspace.offers.health.about()
                except BackendError as error:
                    self._show_trouble(error.sentence)
        finally:
            self._asking = False
        self._draw()

    def _show_pulse(self, pulse: Pulse) -> None:
        host = self._info.host if self._info is not None else self._workspace.account.label
        self._clock = clock_words(pulse)
        self._gone = pulse.failure is not None
        if pulse.failure is not None:
            self._show_trouble(pulse.failure.sentence)
            return
        self._health = health_words(host, pulse)
        self.query_one("#about-health").set_class(True, "-well").set_class(False, "-ill")

    def _show_trouble(self, sentence: str) -> None:
        if not self.standing:
            return
        self._health = f"{sentence} Press r to ask again."
        self.query_one("#about-health").set_class(False, "-well").set_class(True, "-ill")

    # Showing

    def _facts(self) -> list[Fact]:
        facts = server_facts(
            self._workspace.account, self._info, self._workspace.offers.quota.quota, self._agent
        )
        if not self._gone:
            return facts
        # Nobody knows that of a server that does not answer.
        return [fact for fact in facts if fact.label not in LIVE or fact.foreign]

    def _draw(self) -> None:
        if not self.standing:
            return
        from kai_tui.conversation.safe_text import safe_prose

        self.query_one("#about-health", Static).update(Content(safe_prose(self._redact(self._health))))
        clock = self.query_one("#about-clock", Static)
        clock.set_class(bool(self._clock), "-shown")
        clock.update(Content(self._clock))
        body = self.query_one("#about-body", VerticalScroll)
        width = max(30, (body.scrollable_content_region.width or 71) - 1)
        lines = [line for fact in self._facts() for line in self._lines(fact, width)]
        self.query_one("#about-facts", Static).update(Content("\n").join(lines))

    def _lines(self, fact: Fact, width: int) -> list[Content]:
        from kai_tui.conversation.safe_text import safe_code, safe_line

        label = str(safe_line(fact.label, 60)) if fact.foreign else fact.label
        value = safe_code(self._redact(fact.value))
        beside = len(label) < LABEL_COLUMN
        room = width - LABEL_COLUMN
        rows = [row for line in value.split("\n") for row in _wrapped(line, room)]
        first = rows.pop(0) if beside and rows else ""
        lines = [Content.assemble((f"{label:<{LABEL_COLUMN}}", "$text-muted"), first)]
        return lines + [Content(" " * LABEL_COLUMN + row) for row in rows]

    def action_copy(self) -> None:
        """All of it as text, for support."""
        from kai_tui import __version__
        from kai_tui.ui.terminal.copying_app import copy_from

        health = f"{self._health} {self._clock}".rstrip()
        text = self._redact(facts_text(__version__, health, self._facts()))
        copy_from(self, text, "it as text, without the token")


def _wrapped(line: str, width: int) -> list[str]:
    line = line.expandtabs(4)
    return [line[start:end] for start, end in break_words(line, max(10, width))] or [""]
