"""The bottom line: what happens, where, and the most useful keys."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil, floor
from typing import ClassVar, Literal, NamedTuple, TypeAlias

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.reactive import var
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from kai_tui.conversation.safe_text import safe_line
from kai_tui.ui.colour_marks import line_styles, marked_line
from kai_tui.ui.widgets.one_line import Fact, fit, segments

Activity: TypeAlias = Literal[
    "idle", "connecting", "sending", "holding", "streaming", "waiting", "stopping", "offline", "failed"
]
"""`waiting` is for a decision of the user, `holding` for the moment at which something is tried again."""


_DIVIDER = " · "
_STYLES = ("plain", "busy", "waiting", "bad", "place", "branch", "key")
_GAP = 2
"""Cells between the facts and the keys at the right end."""


class StatusFacts(NamedTuple):
    """All the status bar knows. Text is raw."""

    activity: Activity = "idle"
    since: float | None = None
    """Monotonic seconds from which the activity is counted; None: it is not counted."""
    quiet_since: float | None = None
    """Monotonic seconds since which a running turn has been silent; None while that is not worth a word."""
    until: float | None = None
    """Monotonic seconds at which something is tried again (`holding`)."""
    trying: str = ""
    """What is tried again then, in our words: "sending", "connecting (2 of 3)"."""
    reason: str | None = None
    """Why it is offline or failed: one sentence."""
    server_says: str | None = None
    """What the server says it is doing."""
    tokens: int | None = None
    waiting: int = 0
    """How many calls wait for a decision, over all chats."""
    elsewhere: int = 0
    """How many calls waited for a decision in other accounts, as far as that is known."""
    others: str = ""
    """What other chats want: `2 other chats: 1 waits, 1 new`. Ours, no foreign text."""
    queued: int = 0
    """How many messages wait to be sent."""
    allowed: str = ""
    """What runs without a question for a while. Raw."""
    allowed_calls: str = ""
    """How many further calls: `4 calls`; empty: any number."""
    allowed_until: float | None = None
    """Monotonic seconds at which the first of it is over; None: it holds until the user leaves."""
    switched: bool = False
    """Whether the read-only switch of the chat is on."""
    unasked: str = ""
    """What the server runs all the same, for the user's settings there say so. Raw."""
    quota: str = ""
    """How many messages of the month are used."""
    quota_short: str = ""
    """The same where there is no room."""
    quota_level: Literal["fine", "low", "used-up"] = "fine"
    account: str = ""
    colour: str = ""
    """The account's mark: a name of `ACCOUNT_COLOURS`, or empty."""
    project: str = ""
    branch: str = ""
    mouse: bool = True
    """Whether the program hears the mouse; else it is the terminal's."""
    note: str | None = None
    """Something that stays true for the session: token from the environment, nothing kept on disk."""
    keys: tuple[tuple[str, str], ...] = (("F1", "help"),)
    """Key and what it does, the most important first."""


