"""A typist whose keys fall around the moment at which a question opens, at a server that asks again and again.

The server keeps one turn open and asks about one call per trial; it takes the question away by itself
at the end of the trial, so that nothing has to be decided to go on.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.asking_kai import AskingKai
from tests.e2e.user import BACK_TAB, DOWN, ENTER, RIGHT, TAB, UP, User

BEFORE, AFTER = 0.30, 0.35
"""Seconds around the opening of the dialog in which keys fall: all of them are in the grace (A1), also when
this process, which has ten screens to read, sees the opening a moment late."""
GRACE = 0.4
"""Of its half second (A1); who watches sees an opening up to a tenth of a second late."""
PATIENCE = 5.0
"""Seconds a question is waited for: early keys may have led to something else."""
HELD = 1.0
"""A question that comes while somebody types opens so long after the last key (A3)."""
ASKS = "The assistant asks before it acts"
LEFT = "\x1b[D"
KEYS = (ENTER, ENTER, ENTER, RIGHT, RIGHT, LEFT, TAB, BACK_TAB, UP, DOWN, " ", *"yYaAnd1", "ý", "ы")
PASTE = "\x1b[200~yes\r\x1b[201~"


@dataclass
class Trial:
    """What one trial does."""

    early: list[tuple[float, str]]
    """Keys before the dialog opens: seconds before, bytes."""
    blind: bool
    """Whether the late keys follow the early ones at once; else they wait until the question is on screen."""
    stopped: bool
    """Whether the program is busy while the early keys are pressed: they and the opening reach it together."""
    late: list[tuple[float, str]]
    """Keys in the grace: seconds after, bytes."""

    @classmethod
    def draw(cls, chance: random.Random, size: tuple[int, int]) -> Trial:
        def keys(most: int, start: float, end: float) -> list[tuple[float, str]]:
            moments = sorted(chance.uniform(start, end) for _ in range(chance.randint(0, most)))
            return [(moment, _keys(chance, size)) for moment in moments]

        early = keys(4, -BEFORE, 0.0) if chance.random() < 0.6 else []
        stopped = bool(early) and chance.random() < 0.7
        blind = stopped and chance.random() < 0.3
        if not blind:
            # Enter would send what is written, and that asks what to do with the question first.
            early = [(moment, chance.choice("yYaAnd1")) for moment, _ in early]
        return cls(early, blind, stopped, keys(6, 0.0, AFTER))


def _keys(chance: random.Random, size: tuple[int, int]) -> str:
    kind = chance.random()
    if kind < 0.07:
        return PASTE
    if kind < 0.22:
        return _click(chance, size)
    return RIGHT + ENTER if kind < 0.4 else chance.choice(KEYS)


def _click(chance: random.Random, size: tuple[int, int]) -> str:
    """A click, once in a while a double one, mostly where the answers of the dialog are."""
    column, row = chance.randint(10, size[0] - 10), chance.randint(size[1] // 3, size[1] - 3)
    once = f"\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m"
    return once * chance.choice((1, 1, 2))


class Typist:
    """One program, one server, and hands that cannot wait."""

    def __init__(self, home: Path, seed: int, size: tuple[int, int]) -> None:
        self.chance = random.Random(seed)
        self.seed = seed
        self.size = size
        self.kai = AskingKai().start()
        env = {
            "STORAGE_API_TOKEN": "1-2-canary",
            "STORAGE_API_URL": "https://connection.test",
            "KAI_SERVICE": "agent",
        }
        self.user = User(home, "--base-url", self.kai.url, size=size, env=env)
        self.trials: list[str] = []
        self.seen_open = 0
        """In how many trials the question stood on screen when the last key had been pressed."""
        self._pause = threading.Event()
        self._opened: float | None = None
        """When a question was first seen in this trial."""
        self._pressed: list[float] = []

    def begin(self) -> None:
        self.user.wait_for("Ctrl+P")
        self.user.write("go" + ENTER)
        assert self.kai.streaming.wait(30)

    def close(self) -> None:
        self.user.close()
        self.kai.close()

    def trial(self) -> None:
        """Ask, type around the opening, take the question away. Nothing may be decided by what was typed then."""
        trial = Trial.draw(self.chance, self.size)
        self.trials.append(repr(trial))
        self._opened = None
        # Somebody writes: the question waits for a pause, mostly.
        self._press("x")
        self._wait(0.05)
        call = self.kai.ask()
        self._wait(HELD - BEFORE)
        if trial.stopped:
            self.user.signal(signal.SIGSTOP)
        self._type(-BEFORE, trial.early, until=0.0)
        if trial.stopped:
            self.user.signal(signal.SIGCONT)
        end = time.monotonic() + PATIENCE
        while not trial.blind and self._opened is None and not self.kai.answers and time.monotonic() < end:
            self._wait(0.02)
        self._type(0.0, trial.late, until=AFTER)
        self.seen_open += ASKS in self.user.text()
        self._judge()
        self.kai.settle(call)
        self._until_gone()
        self._judge()

    def _judge(self) -> None:
        """An answer counts against the program when the key before it was pressed in the grace."""
        for answer in self.kai.answers:
            key = max(moment for moment in self._pressed if moment < answer.at)
            told = (self.seed, self.size, self._opened, key, answer, self.trials[-2:])
            assert self._opened is not None, told
            assert key - self._opened > GRACE, told
        self.kai.answers.clear()

    def _until_gone(self) -> None:
        """Wait until no question is on screen, and not only because a frame comes in pieces."""
        gone = time.monotonic()
        while time.monotonic() - gone < 0.1:
            self._wait(0.02)
            if ASKS in self.user.text():
                gone = time.monotonic()

    def _type(self, at: float, keys: list[tuple[float, str]], until: float) -> None:
        for moment, each in keys:
            self._wait(moment - at)
            at = moment
            self._press(each)
        self._wait(until - at)

    def _press(self, keys: str) -> None:
        self._pressed.append(time.monotonic())
        self.user.write(keys)

    def _wait(self, seconds: float) -> None:
        """Hands need time: this is what the test is about. The screen is watched meanwhile."""
        end = time.monotonic() + seconds
        while True:
            if self._opened is None and ASKS in self.user.text():
                self._opened = time.monotonic()
            left = end - time.monotonic()
            if left <= 0:
                return
            self._pause.wait(min(left, 0.01))

    def approve_one(self) -> None:
        """Safe is not enough: after the grace a person still can, and with Enter alone denies."""
        for keys, approved in (((RIGHT, ENTER), True), ((ENTER,), False)):
            call = self.kai.ask()
            self.user.asked()
            for key in keys:
                self.user.wait_quiet(0.15)
                self.user.write(key)
            self.user.wait_for(lambda user: self.kai.answers)
            assert [(each.call, each.approved) for each in self.kai.answers] == [(call, approved)]
            self.kai.answers.clear()
            self.kai.settle(call)
            self._until_gone()
