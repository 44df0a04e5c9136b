"""t_approval_race: no key, paste or click from before or within the grace decides anything (P1, A1-A3).

Real programs in real ptys, with keys from 0.3 s before until 0.48 s after a question opens, a part of them
while the program is stopped, so that keys and question reach it in one go.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.typist import Typist
from tests.e2e.user import NARROW, WIDE
from tests.pty_harness import posix_only

pytestmark = posix_only

SIZES = (NARROW, (60, 20), (100, 30), WIDE)


def type_at(home: Path, seed: int, trials: int) -> int:
    """So many trials in one program; a person can still decide before and after them.

    Returns in how many of them the question stood on screen when the keys had been pressed.
    """
    typist = Typist(home / str(seed), seed, SIZES[seed % len(SIZES)])
    try:
        typist.begin()
        typist.approve_one()
        for _ in range(trials):
            typist.trial()
        typist.approve_one()
        assert typist.kai.answers == []
        return typist.seen_open
    finally:
        typist.close()


def test_keys_around_the_opening_decide_nothing(own_home: Path) -> None:
    # Hands of this seed leave no pause over 0.2 s.
    assert type_at(own_home, seed=38, trials=3)


@pytest.mark.slow
def test_a_thousand_typing_runs(own_home: Path) -> None:
    programs, trials = 8, 125
    # A process for each: who types must see at once what is on screen, or does not know when a question opened.
    apart = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(programs, apart) as pool:
        runs = [pool.submit(type_at, own_home, seed, trials) for seed in range(1, programs + 1)]
        open_in = [run.result() for run in runs]
    # Otherwise the dialog was tried in too few of them.
    assert sum(open_in) > programs * trials / 2, open_in
