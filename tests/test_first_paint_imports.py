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
    "sqlparse",
    "hashlib",
    "kai_tui.backends.base",
    "kai_tui.cli.ledger",
    "kai_tui.cli.sandbox",
    "kai_tui.conversation.events",
    "kai_tui.conversation.redact",
    "kai_tui.conversation.tools",
    "kai_tui.services.approval_service",
    "kai_tui.services.call_rules",
    "kai_tui.services.changes",
    "kai_tui.services.chat_session",
    "kai_tui.services.grants",
    "kai_tui.services.ledger",
    "kai_tui.services.turn",
    "kai_tui.storage.accounts",
    "kai_tui.storage.database",
    "kai_tui.ui.modals.approval",
    "kai_tui.ui.transcript.document",
    "kai_tui.ui.transcript.markdown",
    "kai_tui.ui.transcript.strips",
    "kai_tui.ui.reading_keys",
    "kai_tui.ui.transcript.laid_out",
    "kai_tui.ui.transcript.stops",
    "kai_tui.ui.transcript.units",
    "kai_tui.ui.transcript.view",
)
MOST_MODULES = 160
"""Of ours. Each costs a tenth of a millisecond, also one that holds nothing."""


@pytest.fixture(scope="module")
def told() -> dict[str, set[str]]:
    """Modules and our dataclasses in memory after the chat screen was made and painted once, before anything
    connects."""
    code = """
import asyncio, sys
from kai_tui.cli.logs import set_up_logging
from kai_tui.cli.main import _options, _parser
from kai_tui.services.account_service import AccountService
from kai_tui.ui.app import KaiApp
from kai_tui.services.workspace import Workspace
Workspace.connect = lambda self: None
KaiApp.warm_up = lambda self: asyncio.Event().wait()
app = KaiApp(AccountService(), _options(_parser().parse_args(["--sandbox"])))
async def main():
    async with app.run_test(size=(120, 40)) as pilot:
        ours = [each for name, each in sys.modules.items() if name.startswith("kai_tui")]
        values = [value for each in ours for value in vars(each).values() if isinstance(value, type)]
        made = {f"{each.__module__}.{each.__name__}" for each in values if "__dataclass_fields__" in vars(each)}
        print(*sys.modules, file=sys.__stdout__)
        print(*(each for each in made if each.startswith("kai_tui")), file=sys.__stdout__, flush=True)
asyncio.run(main())
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    modules, values = result.stdout.split("\n")[:2]
    return {"modules": set(modules.split()), "dataclasses": set(values.split())}


@pytest.mark.parametrize("module", HEAVY)
def test_the_first_paint_does_not_load(module: str, told: dict[str, set[str]]) -> None:
    assert module not in told["modules"]


def test_the_first_paint_loads_few_modules_of_ours(told: dict[str, set[str]]) -> None:
    ours = [name for name in told["modules"] if name.startswith("kai_tui")]
    assert len(ours) <= MOST_MODULES, sorted(ours)


def test_the_first_paint_makes_no_dataclass(told: dict[str, set[str]]) -> None:
    """Making one costs up to a millisecond: a tuple or a plain class does as well there."""
    assert not told["dataclasses"]


def test_version_loads_no_textual() -> None:
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "kai_tui", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.startswith("kai-tui ")
    assert "textual" not in result.stderr
