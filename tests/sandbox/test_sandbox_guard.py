"""The served sandbox is reachable by nobody else: the twelve checks of T12 (reliability.md L2-L6)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from kai_tui.sandbox import serve as serve_module
from tests.sandbox.chatter import envelope, new_id, user_message

Served = dict[str, str]


def ask(served: Served, method: str = "GET", path: str = "/api/history", **options: object) -> httpx.Response:
    headers = {"x-storageapi-token": served["token"], "x-storageapi-url": served["storage_api_url"]}
    headers |= options.pop("headers", {})  # type: ignore[arg-type]
    with httpx.Client(base_url=served["base_url"], trust_env=False, timeout=10) as client:
        return client.request(method, path, headers=headers, **options)  # type: ignore[arg-type]


def port_of(served: Served) -> int:
    port = urlsplit(served["base_url"]).port
    assert port is not None
    return port


def test_the_owner_is_served(served: Served) -> None:
    assert ask(served).status_code == 200
    port = port_of(served)
    assert ask(served, headers={"host": f"localhost:{port}"}).status_code == 200


def test_it_says_where_it_is_in_one_line(served: Served) -> None:
    assert set(served) == {"base_url", "storage_api_url", "token"}
    assert served["base_url"].startswith("http://127.0.0.1:")
    assert len(served["token"]) >= 43


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost", "[::1]:80", "127.0.0.1.nip.io", ""]
)
def test_wrong_host(served: Served, host: str) -> None:
    assert ask(served, headers={"host": host}).status_code == 403


def test_a_name_bound_to_this_machine_later(served: Served) -> None:
    """DNS rebinding: the right port and token do not help."""
    assert ask(served, headers={"host": f"rebound.example:{port_of(served)}"}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "cross-site"},
    ],
)
@pytest.mark.parametrize("path", ["/ping", "/api/history", "/v2/storage"])
def test_web_pages(served: Served, headers: dict[str, str], path: str) -> None:
    response = ask(served, path=path, headers=headers)
    assert response.status_code == 403
    assert not [name for name in response.headers if name.startswith("access-control")]


def test_cors_preflight(served: Served) -> None:
    headers = {
        "origin": "https://evil.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-storageapi-token",
    }
    response = ask(served, "OPTIONS", "/api/chat", headers=headers)
    assert response.status_code == 403
    assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.some(6)
@pytest.mark.parametrize("token", ["", "wrong", "x" * 10_000])
@pytest.mark.parametrize(
    "path", ["/api/history", "/v2/storage", "/api/settings/tools", "/nothing", "/", "/assistant/api/history"]
)
def test_wrong_token(served: Served, token: str, path: str) -> None:
    assert ask(served, path=path, headers={"x-storageapi-token": token}).status_code == 401


def test_the_open_paths_tell_nothing(served: Served) -> None:
    with httpx.Client(base_url=served["base_url"], trust_env=False) as client:
        assert set(client.get("/ping").json()) == {"timestamp"}
        assert served["token"] not in client.get("/api").text
        assert client.post("/ping", json={}).status_code == 401


def test_wrong_method(served: Served) -> None:
    chat = {"id": new_id()}
    for method, path in (
        ("GET", "/api/chat"),
        ("PUT", "/api/chat"),
        ("TRACE", "/api/history"),
        ("GET", "/api/suggestions"),
    ):
        assert ask(served, method, path, params=chat).status_code in (400, 404)


def test_wrong_type(served: Served) -> None:
    body = json.dumps(envelope(new_id(), user_message("x")))
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert (
            ask(served, "POST", "/api/chat", content=body, headers={"content-type": kind}).status_code == 400
        )


def test_too_large(served: Served) -> None:
    response = ask(
        served,
        "POST",
        "/api/chat",
        content=b" " * (2 * 1024 * 1024),
        headers={"content-type": "application/json"},
    )
    assert response.status_code == 413


def test_too_large_without_saying_so(served: Served) -> None:
    def pieces():  # type: ignore[no-untyped-def]
        for _ in range(40):
            yield b" " * 65536

    response = ask(
        served, "POST", "/api/chat", content=pieces(), headers={"content-type": "application/json"}
    )
    assert response.status_code == 413


def test_only_this_machine_by_ipv4(served: Served) -> None:
    port = port_of(served)
    with socket.socket() as own:
        own.settimeout(5)
        own.connect(("127.0.0.1", port))
    if socket.has_ipv6:
        with socket.socket(socket.AF_INET6) as other, pytest.raises(OSError):
            other.settimeout(1)
            other.connect(("::1", port))
    for *_, address in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET, socket.SOCK_STREAM):
        if str(address[0]).startswith("127."):
            continue
        with socket.socket() as outside, pytest.raises(OSError):
            outside.settimeout(1)
            outside.connect(address[:2])


def test_a_web_socket_is_not_opened(served: Served) -> None:
    headers = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "x" * 22 + "==",
    }
    assert ask(served, path="/api/history", headers=headers).status_code != 101


async def test_a_slow_head_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same protocol class, with a shorter clock, on a server in this process."""
    import uvicorn

    from kai_tui.sandbox.project import Project
    from kai_tui.sandbox.server import create_app

    monkeypatch.setattr(serve_module, "HEADER_SECONDS", 0.1)
    listener = serve_module._listen(0)  # pyright: ignore[reportPrivateUsage]
    project = Project.open(":memory:")
    app = create_app(project, service="agent", token="t")
    server = uvicorn.Server(
        uvicorn.Config(app, http=serve_module._ImpatientProtocol, lifespan="off", log_config=None)  # pyright: ignore[reportPrivateUsage]
    )
    monkeypatch.setattr(server, "install_signal_handlers", lambda: None, raising=False)
    running = asyncio.create_task(server._serve([listener]))  # pyright: ignore[reportPrivateUsage]
    try:
        for start in (b"", b"GET /ping HTTP/1.1\r\nHost: x\r\nX-Slow: "):
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.getsockname()[1])
            writer.write(start)
            async with asyncio.timeout(5):
                assert await reader.read() == b""
            writer.close()
        # A second request on one connection has a clock too.
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.getsockname()[1])
        writer.write(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\nGET /pi")
        async with asyncio.timeout(5):
            assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()
    finally:
        server.should_exit = True
        await running
        listener.close()
        project.close()


def start(*arguments: str, env: dict[str, str] | None = None) -> tuple[subprocess.Popen[str], Served]:
    process = subprocess.Popen(
        [sys.executable, "-m", "kai_tui", "sandbox", "serve", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
    )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


@pytest.mark.some(1)
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("which", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_it_well_even_while_a_stream_is_open(which: str, tmp_path: Path) -> None:
    path = tmp_path / "project.db"
    process, served = start(
        "--pace", "1", "--path", str(path), "--service", "assistant", env={"HTTP_PROXY": "http://127.0.0.1:9"}
    )
    try:
        headers = {"x-storageapi-token": served["token"], "x-storageapi-url": served["storage_api_url"]}
        body = envelope(new_id(), user_message("/demo slow"))
        with (
            httpx.Client(base_url=served["base_url"], headers=headers, trust_env=False) as client,
            client.stream("POST", "/api/chat", json=body) as response,
        ):
            next(response.iter_raw())
            began = time.monotonic()
            process.send_signal(getattr(signal, which))
            assert process.wait(10) == 0
            assert time.monotonic() - began < 3
        out, err = process.communicate()
        assert (out, err) == ("", "")
        assert path.stat().st_mode & 0o777 == 0o600
    finally:
        process.kill()
        process.communicate()


def test_a_port_in_use(served: Served) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kai_tui", "sandbox", "serve", "--port", str(port_of(served))],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert "cannot be used" in done.stderr
    assert done.stdout == ""
