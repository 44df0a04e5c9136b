"""The quiet time of dialogs: nothing counts before it, and everything restarts it."""

import random

import pytest

from kai_tui.ui.modals.guard import BURST_SECONDS, QUIET_SECONDS, STALL_SECONDS, Guard


class Timeline:
    """A guard whose beat runs every 50 ms of an invented clock."""

    def __init__(self) -> None:
        self.guard = Guard()
        self.now = 100.0

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now + 0.05 < end:
            self.now += 0.05
            self.guard.beat(self.now)
        self.now = end
        self.guard.beat(self.now)

    def key(self) -> bool:
        return self.guard.counts(self.now, key=True)


@pytest.fixture
def line() -> Timeline:
    line = Timeline()
    line.guard.painted(line.now)
    return line


def test_never_armed_before_the_first_paint() -> None:
    line = Timeline()
    line.wait(10)
    assert not line.guard.armed
    assert not line.key()


def test_armed_after_half_a_second_of_quiet(line: Timeline) -> None:
    line.wait(QUIET_SECONDS - 0.06)
    assert not line.guard.armed
    line.wait(0.12)
    assert line.guard.armed
    line.wait(0.05)
    assert line.key()


def test_a_key_in_the_grace_starts_it_again(line: Timeline) -> None:
    for _ in range(20):
        line.wait(0.3)
        assert not line.key()
    assert not line.guard.armed
    line.wait(QUIET_SECONDS + 0.1)
    assert line.guard.armed


def test_moving_the_mouse_delays_but_does_not_disarm(line: Timeline) -> None:
    line.wait(0.4)
    line.guard.pass_by(line.now)
    line.wait(0.4)
    assert not line.guard.armed
    line.wait(0.3)
    assert line.guard.armed
    line.guard.pass_by(line.now)
    assert line.guard.armed


def test_a_disturbance_takes_the_arming_back(line: Timeline) -> None:
    line.wait(1)
    line.guard.disturb(line.now)
    assert not line.guard.armed


def test_a_key_pressed_before_the_arming_but_read_after_it_does_not_count(line: Timeline) -> None:
    line.wait(0.48)
    pressed = line.now
    line.wait(0.3)
    assert line.guard.armed
    assert not line.guard.counts(pressed, key=True)
    assert not line.guard.armed


def test_keys_read_after_a_stall_do_not_count(line: Timeline) -> None:
    line.wait(1)
    line.now += STALL_SECONDS + 0.1
    assert not line.key()


def test_a_beat_after_a_stall_disarms(line: Timeline) -> None:
    line.wait(1)
    line.now += 3600
    line.guard.beat(line.now)
    assert not line.guard.armed


def test_keys_of_a_burst_do_not_count(line: Timeline) -> None:
    line.wait(1)
    assert line.key()
    line.now += BURST_SECONDS / 2
    assert not line.key()
    assert not line.guard.armed


def test_nothing_counts_within_the_quiet_time_whatever_happens() -> None:
    """P1: 1,000 random runs of keys, stalls and pauses."""
    for seed in range(1000):
        chance = random.Random(seed)
        line = Timeline()
        line.guard.painted(line.now)
        last_input = line.now
        for _ in range(30):
            kind = chance.random()
            if kind < 0.5:
                line.wait(chance.uniform(0.01, 0.7))
            elif kind < 0.6:
                line.now += chance.uniform(0.1, 2.0)
            elif kind < 0.7:
                line.guard.disturb(line.now)
                last_input = line.now
            else:
                was_armed = line.guard.armed
                counted = line.key()
                assert not counted or was_armed
                assert not counted or line.now - last_input > QUIET_SECONDS or was_armed
                if not counted:
                    last_input = line.now
