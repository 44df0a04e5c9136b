from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.contract.stand import Stand
from tests.contract.stands import STANDS


@pytest.fixture(params=STANDS, ids=lambda each: each.name)
async def stand(request: pytest.FixtureRequest) -> AsyncIterator[Stand]:
    """One of each; nothing of it may run on afterwards."""
    made: Stand = request.param()
    await made.open()
    try:
        yield made
    finally:
        await made.aclose()
    left: list[object] = []
    for _ in range(50):  # what was cancelled ends in the loop's next rounds
        await asyncio.sleep(0)
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if not left:
            break
    assert left == []
