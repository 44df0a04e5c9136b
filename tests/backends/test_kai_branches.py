"""The development branches of a project, and what they change on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from kai_tui.backends.base import BackendError
from kai_tui.backends.kai.branches import Branch, development_branches
from kai_tui.backends.secret import Secret
from tests.backends.kai_server import KaiServer, answer

TOKEN = Secret("canary-1234-AbCdEf")
MAIN = {"id": 1, "name": "Main", "description": "", "isDefault": True, "created": "2026-01-01T00:00:00Z"}


@pytest.fixture
async def stack() -> AsyncIterator[KaiServer]:
    async with KaiServer() as running:
        yield running


async def test_they_are_listed_without_main(stack: KaiServer) -> None:
    rows = [
        {"id": 23, "name": "fix-crm", "description": "Fix it", "isDefault": False},
        MAIN,
        {"id": "24", "name": "main", "isDefault": False},
        {"id": 25, "name": None},
        "no branch",
        {"name": "no number"},
        {"id": -3, "name": "odd"},
        {"id": 23, "name": "twice"},
    ]
    stack.on("GET /v2/storage/dev-branches", answer(200, rows))
    found = await development_branches(f"{stack.url}/v2/storage", TOKEN)
    assert found == (Branch(23, "fix-crm", "Fix it"), Branch(25, ""))
    (seen,) = stack.seen
    assert seen.headers["x-storageapi-token"] == TOKEN.reveal()


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, {"branches": []}), (200, b"<html>"), (403, {"error": "no"}), (404, b""), (200, "x")],
)
async def test_anything_else_is_an_error(stack: KaiServer, status: int, body: Any) -> None:
    stack.on("GET /v2/storage/dev-branches", answer(status, body))
    with pytest.raises(BackendError):
        await development_branches(stack.url, TOKEN)
