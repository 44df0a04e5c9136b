"""One of the fake servers on loopback, for trying the program by hand.

    python -m tests.fakes.serve imbrace|assistant-ui|knowrithm|kiss [--port N] [--format data|transport|…]

prints where it is and what it lets in. Then lines typed here change it:

    refuse      what was let in so far is refused from now on; another credential is printed
    slow 3      every answer comes three seconds late; `slow 0` ends that
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Mapping
from typing import Any

from tests.backends.kai_server import KaiServer

Facts = Mapping[str, str]


def imbrace() -> tuple[KaiServer, Facts]:
    from tests.fakes.imbrace import CODE, ORGANIZATION, OTHER_ORGANIZATION, PASSWORD, ImbraceFake

    return ImbraceFake(), {
        "API key": "api_test",
        "access token": "acc_test",
        "organisation": f"{ORGANIZATION} or {OTHER_ORGANIZATION}",
        "e-mail": f"any, with the password {PASSWORD!r} or the code {CODE}",
    }


def assistant_ui(fmt: Any) -> tuple[KaiServer, Facts]:
    from tests.fakes.assistant_ui import SCRIPTS, TOKEN, FakeAssistantUi

    return FakeAssistantUi(fmt, keeps_streams=True), {
        "header": f"Authorization: Bearer {TOKEN}",
        "paths": "/api/chat, /api/cancel, /health",
        "last word of a message": ", ".join(SCRIPTS),
    }


def knowrithm() -> tuple[KaiServer, Facts]:
    from tests.fakes.knowrithm import EMAIL, KEY, PASSWORD, SECRET, FakeKnowrithm

    return FakeKnowrithm(), {
        "API key": KEY,
        "secret": SECRET,
        "e-mail": EMAIL,
        "password": PASSWORD,
        "path": "/api",
    }


def kiss() -> tuple[KaiServer, Facts]:
    from tests.fakes.kiss import FakeKiss

    server = FakeKiss()
    client, _ = server.new_client()
    return server, {
        "client id": client.client_id,
        "client secret": client.secret,
        "or": "none: it gives out new ones",
    }


def made(system: str, fmt: str = "data") -> tuple[KaiServer, Facts]:
    """The server of a system, and what a user needs to know to sign in to it."""
    if system == "assistant-ui":
        return assistant_ui(fmt)
    return {"imbrace": imbrace, "knowrithm": knowrithm, "kiss": kiss}[system]()


def refuse(server: Any) -> str:
    """Let nothing in that was let in so far. Returns what is let in now."""
    from tests.fakes.imbrace import USER, ImbraceFake
    from tests.fakes.kiss import FakeKiss
    from tests.fakes.knowrithm import FakeKnowrithm

    if isinstance(server, ImbraceFake):
        server.credentials = {"api_new": USER}
        server.login_tokens.clear()
        return "API key api_new"
    if isinstance(server, FakeKnowrithm):
        server.key = ("kn-key-new", "kn-secret-new")
        server.access_tokens.clear()
        server.refresh_tokens.clear()
        return "API key kn-key-new, secret kn-secret-new; or the e-mail and password again"
    if isinstance(server, FakeKiss):
        server.clients.clear()
        server.expire_tokens()
        client, _ = server.new_client()
        return f"client id {client.client_id}, client secret {client.secret}"
    server.token = "t0ken-new"
    return "header Authorization: Bearer t0ken-new"


async def serve(server: KaiServer, facts: Facts) -> None:
    async with server:
        print(f"address: {server.url}", flush=True)
        for name, value in facts.items():
            print(f"{name}: {value}", flush=True)
        reader = asyncio.create_task(_requests(server))
        try:
            typed = await _stdin()
            while line := await typed.readline():
                _obey(server, line)
            await asyncio.Event().wait()
        finally:
            reader.cancel()


async def _stdin() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    return reader


def _obey(server: KaiServer, line: bytes) -> None:
    word, _, rest = line.decode().strip().partition(" ")
    if word == "refuse":
        print(f"now let in: {refuse(server)}", flush=True)
    elif word == "slow":
        with contextlib.suppress(ValueError):
            server.delay = float(rest)


async def _requests(server: KaiServer) -> None:
    """Say which calls came."""
    told = 0
    while True:
        await asyncio.sleep(0.2)
        for seen in server.seen[told:]:
            print(f"  {seen.call}", flush=True)
        told = len(server.seen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("system", choices=("imbrace", "assistant-ui", "knowrithm", "kiss"))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument(
        "--format", default="data", choices=("data", "transport", "openai", "ui", "plain", "json")
    )
    arguments = parser.parse_args()
    server, facts = made(arguments.system, arguments.format)
    server.port = arguments.port
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(server, facts))


if __name__ == "__main__":
    main()
