"""Starts the Node programs of `aisdk/`: installs their packages once, ends them with the test."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

FOLDER = Path(__file__).parent / "aisdk"
_INSTALLED = FOLDER / "node_modules" / ".kai-tui-lock"
_NOT_TO_BE_HAD = (
    "ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ENETUNREACH", "ETIMEDOUT", "ENOTCACHED",
    "ERR_SOCKET_TIMEOUT", "EROFS", "EACCES", "E401", "E403", "E407", "E502", "E503",
)  # fmt: skip


def installed() -> None:
    """Make sure `node_modules` is what the lock file says; skips where that cannot be had.

    A lock file that does not fit `package.json` fails: that is our fault, not the network's.
    """
    npm = shutil.which("npm")
    if shutil.which("node") is None or npm is None:
        pytest.skip("node and npm are not here")
    wanted = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    if _INSTALLED.is_file() and _INSTALLED.read_text() == wanted:
        return
    command = [
        npm,
        "ci",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--prefer-offline",
        "--fetch-retries=1",
    ]
    try:
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=180, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm ci did not end within 180 s")
    if done.returncode != 0:
        said = done.stderr.strip()[:2000]
        codes = re.findall(r"npm (?:error|ERR!) code (\S+)", done.stderr)
        if any(code in _NOT_TO_BE_HAD for code in codes):
            pytest.skip(f"npm ci could not fetch the packages: {', '.join(codes)}")
        pytest.fail(f"npm ci failed: {said}")
    _INSTALLED.write_text(wanted)


@dataclass(frozen=True)
class Journal:
    """What a peer noted about one chat."""

    posts: list[dict[str, Any]]
    approvals: list[dict[str, Any]]
    prompts: list[list[dict[str, Any]]]
    """What the model was given, call by call."""
    hang_ups: int
    buckets: list[str]
    """Made on this peer, by any chat."""
    jobs: list[dict[str, Any]]
    history: list[str]
    """Queries of the chat list."""


@dataclass(frozen=True)
class Peer:
    """A running server that plays Kai on the AI SDK."""

    base_url: str
    token: str
    service: str
    process: subprocess.Popen[str]

    @property
    def headers(self) -> dict[str, str]:
        return {"x-storageapi-token": self.token, "x-storageapi-url": self.base_url}

    def get(self, path: str) -> Any:
        answer = httpx.get(f"{self.base_url}{path}", headers=self.headers, trust_env=False)
        answer.raise_for_status()
        return answer.json()

    def messages(self, chat_id: str) -> list[dict[str, Any]]:
        """What the SDK persisted."""
        return self.get(f"/api/chat/{chat_id}")["messages"]

    def journal(self, chat_id: str) -> Journal:
        said = self.get(f"/journal?chatId={chat_id}")
        return Journal(
            said.get("posts", []),
            said.get("approvals", []),
            said.get("prompts", []),
            said.get("hangUps", 0),
            said["project"]["buckets"],
            said["project"]["jobs"],
            said["history"],
        )


@contextmanager
def peer(*options: str) -> Iterator[Peer]:
    """A server for as long as the block runs. It also ends when this process does, however it does."""
    installed()
    process = subprocess.Popen(
        ["node", "server.mjs", "--child", *options],
        cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"the peer ended with {process.wait(10)}"
        said = json.loads(line)
        yield Peer(said["base_url"], said["token"], said["service"], process)
        assert process.poll() is None, "the peer died"
    finally:
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