class StatusBar(Widget):
    """One line. When it is narrow the less important facts go first."""

    DEFAULT_CSS = """
    StatusBar {
        height: 1;
        padding: 0 1;
        background: $surface;
        color: $text-muted;
        & .status-bar--plain { color: $text-muted; }
        & .status-bar--busy { color: $text-accent; }
        & .status-bar--waiting { color: $text-warning; text-style: bold; }
        & .status-bar--bad { color: $text-error; }
        & .status-bar--place { color: $foreground; }
        & .status-bar--branch { color: $text-warning; }
        & .status-bar--key { color: $text-primary; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"status-bar--{name}" for name in _STYLES}

    facts: var[StatusFacts] = var(StatusFacts(), init=False)

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, id: str | None = "status-bar") -> None:
        """`clock` gives monotonic seconds."""
        super().__init__(id=id)
        self._clock = clock
        self._timer: Timer | None = None

    def update_status(self, facts: StatusFacts) -> None:
        """Show other facts."""
        self.facts = facts

    def watch_facts(self) -> None:
        self.refresh()
        self._wait_for_next_second()

    def on_mount(self) -> None:
        self._wait_for_next_second()

    def _wait_for_next_second(self) -> None:
        """One timer, and only while something counts: it fires when the shown number changes."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if not self.is_mounted:
            return
        now, facts = self._clock(), self.facts
        counted = facts.since if facts.quiet_since is None else facts.quiet_since
        waits: list[float] = []
        for until in (facts.until, facts.allowed_until):
            left = until - now if until is not None else 0.0
            if left > 0:
                waits.append(left - ceil(left) + 1)
        if facts.until is None and counted is not None:
            passed = max(0.0, now - counted)
            waits.append(floor(passed) + 1 - passed)
        if waits:
            self._timer = self.set_timer(min(waits), self._tick)

    def _tick(self) -> None:
        self.refresh()
        self._wait_for_next_second()

    @property
    def counting(self) -> bool:
        """Whether a timer runs."""
        return self._timer is not None

    # Drawing

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y or width <= 0:
            return Strip.blank(max(0, width), self.rich_style)
        styles = {name: self.get_component_rich_style(f"status-bar--{name}") for name in _STYLES}
        styles |= line_styles(self, styles["place"])
        facts, keys = self.fitting(width)
        left = segments(facts, styles, _DIVIDER, styles["plain"])
        right = self._key_segments(keys, styles)
        used = sum(cell_len(segment.text) for segment in (*left, *right))
        gap = [Segment(" " * max(0, width - used), self.rich_style)]
        return Strip([*left, *gap, *right]).adjust_cell_length(width, self.rich_style)

    def fitting(self, width: int) -> tuple[list[Fact], list[tuple[str, str]]]:
        """What there is room for in `width` cells: facts at the left, keys at the right."""
        everything = self._facts()
        keys = list(self.facts.keys)
        important = [fact for fact in everything if fact.weight >= _IMPORTANT]
        needed = min(width, sum(cell_len(fact.text) for fact in important))
        while keys and _keys_width(keys) + _GAP + needed > width:
            keys.pop()
        if not keys:
            # The first keys belong to what is said (what is allowed ends with one): rather that is said shorter.
            keys = list(self.facts.keys[:_KEYS_KEPT])
            least = sum(cell_len(fact.short or fact.text) + len(_DIVIDER) for fact in important)
            while keys and _keys_width(keys) + _GAP + least - len(_DIVIDER) > width:
                keys.pop()
        # The keys that help to find the others stay; those behind them give way to facts.
        wanted = sum((fact.least or cell_len(fact.text)) + len(_DIVIDER) for fact in everything)
        while len(keys) > _KEYS_KEPT and _keys_width(keys) + _GAP + wanted - len(_DIVIDER) > width:
            keys.pop()
        room = width - (_keys_width(keys) + _GAP if keys else 0)
        return fit(everything, room, len(_DIVIDER)), keys

    def _facts(self) -> list[Fact]:
        facts = self.facts
        shown = [self._activity()]
        if facts.waiting and facts.activity != "waiting":
            one = facts.waiting == 1
            words = "1 decision waits" if one else f"{facts.waiting} decisions wait"
            shown.append(Fact(words, "waiting", 80, short=f"{facts.waiting}!"))
        if facts.elsewhere:
            one = facts.elsewhere == 1
            words = "1 waits in another account" if one else f"{facts.elsewhere} wait in other accounts"
            shown.append(Fact(words, "waiting", 58, short=f"{facts.elsewhere}! elsewhere"))
        if facts.others:
            wants = "waiting" if "wait" in facts.others else "place"
            shown.append(Fact(facts.others, wants, 75, least=14))
        if facts.switched:
            shown.append(self._switched())
        if facts.allowed:
            shown.append(self._allowed())
        if facts.queued:
            shown.append(Fact(f"{facts.queued} queued", "plain", 60))
        if not facts.mouse:
            shown.append(Fact("mouse: the terminal's", "branch", 56, short="mouse off"))
        if facts.server_says:
            shown.append(Fact(safe_line(facts.server_says, 200), "plain", 30, least=12))
        if facts.tokens:
            shown.append(Fact(f"{facts.tokens:,} tokens", "plain", 20))
        if facts.quota:
            style, weight = _QUOTA[facts.quota_level]
            shown.append(Fact(facts.quota, style, weight, short=facts.quota_short))
        if facts.note:
            shown.append(Fact(safe_line(facts.note, 200), "waiting", 40, least=12))
        shown.append(Fact(*marked_line(facts.colour, safe_line(facts.account, 100)), 50, least=8))
        shown.append(Fact(safe_line(facts.project, 100), "place", 45, least=8))
        # The main branch is what everyone expects; another one must not go unseen.
        on_main = facts.branch in ("", "main")
        shown.append(
            Fact(
                safe_line(facts.branch, 100),
                "place" if on_main else "branch",
                10 if on_main else 70,
                least=8,
            )
        )
        return [fact for fact in shown if fact.text]

    def _switched(self) -> Fact:
        name = safe_line(self.facts.unasked, 40)
        if not name:
            return Fact("read-only: changes are denied", "branch", 92, short="read-only")
        runs = "run" if name.endswith(" tools") else "runs"
        return Fact(f"read-only, but {name} {runs} unasked", "waiting", 92, short="read-only, but…")

    def _allowed(self) -> Fact:
        facts = self.facts
        left = "" if facts.allowed_until is None else _seconds(ceil(facts.allowed_until - self._clock()))
        ends = [each for each in (left, facts.allowed_calls) if each]
        name = safe_line(facts.allowed, 40)
        short = ends[0] if ends else name
        return Fact(f"{name} allowed {', '.join(ends)}".rstrip(), "waiting", 90, short=f"allowed {short}")

    def _activity(self) -> Fact:
        facts = self.facts
        passed = "" if facts.since is None else f" {_seconds(self._clock() - facts.since)}"
        if facts.activity in ("offline", "failed"):
            reason = safe_line(facts.reason or "", 300)
            words = f"{facts.activity}: {reason}" if reason else facts.activity
            return Fact(words, "bad", 100, least=12)
        if facts.activity == "waiting":
            words = "waiting for your decision"
            if facts.waiting > 1:
                words = f"waiting for {facts.waiting} decisions"
            return Fact(f"! {words}", "waiting", 100, least=8)
        if facts.activity == "idle":
            return Fact("", "plain", 0)
        if facts.activity == "holding":
            left = "" if facts.until is None else f" in {_seconds(ceil(facts.until - self._clock()))}"
            return Fact(f"● {facts.trying} again{left}", "waiting", 100, least=8)
        if facts.quiet_since is not None:
            return Fact(f"● waiting {_seconds(self._clock() - facts.quiet_since)}", "waiting", 100, least=8)
        return Fact(f"● {facts.activity}{passed or '…'}", "busy", 100, least=8)

    def _key_segments(self, keys: list[tuple[str, str]], styles: dict[str, Style]) -> list[Segment]:
        row: list[Segment] = []
        for key, does in keys:
            row.append(Segment("  " if row else "", styles["plain"]))
            row.append(Segment(key, styles["key"]))
            row.append(Segment(f" {does}", styles["plain"]))
        return row


_IMPORTANT = 70
_KEYS_KEPT = 2
_QUOTA = {"fine": ("plain", 35), "low": ("waiting", 65), "used-up": ("bad", 72)}
"""Style and weight of the quota."""


def _keys_width(keys: list[tuple[str, str]]) -> int:
    return sum(cell_len(key) + 1 + cell_len(does) for key, does in keys) + 2 * max(0, len(keys) - 1)


def _seconds(passed: float) -> str:
    """Whole seconds in words: 12 s, 3 min 05 s."""
    whole = max(0, floor(passed))
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02} s"
