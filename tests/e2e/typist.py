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

BEFORE, AFTER = 0.30, 0.48
"""Seconds around the opening of the dialog in which keys fall: all of them are in the grace (A1)."""
LATE = 0.1
"""Seconds by which a key may come late on a busy machine; after that, no more keys in this trial."""
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
    put_off: bool
    """Whether the late keys come after the opening that the early ones put off; else they come at once."""
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
        put_off = bool(early) and not (stopped and chance.random() < 0.3)
        if put_off:
            # Enter in the prompt, or a click on the line that tells of the question, would open it: then
            # nobody knew when.
            early = [(moment, chance.choice("yYaAnd1")) for moment, _ in early]
        return cls(early, put_off, stopped, keys(6, 0.0, AFTER))


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
        self.late = False
        """Whether this machine let the hands of this trial sleep: their next keys might come after the grace."""
        self.seen_open = 0
        """In how many trials the question stood on screen when the last key had been pressed."""
        self._pause = threading.Event()

    def begin(self) -> None:
        self.user.wait_for("F1 help")
        self.user.write("go" + ENTER)
        assert self.kai.streaming.wait(30)

    def close(self) -> None:
        self.user.close()
        self.kai.close()

    def trial(self) -> None:
        """Ask, type around the opening, take the question away. No answer may have been sent."""
        trial = Trial.draw(self.chance, self.size)
        self.trials.append(repr(trial))
        self.late = False
        before = self.user.prompt()
        self.user.write("x")
        # Somebody writes: the question waits for a pause, and the moment at which it opens is known.
        self.user.wait_for(lambda _: self.user.prompt() != before)
        call = self.kai.ask()
        self._wait(HELD - BEFORE)
        if trial.stopped:
            self.user.signal(signal.SIGSTOP)
        self._type(-BEFORE, trial.early, until=0.0)
        if trial.stopped:
            self.user.signal(signal.SIGCONT)
        opened_at_once = False
        if trial.put_off:
            # Woken with both in hand, it may open before it reads the keys: then they came in the grace, and
            # what is pressed a second later is pressed by somebody who sees the question.
            self._wait(HELD - 0.2)
            opened_at_once = ASKS in self.user.text()
            self._wait(0.2)
        if not opened_at_once:
            self._type(0.0, trial.late, until=AFTER)
        self.seen_open += ASKS in self.user.text()
        assert self.kai.answers == [], (self.seed, self.late, self.trials[-2:], self.kai.answers)
        self.kai.settle(call)
        self.user.wait_gone(ASKS)

    def _type(self, at: float, keys: list[tuple[float, str]], until: float) -> None:
        for moment, each in keys:
            self._wait(moment - at)
            at = moment
            if self.late:
                return
            self.user.write(each)
        self._wait(until - at)

    def _wait(self, seconds: float) -> None:
        """Hands need time: this is what the test is about, and nothing is waited for."""
        began = time.monotonic()
        self._pause.wait(max(0.0, seconds))
        self.late |= time.monotonic() - began > max(0.0, seconds) + LATE

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
            self.user.wait_gone(ASKS)
