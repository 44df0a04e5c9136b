"""Who asks: fixed headers, headers of a command, and that they go nowhere else."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
import sys
import traceback
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from kai_tui.backends.assistant_ui.config import AssistantUiConfig, HeaderCommand
from kai_tui.backends.assistant_ui.headers import HeaderSource, headers_from
from kai_tui.backends.base import BackendError, Refused, TokenRefused, Unsupported
from kai_tui.backends.secret import Secret, SecretLine
from tests.backends.assistant_ui.kit import THREAD, TOKEN, backend, failing, sent
from tests.backends.kai_server import TIMEOUT, answer
from tests.fakes.assistant_ui import FakeAssistantUi

CANARY = "canary-1234-AbCdEf"
posix = pytest.mark.skipif(os.name != "posix", reason="a shell script")


@pytest.fixture
async def server() -> AsyncIterator[FakeAssistantUi]:
    async with FakeAssistantUi() as running:
        yield running


@pytest.fixture
def helper(tmp_path: Path) -> Callable[..., HeaderCommand]:
    """A program that runs this Python code."""

    def make(code: str, *arguments: str, **options: Any) -> HeaderCommand:
        script = tmp_path / "helper.py"
        script.write_text(f"import os, sys, time, json, subprocess\n{code}\n")
        return HeaderCommand((sys.executable, str(script), *arguments), **options)

    return make


def revealed(headers: Any) -> dict[str, str]:
    return {name: value.reveal() for name, value in headers.items()}


# What a helper may print


async def test_a_token_goes_behind_its_scheme(helper: Callable[..., HeaderCommand]):
    assert revealed(await headers_from(helper("print('abc')"))) == {"authorization": "Bearer abc"}
    assert revealed(await headers_from(helper("print('abc')", header="X-Api-Key", scheme=""))) == {
        "x-api-key": "abc"
    }
    assert revealed(await headers_from(helper("print(sys.argv[1])", "a b; $(x) *"))) == {
        "authorization": "Bearer a b; $(x) *"
    }


async def test_headers_as_json(helper: Callable[..., HeaderCommand]):
    found = await headers_from(helper("print(json.dumps({'Authorization': 'Token a b', 'X-Team': '7'}))"))
    assert revealed(found) == {"authorization": "Token a b", "x-team": "7"}
    assert all(isinstance(value, Secret) for value in found.values())
    assert "Token" not in repr(found)


@pytest.mark.some(5)
@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("pass", "printed nothing"),
        ("print()", "printed nothing"),
        ("sys.stdout.buffer.write(b'\\xff\\xfe')", "printed nothing that can be used"),
        (f"print('{CANARY}\\nsecond')", "more than one line"),
        (f"print('{CANARY}\\x1b[31m')", "characters a header cannot have"),
        (f"print('{CANARY}é')", "characters a header cannot have"),
        (f"print('{CANARY}' * 10000)", "printed too much"),
        (f'print(\'{{"a": "{CANARY}\')', "JSON that cannot be read"),
        ("print('{}')", "printed no headers"),
        (f"print(json.dumps({{'x': ['{CANARY}']}}))", "value cannot be sent"),
        (f"print(json.dumps({{'x': '{CANARY}\\r\\ny: z'}}))", "value cannot be sent"),
        (f"print(json.dumps({{'content-length': '{CANARY}'}}))", "header that cannot be sent"),
        (f"print(json.dumps({{'a b': '{CANARY}'}}))", "header that cannot be sent"),
        (
            "sys.stderr.write('first\\nplease log in first.\\n'); sys.exit(3)",
            "ended with status 3: please log in first.",
        ),
        (f"print('{CANARY}'); sys.stderr.write('got {CANARY}'); sys.exit(1)", "ended with status 1. Nothing"),
    ],
)
async def test_what_cannot_be_used_is_said_and_never_quoted(
    helper: Callable[..., HeaderCommand], code: str, says: str
):
    error = await failing(headers_from(helper(code)))
    assert isinstance(error, TokenRefused | Refused)
    assert says in error.sentence
    assert error.sentence.endswith("Nothing was sent.")
    assert error.delivery == "not-sent"
    assert CANARY[:8] not in "".join(traceback.format_exception(error)) + error.sentence + str(error.detail)


@pytest.mark.parametrize(
    "program", ["no-such-program-here", "/no/such/program", "./token.sh", "tools/token.sh"]
)
async def test_a_program_that_is_not_there_or_not_named_wholly(program: str):
    error = await failing(headers_from(HeaderCommand((program,))))
    assert isinstance(error, Refused)
    assert "Nothing was sent" in error.sentence


async def test_a_program_in_the_current_folder_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    trap = tmp_path / "trap-of-the-project"
    trap.write_text("#!/bin/sh\necho stolen\n")
    trap.chmod(trap.stat().st_mode | stat.S_IXUSR)
    monkeypatch.chdir(tmp_path)
    error = await failing(headers_from(HeaderCommand((trap.name,))))
    assert "was not found" in error.sentence


async def test_no_command_at_all_is_refused_when_the_account_is_made():
    with pytest.raises(Refused, match="names no program"):
        backend("https://aui.example", headers={}, header_command=HeaderCommand(()))


@posix
async def test_a_helper_that_hangs_is_killed_with_all_it_started(
    helper: Callable[..., HeaderCommand], tmp_path: Path
):
    pids = tmp_path / "pids"
    code = (
        "child = subprocess.Popen(['sleep', '1000'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(1000)"
    )
    error = await failing(headers_from(helper(code, timeout=1.0)))
    assert "took longer than 1 s and was stopped" in error.sentence
    await _gone(pids)


@posix
async def test_giving_up_kills_it_too(helper: Callable[..., HeaderCommand], tmp_path: Path):
    pids = tmp_path / "pids"
    code = f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}}')\ntime.sleep(1000)"
    task = asyncio.create_task(headers_from(helper(code)))  # type: ignore[arg-type]
    async with asyncio.timeout(TIMEOUT):
        while not pids.exists() or not pids.read_text():
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await _gone(pids)


async def _gone(pids: Path) -> None:
    async with asyncio.timeout(TIMEOUT):
        for pid in map(int, pids.read_text().split()):
            while _runs(pid):
                await asyncio.sleep(0.005)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return not Path("/proc").is_dir()
    return state != "Z"


async def test_a_helper_reads_nothing_and_runs_at_home(
    helper: Callable[..., HeaderCommand], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("HOME", str(tmp_path))
    found = await headers_from(helper("print(repr(sys.stdin.read()) + os.getcwd())", scheme=""))
    assert revealed(found)["authorization"] == f"''{tmp_path}"


# In requests


async def test_the_command_is_run_before_every_request(
    server: FakeAssistantUi, helper: Callable[..., HeaderCommand], tmp_path: Path
):
    count = tmp_path / "count"
    code = f"open({str(count)!r}, 'a').write('x'); print('{TOKEN}')"
    client = backend(
        server.url, headers={"X-Team": "7", "authorization": "Bearer stale"}, header_command=helper(code)
    )
    assert (await sent(client, "hello")).text == "Hello from the fake."
    assert await client.cancel(THREAD) is True
    await client.alive()
    await client.aclose()
    assert count.read_text() == "xx"
    chat, stop, health = server.seen
    for seen in (chat, stop):
        assert (seen.headers["authorization"], seen.headers["x-team"]) == (f"Bearer {TOKEN}", "7")
    assert "authorization" not in health.headers


async def test_without_headers_nothing_is_sent(server: FakeAssistantUi, helper: Callable[..., HeaderCommand]):
    client = backend(server.url, headers={}, header_command=helper("sys.exit(1)"))
    for work in (sent(client, "hello"), client.cancel(THREAD), client.connect()):
        assert (await failing(work)).delivery == "not-sent"
    await client.aclose()
    assert server.seen == []


# Where they go


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_no_redirect_is_followed(server: FakeAssistantUi, status: int):
    async with FakeAssistantUi() as other:
        for call in ("POST /api/chat", "POST /api/cancel", "GET /health"):
            server.on(call, answer(status, b"", {"location": f"{other.url}{call.split()[1]}"}))
        client = backend(server.url, headers={"authorization": SecretLine(f"Bearer {CANARY}")})
        for work in (sent(client, "hello"), client.cancel(THREAD)):
            assert "Nothing was sent there" in (await failing(work)).sentence
        await client.connect()  # somebody answers there, which is all that is asked
        await client.aclose()
        assert (other.connections, other.seen) == (0, [])
        assert len(server.calls("POST /api/chat")) == 1


async def test_a_stream_cannot_lead_elsewhere(server: FakeAssistantUi):
    async with FakeAssistantUi() as other:

        async def named(exchange: Any) -> None:
            await exchange.start(
                {"content-type": "text/plain", "x-resumable-stream-id": f"//127.0.0.1:{other.port}/x"}
            )
            await exchange.write(b'0:"Hello"\n')
            exchange.reset()
            raise ConnectionError

        server.on("POST /api/chat", named)
        client = backend(server.url, resume_path="/api/resumable")
        turn = await sent(client, "hello")
        await client.aclose()
        assert turn.reason == "lost"
        assert other.connections == 0
        assert all(
            seen.path in ("/api/chat", "/api/cancel") or "%2F%2F127.0.0.1" in seen.path
            for seen in server.seen
        )


async def test_only_https_or_this_machine():
    for url in ("http://aui.example", "ftp://aui.example", "https://user:pw@aui.example"):
        with pytest.raises(BackendError):
            backend(url)


async def test_the_token_is_in_no_error_and_no_log(server: FakeAssistantUi, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    server.on("POST /api/chat", answer(500, b"oops"))
    client = backend(server.url, headers={"authorization": SecretLine(f"Bearer {CANARY}")})
    error = await failing(sent(client, "hello"))
    said = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    await client.aclose()
    assert CANARY not in said + caplog.text + repr(
        AssistantUiConfig("https://x", headers={"a": Secret(CANARY)})
    )
    assert server.seen[0].headers["authorization"] == f"Bearer {CANARY}"


async def test_a_token_is_replaced_behind_its_word_or_not_at_all():
    server_headers = {"authorization": SecretLine("Bearer old"), "x-team": "7"}
    source = HeaderSource(AssistantUiConfig("https://aui.example", headers=server_headers))
    source.renew(Secret("new"))
    headers = await source()
    assert revealed({"authorization": headers["authorization"]}) == {"authorization": "Bearer new"}
    assert headers["x-team"] == "7"
    source.renew(Secret("Bearer newer"))
    assert revealed({"authorization": (await source())["authorization"]}) == {"authorization": "Bearer newer"}
    plain = HeaderSource(AssistantUiConfig("https://aui.example", headers={"x-api-key": Secret("old")}))
    plain.renew(Secret("new"))
    assert revealed(await plain()) == {"x-api-key": "new"}
    for headers in ({}, {"a": Secret("1"), "b": Secret("2")}):
        with pytest.raises(Unsupported):
            HeaderSource(AssistantUiConfig("https://aui.example", headers=headers)).renew(Secret("new"))
