"""Start-up time is a feature: what the first paint needs must not load the heavy libraries."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "httpx",
    "httpx_sse",
    "keyring",
    "pydantic",
    "markdown_it",
    "starlette",
    "uvicorn",
    "tomlkit",
    "pygments.lexers",
    "kai_tui.backends.base",
    "kai_tui.cli.ledger",
    "kai_tui.cli.sandbox",
    "kai_tui.conversation.events",
    "kai_tui.conversation.tools",
    "kai_tui.services.approval_service",
    "kai_tui.services.call_rules",
    "kai_tui.services.changes",
    "kai_tui.services.chat_session",
    "kai_tui.services.grants",
    "kai_tui.services.ledger",
    "kai_tui.services.turn",
    "kai_tui.storage.database",
    "kai_tui.ui.modals.approval",
    "kai_tui.ui.transcript.units",
)


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """Modules in memory after the chat screen was made and painted once, before anything connects."""
    code = """
import asyncio, sys
from kai_tui.cli.main import _options, _parser
from kai_tui.services.account_service import AccountService
from kai_tui.ui.app import KaiApp
from kai_tui.services.workspace import Workspace
Workspace.connect = lambda self: None
KaiApp.warm_up = lambda self: asyncio.Event().wait()
app = KaiApp(AccountService(), _options(_parser().parse_args(["--sandbox"])))
async def main():
    async with app.run_test(size=(120, 40)) as pilot:
        print("\\n".join(sys.modules), file=sys.__stdout__, flush=True)
asyncio.run(main())
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


@pytest.mark.parametrize("module", HEAVY)
def test_the_first_paint_does_not_load(module: str, loaded: set[str]) -> None:
    assert module not in loaded


def test_version_loads_no_textual() -> None:
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "kai_tui", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.startswith("kai-tui ")
    assert "textual" not in result.stderr
