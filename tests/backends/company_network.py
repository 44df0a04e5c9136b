"""A company network on loopback: its authority, a TLS server behind it, and what gets through."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kai_tui.backends.base import BackendError, Waiting
from kai_tui.backends.http import HttpDoor, Timeouts
from kai_tui.backends.secret import Secret
from tests.backends.kai_server import TIMEOUT, KaiServer, answer, stream
from tests.backends.middlemen import Authority, Middleman

CANARY = "canary-1234-AbCdEf"
PASSWORD = "s3cret-of-the-proxy"
STACK = "https://kai.stack.example"
AT_ONCE = Timeouts(connect=TIMEOUT, pauses=(0.0, 0.0))
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("corp"))


@pytest.fixture
async def server(authority: Authority) -> AsyncIterator[KaiServer]:
    async with KaiServer(authority.server("kai.stack.example", "127.0.0.1", "localhost")) as running:
        running.on("GET /x", answer(200, {"ok": 1}))
        running.on("POST /chat", stream(b"data: {}\n\n"))
        yield running


def door_to(url: str = STACK, timeouts: Timeouts = AT_ONCE) -> HttpDoor:
    return HttpDoor(url, auth_headers={"x-storageapi-token": Secret(CANARY)}, timeouts=timeouts)


async def get(
    url: str = STACK, timeouts: Timeouts = AT_ONCE, waits: list[Waiting | None] | None = None
) -> Any:
    door = door_to(url, timeouts)
    if waits is not None:
        door.on_wait = waits.append
    try:
        async with asyncio.timeout(TIMEOUT):
            return (await door.request("GET", "/x")).json()
    finally:
        await door.aclose()


async def failing(
    url: str = STACK, timeouts: Timeouts = AT_ONCE, waits: list[Waiting | None] | None = None
) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await get(url, timeouts, waits)
    assert PASSWORD not in repr(caught.value)
    return caught.value


async def through(
    monkeypatch: pytest.MonkeyPatch,
    authority: Authority,
    proxy: Middleman,
    variable: str = "HTTPS_PROXY",
    credentials: str = "",
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    monkeypatch.setenv(variable, proxy.url.replace("://", f"://{credentials}"))


def subject_hash(der: bytes) -> str:
    """The name OpenSSL looks a certificate up by."""
    import subprocess

    pem = ssl.DER_cert_to_PEM_cert(der)
    return subprocess.run(
        ["openssl", "x509", "-hash", "-noout"], input=pem.encode(), capture_output=True, check=True
    ).stdout.decode().strip()  # fmt: skip
