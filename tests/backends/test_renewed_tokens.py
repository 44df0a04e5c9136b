"""Requests that were on their way when the token was renewed."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from kai_tui.backends.base import BackendError, TokenRefused
from kai_tui.backends.http import HttpDoor
from kai_tui.backends.secret import Secret


class Gatekeeper:
    """Takes the new token only, and answers those who come with the old one late."""

    def __init__(self) -> None:
        self.late = asyncio.Event()
        self.asked: list[tuple[str, str]] = []
        self.refused: list[BackendError] = []
        self.door = HttpDoor(
            "https://kai.test", auth_headers={"x-token": Secret("old")}, transport=httpx.MockTransport(self)
        )
        self.door.on_refused = self.refused.append

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        token = request.headers["x-token"]
        self.asked.append((request.method, token))
        if token == "new":
            return httpx.Response(200, json={"ok": True})
        await self.late.wait()
        return httpx.Response(401, json={"error": "expired"})


async def test_a_read_is_asked_again_with_the_new_token_and_nobody_is_asked_for_another() -> None:
    keeper = Gatekeeper()
    reading = asyncio.create_task(keeper.door.request("GET", "/api/history"))
    while not keeper.asked:
        await asyncio.sleep(0)
    keeper.door.renew({"x-token": Secret("new")})
    keeper.late.set()
    assert (await reading).json() == {"ok": True}
    assert keeper.asked == [("GET", "old"), ("GET", "new")]
    assert keeper.refused == []
    await keeper.door.aclose()


async def test_what_changes_something_is_not_sent_again_and_the_new_token_is_not_called_refused() -> None:
    keeper = Gatekeeper()
    writing = asyncio.create_task(keeper.door.request("POST", "/api/approval", body={}))
    while not keeper.asked:
        await asyncio.sleep(0)
    keeper.door.renew({"x-token": Secret("new")})
    keeper.late.set()
    with pytest.raises(TokenRefused):
        await writing
    assert keeper.asked == [("POST", "old")]
    assert keeper.refused == []
    await keeper.door.aclose()
