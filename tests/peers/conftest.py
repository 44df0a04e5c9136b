"""Servers of `aisdk/`, one per kind and session; a house per test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.peers.house import House
from tests.peers.node_peer import Peer, peer


@pytest.fixture(scope="session")
def assistant() -> Iterator[Peer]:
    with peer("--service", "assistant") as found:
        yield found


@pytest.fixture(scope="session")
def signing_assistant() -> Iterator[Peer]:
    """Signs its approval requests and takes no answer without its signature."""
    with peer("--service", "assistant", "--signed") as found:
        yield found


@pytest.fixture(scope="session")
def agent() -> Iterator[Peer]:
    with peer("--service", "agent") as found:
        yield found


@pytest.fixture
async def house(assistant: Peer, tmp_path: Path) -> AsyncIterator[House]:
    async with living_in(House(assistant, tmp_path)) as made:
        yield made


@pytest.fixture
async def signing_house(signing_assistant: Peer, tmp_path: Path) -> AsyncIterator[House]:
    async with living_in(House(signing_assistant, tmp_path)) as made:
        yield made


@pytest.fixture
async def agent_house(agent: Peer, tmp_path: Path) -> AsyncIterator[House]:
    async with living_in(House(agent, tmp_path)) as made:
        yield made


@asynccontextmanager
async def living_in(house: House) -> AsyncIterator[House]:
    """Everything is closed at the end, and nothing of it goes on."""
    yield house
    for workspace in house.opened:
        await workspace.aclose()
    leaked = [t for t in asyncio.all_tasks() if t is not asyncio.current_task() and not t.done()]
    assert leaked == []
