"""The month's quota: when it is asked for, and that no old number is shown for a new one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kai_tui.backends.base import BackendError, CannotConnect, Quota, ServerFailed
from kai_tui.conversation import events as e
from kai_tui.services.account import SANDBOX
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.quota import EVERY_SECONDS, QuotaWatch, level_of
from kai_tui.services.workspace import Workspace
from kai_tui.storage.paths import account_files, app_paths
from tests.services.scripted_backend import QUOTA, ScriptedBackend, until


class Watched:
    """A watch over a scripted backend, with a clock of ours."""

    def __init__(self, backend: ScriptedBackend) -> None:
        self.now = 100.0
        self.busy = False
        self.changes: list[Quota | None] = []
        self.heard: list[BackendError | None] = []
        self.today = datetime(2026, 11, 21, tzinfo=UTC)

        async def provide() -> ScriptedBackend:
            return backend

        self.watch = QuotaWatch(
            provide,
            busy=lambda: self.busy,
            changed=lambda: self.changes.append(self.watch.quota),
            heard=self.heard.append,
            clock=lambda: self.now,
            today=lambda: self.today,
        )


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend(offers={"usage": True})


@pytest.fixture
async def watched(backend: ScriptedBackend) -> AsyncIterator[Watched]:
    made = Watched(backend)
    yield made
    await made.watch.aclose()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_it_is_read_when_woken(watched: Watched, backend: ScriptedBackend) -> None:
    watched.watch.wake()
    await until(lambda: watched.changes == [QUOTA])
    assert backend.quota_reads == 1
    assert watched.heard == [None]


async def test_it_is_asked_for_at_most_every_ten_seconds(watched: Watched, backend: ScriptedBackend) -> None:
    watched.watch.wake()
    await until(lambda: backend.quota_reads == 1)
    await settle()
    for _ in range(5):
        watched.watch.wake()
    await settle()
    assert backend.quota_reads == 1
    timer = watched.watch._timer
    assert timer is not None
    assert timer.when() - asyncio.get_running_loop().time() == pytest.approx(EVERY_SECONDS, abs=1)


async def test_a_refusal_is_explained_with_a_fresh_number_and_one_request(
    watched: Watched, backend: ScriptedBackend
) -> None:
    watched.watch.wake()
    await until(lambda: backend.quota_reads == 1)
    await settle()
    backend.quota_now = Quota(150, 150)
    watched.watch.wake()
    assert await watched.watch.ask() == Quota(150, 150)
    assert await asyncio.gather(watched.watch.ask(), watched.watch.ask()) == [Quota(150, 150)] * 2
    assert backend.quota_reads == 3


async def test_never_while_a_reply_streams(watched: Watched, backend: ScriptedBackend) -> None:
    watched.busy = True
    watched.watch.wake()
    await until(lambda: watched.watch._timer is None)
    await settle()
    assert backend.quota_reads == 0
    watched.busy = False
    watched.watch.wake()
    await until(lambda: backend.quota_reads == 1)


async def test_a_failed_read_takes_the_number_away_and_says_nothing(
    watched: Watched, backend: ScriptedBackend
) -> None:
    watched.watch.wake()
    await until(lambda: watched.watch.quota == QUOTA)
    backend.quota_error = ServerFailed("No.")
    watched.now += EVERY_SECONDS
    watched.watch.wake()
    await until(lambda: watched.watch.quota is None)
    assert watched.changes == [QUOTA, None]
    assert isinstance(watched.heard[-1], ServerFailed)


async def test_a_number_of_last_month_is_not_shown(watched: Watched) -> None:
    watched.watch.wake()
    await until(lambda: watched.watch.quota == QUOTA)
    watched.today = datetime(2026, 12, 1, 0, 0, 1, tzinfo=UTC)
    assert watched.watch.quota is None


async def test_a_server_without_quota_is_not_asked(backend: ScriptedBackend) -> None:
    backend.offers = {}
    made = Watched(backend)
    made.watch.wake()
    await settle()
    assert await made.watch.ask() is None
    assert backend.quota_reads == 0
    await made.watch.aclose()


@pytest.mark.parametrize(
    ("used", "limit", "level"),
    [
        (0, 150, "fine"),
        (119, 150, "fine"),
        (120, 150, "low"),
        (149, 150, "low"),
        (150, 150, "used-up"),
        (151, 150, "used-up"),
        (7, 0, "fine"),
        (7, -1, "fine"),
    ],
)
def test_how_near_the_end(used: int, limit: int, level: str) -> None:
    assert level_of(Quota(used, limit)) == level


# In the workspace


@pytest.fixture
async def workspace(own_home: Path, backend: ScriptedBackend) -> AsyncIterator[Workspace]:
    async def provide() -> ScriptedBackend:
        return backend

    paths = app_paths({"KAI_TUI_HOME": str(own_home)})
    made = Workspace(SANDBOX, provide, DiskKeeper(account_files(paths, "x")))
    yield made
    await made.aclose()


async def test_read_after_connecting_and_again_after_a_turn(
    workspace: Workspace, backend: ScriptedBackend
) -> None:
    now = [100.0]
    workspace.offers.quota._clock = lambda: now[0]
    workspace.connect()
    await until(lambda: workspace.offers.quota.quota == QUOTA)
    gate = asyncio.Event()
    backend.replies = [[e.Start("a"), e.TextStart("t"), e.TextDelta("t", "Hi"), gate, e.Finish("stop")]]
    backend.quota_now = Quota(43, 150)
    session = workspace.chats.new_chat()
    session.send("Hello")
    await until(lambda: session.turn.phase == "streaming")
    now[0] += EVERY_SECONDS
    await settle()
    assert backend.quota_reads == 1
    gate.set()
    await until(lambda: workspace.offers.quota.quota == Quota(43, 150))
    assert backend.quota_reads == 2


async def test_a_server_that_is_gone_is_shown_as_gone_and_as_back_only_when_it_answered(
    workspace: Workspace, backend: ScriptedBackend
) -> None:
    workspace.connect()
    await until(lambda: workspace.connection.state == "connected")
    assert not workspace.connection.again
    backend.alive_error = CannotConnect("kai.test refuses connections.")
    pulse = await workspace.offers.health.ping()
    assert pulse.failure is backend.alive_error
    assert workspace.connection.state == "failed"
    assert workspace.connection.sentence == "kai.test refuses connections."
    await workspace.offers.health.ping()
    assert workspace.connection.state == "failed"
    backend.alive_error = None
    await workspace.offers.health.ping()
    await until(lambda: workspace.connection.state == "connected")
    assert workspace.connection.again


async def test_a_refused_ping_is_no_lost_connection(workspace: Workspace, backend: ScriptedBackend) -> None:
    workspace.connect()
    await until(lambda: workspace.connection.state == "connected")
    backend.alive_error = ServerFailed("Server error.")
    await workspace.offers.health.ping()
    assert workspace.connection.state == "connected"


async def test_after_a_turn_that_failed_the_server_is_looked_for(
    workspace: Workspace, backend: ScriptedBackend
) -> None:
    backend.offers = {}
    workspace.connect()
    await until(lambda: workspace.connection.state == "connected")
    backend.alive_error = CannotConnect("kai.test refuses connections.")
    backend.replies = [[ServerFailed("No.")]]
    session = workspace.chats.new_chat()
    session.send("Hello")
    await until(lambda: workspace.connection.state == "failed")
    backend.alive_error = None
    backend.replies = [[e.Start("a"), e.TextStart("t"), e.TextDelta("t", "Hi"), e.Finish("stop")]]
    session.send("Are you there?")
    await until(lambda: workspace.connection.state == "connected")


@pytest.mark.parametrize(
    ("theirs", "ahead", "differs"),
    [
        ("2026-11-21T12:00:00.000Z", 1.0, False),
        ("2026-11-21T11:00:00.000Z", 3601.0, True),
        ("2026-11-21T12:05:00.000Z", -299.0, True),
        ("nonsense", None, False),
        ("", None, False),
    ],
)
async def test_the_clocks_are_compared(
    workspace: Workspace, backend: ScriptedBackend, theirs: str, ahead: float | None, differs: bool
) -> None:
    health = workspace.offers.health
    ticks = iter([10.0, 12.0])
    health._clock = lambda: next(ticks)
    health._today = lambda: datetime(2026, 11, 21, 12, tzinfo=UTC)
    backend.alive_now = theirs
    pulse = await health.ping()
    assert pulse.seconds == 2.0
    assert pulse.ahead == ahead
    assert pulse.clocks_differ is differs
