from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.contract.stand import Stand
from tests.contract.stands import ONLY_ANOTHER_ENCODING, STANDS

_ALL_ENCODINGS = {"test_answers", "test_decisions"}
"""Where it matters how an answer is written. Elsewhere `make test-slow` runs all of them."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
            continue
        of = item.callspec.params.get("stand")
        if of in ONLY_ANOTHER_ENCODING and item.module.__name__.rpartition(".")[2] not in _ALL_ENCODINGS:
            item.add_marker(pytest.mark.slow)


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
