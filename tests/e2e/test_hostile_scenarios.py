"""The corpus's scenarios in a real pty: what is answered, what is asked, what is sent (P1-P5, A1-A10).

t_approval_race, t_approval_binding, t_approval_once and t_auto_approve as the corpus tells them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.asking_kai import Flavour
from tests.e2e.scenario import ASKS, Scenario
from tests.fixture_cases import case_id
from tests.hostile_cases import HostileCase, hostile_cases
from tests.pty_harness import posix_only

pytestmark = posix_only

CASES = [case for case in hostile_cases("app") if "steps" in case.fields]
QUICK = ("scenario-letters-never-approve", "scenario-args-changed-before-send")


def flavours(case: HostileCase) -> list[Flavour]:
    """The older service's stream ends with the question; the other one reads its chat when a stream broke off."""
    steps = case.fields["steps"]
    if any("server_state" in step for step in steps):
        return ["assistant"]
    if any(name in step for step in steps for name in ("close", "sse_raw", "send", "click")):
        return ["agent"]
    if sum("event" in step for step in steps) > 1:
        return ["agent"]  # the other one waits for all answers and takes them in one request
    return ["agent", "assistant"]


def checks(played: Scenario) -> dict[str, Callable[[Any], object]]:
    """What a case may expect, and whether it is so."""
    kai, user = played.kai, played.user
    return {
        "approvals_sent": lambda count: len(played.approved()) == count,
        "approvals_sent_max": lambda count: len(played.approved()) <= count,
        "denials_sent": lambda count: len(played.denied()) == count,
        "approved": lambda calls: played.approved() == calls,
        "dialogs_opened": lambda count: played.opened == count,
        "dialogs_opened_after_server_confirms": lambda count: played.opened == count and kai.reads > 0,
        "dialog_reopened_with": lambda text: ASKS in user.text() and text in user.text(),
        "flag": lambda word: word in user.text(),
        "state_checked_first": lambda _: not played.approved() or kai.reads > 0,
        "posts_reaching_server": lambda count: len(kai.questions) == count,
        "message_state": lambda state: state != "sent" or "not sent" not in user.text(),
        "typed_text_kept_or_absorbed": lambda _: not kai.questions[1:],
    }


def params() -> list[Any]:
    found: list[Any] = []
    for case in CASES:
        for flavour in flavours(case):
            quick = case.name in QUICK and flavour == flavours(case)[0]
            marks = () if quick else (pytest.mark.slow,)
            found.append(pytest.param(case, flavour, id=f"{case_id(case.path)}-{flavour}", marks=marks))
    return found


@pytest.mark.parametrize(("case", "flavour"), params())
def test_a_scenario_ends_as_it_must(case: HostileCase, flavour: Flavour, own_home: Path) -> None:
    played = Scenario(case, own_home, flavour)
    try:
        played.play()
        may = checks(played)
        for name, value in case.expect.items():
            assert may[name](value), (name, value, played.kai.answers, played.opened, played.user.text())
    finally:
        played.close()
