"""Whatever happens, a terminal that got only what was written shows the app's own screen, cell by cell."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pyte
import pytest
from pyte.screens import Char
from rich.color import ColorSystem
from textual._compositor import CompositorUpdate

from kai_tui.conversation import events as e
from kai_tui.ui.app import KaiApp
from kai_tui.ui.terminal.compositor import least_update
from kai_tui.ui.terminal.frames import Front
from kai_tui.ui.terminal.output import walled
from kai_tui.ui.terminal.safe_app import SafeApp
from tests.services.scripted_backend import ScriptedBackend, Step
from tests.ui.fakes import app_for
from tests.ui.test_chat_screen import ready

SPARE = 3
"""Columns behind the last: the emulator scrolls for a combining mark there."""
SIZES = [(80, 24), (100, 30), (60, 20), (140, 45), (80, 24), (41, 15)]
PIECES = [
    "plain words ",
    "数据 表 ",
    "🚀 ✅ ",
    "e\u0301 n\u0303 ",
    "\n\n",
    "\n\n| a | 数 |\n|---|--:|\n| one | 2 |\n| 🚀 | 31 |\n\n",
    "\n\n```sql\nSELECT a, '数' FROM b\n```\n\n",
    "- **bold** and `code`\n",
    "[a link](https://example.com/a) ",
    "# Head 数\n\n",
]
KEYS = [
    *("a", "b", "space", "enter", "up", "down", "pageup", "pagedown", "home", "end", "escape", "tab"),
    *("ctrl+f", "ctrl+o", "y", "t", "m", "p", "'", "/", "n", "c", "ctrl+b", "f1", "?", "ctrl+p", "@"),
    *("escape", "escape", "ctrl+r", "alt+m", "up", "down", "z", "数"),
]


class Terminal:
    """A terminal that shows what is written to it."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.screen = pyte.Screen(width + SPARE, height)
        self._stream = pyte.Stream(self.screen)

    def write(self, data: str) -> None:
        self._stream.feed(data)

    def spoil(self) -> None:
        for y in range(self.height):
            for x in range(self.width):
                self.screen.buffer[y][x] = Char("▒", fg="ff00ff", bg="00ff00")

    def cells(self) -> list[list[Char]]:
        return [[self.screen.buffer[y][x] for x in range(self.width)] for y in range(self.height)]


class Mirror:
    """What the app would write, written to a terminal."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.terminal = Terminal(*size)

    def resized(self, size: tuple[int, int]) -> None:
        """A terminal of another size shows anything until it is drawn anew."""
        self.terminal = Terminal(*size)
        self.terminal.spoil()

    def show(self, app: SafeApp[None], update: object) -> None:
        if update is None or app._batch_count:
            return
        least = least_update(update, app._front)  # type: ignore[arg-type]
        assert isinstance(least, CompositorUpdate)
        self.terminal.write(walled(least.render_segments(app.console)))

    def differences(self, app: KaiApp) -> list[str]:
        width, height = self.terminal.width, self.terminal.height
        expected = Terminal(width, height)
        colours = app.console._color_system or ColorSystem.TRUECOLOR
        rows = enumerate(app.screen._compositor.render_strips())
        expected.write(Front().whole([(y, 0, [strip]) for y, strip in rows], colours))
        found = []
        for y, (here, there) in enumerate(zip(self.terminal.cells(), expected.cells(), strict=True)):
            if here != there:
                at = next(x for x in range(width) if here[x] != there[x])
                found.append(
                    f"row {y} from column {at}: {here[at]} is shown, {there[at]} is meant\n"
                    f"  {''.join(each.data for each in here)!r}\n  {''.join(each.data for each in there)!r}"
                )
        return found


async def same(app: KaiApp, pilot, mirror: Mirror, done: list[str]) -> None:
    for _ in range(40):
        await pilot.pause(0)
        if not mirror.differences(app):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"after {done[-12:]}:\n" + "\n".join(mirror.differences(app)[:6]))


@pytest.mark.parametrize(
    ("seed", "steps"), [(0, 12), *(pytest.param(seed, 60, marks=pytest.mark.slow) for seed in range(1, 7))]
)
async def test_the_terminal_shows_the_screen(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, seed: int, steps: int
) -> None:
    random_ = random.Random(seed)
    size = SIZES[0]
    mirror = Mirror(size)
    original = SafeApp._display

    def display(self: SafeApp[None], screen: object, update: object) -> None:
        original(self, screen, update)  # type: ignore[arg-type]
        mirror.show(self, update)

    monkeypatch.setattr(SafeApp, "_display", display)
    gates: list[asyncio.Event] = []

    def reply() -> list[Step]:
        steps: list[Step] = [e.Start(f"a{random_.random()}"), e.TextStart("t")]
        for _ in range(40):
            steps.append(e.TextDelta("t", random_.choice(PIECES)))
            if random_.random() < 0.5:
                gate = asyncio.Event()
                gates.append(gate)
                steps.append(gate)
        return [*steps, e.TextEnd("t"), e.Finish("stop")]

    app = app_for(own_home, ScriptedBackend(replies=[reply() for _ in range(30)]))
    done: list[str] = []
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(app, pilot)
        app.screen.refresh()
        await pilot.press(*"hello", "enter")
        for _ in range(steps):
            for _ in range(random_.randint(1, 3)):
                kind = random_.random()
                if kind < 0.6:
                    key = random_.choice(KEYS)
                    done.append(key)
                    await pilot.press(key)
                elif kind < 0.85:
                    for _ in range(random_.randint(1, 6)):
                        if gates:
                            gates.pop(0).set()
                    done.append("stream")
                elif kind < 0.93:
                    size = random_.choice([each for each in SIZES if each != size])
                    done.append(f"{size}")
                    mirror.resized(size)
                    await pilot.resize_terminal(*size)
                elif kind < 0.97:
                    app.notify("told 数 🚀", timeout=0.2)
                    done.append("toast")
                else:
                    mirror.terminal.spoil()
                    app.terminal_taken()
                    app.refresh()
                    done.append("taken")
            await same(app, pilot, mirror, done)
        for gate in gates:
            gate.set()
