"""Plays a case of the hostile corpus whose surface is the whole program: steps at their times, in a real pty."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.asking_kai import CLOSE, AskingKai, Flavour
from tests.e2e.user import ENTER, NARROW, RIGHT, User
from tests.hostile_cases import HostileCase

ASKS = "The assistant asks before it acts"
SETTLES = 2.5
"""Seconds after the last step in which something that must not come may still come: a question that waits for
a pause in typing opens after one."""


class Scenario:
    """One program at one server. `play`, then compare what came of it with the case's `expect`."""

    def __init__(self, case: HostileCase, home: Path, flavour: Flavour) -> None:
        self.case = case
        self.home = home
        self.kai = AskingKai(flavour).start()
        self.opened = 0
        """How often a question came up on screen."""
        self.before: list[str] = []
        """What stood in the prompt before the steps."""
        self._button = (0, 0)
        self._shown = False
        self.user = self._program()
        self._pause = threading.Event()

    def _program(self) -> User:
        env = {
            "STORAGE_API_TOKEN": "1-2-canary",
            "STORAGE_API_URL": "https://connection.test",
            "KAI_SERVICE": self.kai.flavour,
        }
        user = User(self.home, "--base-url", self.kai.url, size=NARROW, env=env)
        user.wait_for("Ctrl+P")
        return user

    def close(self) -> None:
        self.user.close()
        self.kai.close()

    @property
    def steps(self) -> list[dict[str, Any]]:
        return sorted(self.case.fields["steps"], key=lambda step: step.get("at_ms", 0))

    def play(self) -> None:
        """All steps, then a while in which nothing more is done."""
        steps = self.steps
        if not any("send" in step for step in steps):
            self.user.write("go" + ENTER)
            assert self.kai.streaming.wait(30)
            self.user.wait_for("You")
        if any("click" in step for step in steps):
            self._rehearse()
        began = time.monotonic()
        for step, following in zip(steps, [*steps[1:], None], strict=True):
            self._until(began + step.get("at_ms", 0) / 1000)
            self._do(step)
            more = following is not None and following.get("event") == "approval"
            if step.get("event") == "approval" and self.kai.flavour == "assistant" and not more:
                self.kai.finish()
        self._until(time.monotonic() + SETTLES)

    def _rehearse(self) -> None:
        """Where the button is: an earlier question stood there, too."""
        call = self.kai.ask()
        self.user.read_to_the_end()
        row = next(number for number, line in enumerate(self.user.lines()) if " Approve " in line)
        self._button = (self.user.lines()[row].index("Approve") + 2, row + 1)
        self.kai.settle(call)
        self.user.wait_gone(ASKS)

    def _until(self, moment: float) -> None:
        """Let time pass, watching the screen: a question that came and went counts."""
        while True:
            shown = self.user.process.poll() is None and ASKS in self.user.text()
            self.opened += shown and not self._shown
            self._shown = shown
            left = moment - time.monotonic()
            if left <= 0:
                return
            self._pause.wait(min(left, 0.02))

    def _do(self, step: dict[str, Any]) -> None:
        for name, act in self._acts.items():
            if name in step:
                act(self, step)
                return
        raise AssertionError(f"no such step: {step}")

    # The steps

    def _ask(self, step: dict[str, Any]) -> None:
        self.kai.ask(step["id"], step["tool"], step["args"])

    def _keys(self, step: dict[str, Any]) -> None:
        keys = step["keys"]
        if keys == "\t\r" and self.case.expect.get("approvals_sent"):
            # Whoever is to approve with these has read all of it, and typed the name of what is deleted.
            self.user.read_to_the_end()
            self.user.wait_quiet(0.2)
        if "gap_ms" not in step:
            self.user.write(keys)
            return
        for key in keys:
            self.user.write(key)
            self._until(time.monotonic() + step["gap_ms"] / 1000)

    def _block(self, step: dict[str, Any]) -> None:
        import signal

        self.user.signal(signal.SIGSTOP)
        threading.Timer(step["block_loop_ms"] / 1000, lambda: self.user.signal(signal.SIGCONT)).start()

    def _click(self, step: dict[str, Any]) -> None:
        column, row = self._button
        self.user.write(f"\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m")

    def _decide(self, step: dict[str, Any]) -> None:
        """As a person does it: when a question is there and armed, and only then."""
        try:
            self.user.read_to_the_end(timeout=8)
        except AssertionError:
            return
        self.opened += not self._shown
        self._shown = True
        if step["decide"] == "approve":
            self.user.write(RIGHT)
            self.user.wait_for("● Ready: Enter approves")
            self._until(time.monotonic() + 0.1)
        self.user.write(ENTER)

    def _kill(self, step: dict[str, Any]) -> None:
        self.user.signal(step["kill"])
        self.user.wait_exit()
        self._shown = False
        self.opened = 0

    def _start(self, step: dict[str, Any]) -> None:
        self.user.close()
        self.user = self._program()

    def _state(self, step: dict[str, Any]) -> None:
        state = step["server_state"]
        self.kai.parts[state["id"]] |= {"input": state["args"]}

    def _event(self, step: dict[str, Any]) -> None:
        self.kai.order(step["sse_event"])

    def _raw(self, step: dict[str, Any]) -> None:
        self.kai.order(step["sse_raw"].encode())

    def _close(self, step: dict[str, Any]) -> None:
        self.kai.order(CLOSE)

    def _send(self, step: dict[str, Any]) -> None:
        if step.get("server") == "refuses twice":
            # It is tried at once, after half a second, and two seconds later (N2).
            self.kai.refuse_for(1.2)
            self._until(time.monotonic() + 0.1)
        self.user.write(step["send"] + ENTER)
        self.user.wait_for(lambda _: self.kai.questions, timeout=20)

    _acts: dict[str, Callable[[Scenario, dict[str, Any]], None]] = {  # noqa: RUF012 - never changed
        "event": _ask,
        "keys": _keys,
        "block_loop_ms": _block,
        "click": _click,
        "resize": lambda self, step: self.user.resize(tuple(step["resize"])),
        "decide": _decide,
        "kill": _kill,
        "start": _start,
        "server_state": _state,
        "sse_event": _event,
        "sse_raw": _raw,
        "close": _close,
        "send": _send,
    }

    # What came of it

    def approved(self) -> list[str]:
        return [each.call for each in self.kai.answers if each.approved]

    def denied(self) -> list[str]:
        return [each.call for each in self.kai.answers if not each.approved]
