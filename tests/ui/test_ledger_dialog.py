"""The ledger on screen: browsed over all accounts, searched, verified, exported; what is wrong with it is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kai_tui.storage.ledger import LedgerFile
from kai_tui.storage.paths import account_files, app_paths
from kai_tui.ui.app import KaiApp
from kai_tui.ui.modals.confirm import Confirm
from kai_tui.ui.modals.ledger import LedgerDialog
from kai_tui.ui.modals.ledger_check import LedgerCheck
from kai_tui.ui.modals.ledger_export import LedgerExport
from kai_tui.ui.modals.open_link import OpenLink
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, until
from tests.ui.test_chat_screen import ready, words
from tests.ui.test_quota import told

SIZES = [(80, 24), pytest.param((140, 45), marks=pytest.mark.slow)]
JOB = "https://connection.test/admin/projects/1/queue/9"


def ledger_of(home: Path, account: str) -> LedgerFile:
    paths = app_paths({"KAI_TUI_HOME": str(home)})
    return LedgerFile(account_files(paths, account).ledger, account)


def decide(ledger: LedgerFile, call: str, sentence: str, **more: object) -> None:
    ledger.add(
        {
            "kind": "decision", "at": "2026-11-21T10:00:00.000Z", "chat_id": "c", "call_id": call,
            "account": "Sandbox", "host": "kai.test", "branch": "main", "tool": "update_descriptions",
            "sentence": sentence, "effects": ["changes"], "objects": [{"kind": "table", "id": "in.c-crm.x"}],
            "decision": "approved", "by": "you", "rule": "", "reason": "", "input": "b" * 64, **more,
        }
    )  # fmt: skip


def filled(home: Path) -> None:
    mine, other = ledger_of(home, "sandbox"), ledger_of(home, "another")
    decide(other, "o1", "Run the nightly flow", account="Shop")
    decide(mine, "m1", "Update the description of in.c-crm.customers")
    decide(mine, "m2", "Drop a bucket", decision="denied", reason="wrong object")
    decide(
        mine,
        "m3",
        "Create bucket in.c-sales",
        by="grant",
        rule="Allowed for 10 minutes.",
        edits=[{"path": "name", "does": "sets", "before": '"x"', "after": '"sales"'}],
    )
    mine.add_outcome(
        "c", "m3", {"kind": "outcome", "chat_id": "c", "call_id": "m3", "outcome": "done", "job": JOB}
    )


async def opened(app: KaiApp, pilot) -> LedgerDialog:
    await ready(app, pilot)
    await app.screen.run_action("show_ledger")
    await until(pilot, lambda: isinstance(app.screen, LedgerDialog))
    dialog = app.screen
    assert isinstance(dialog, LedgerDialog)
    await until(pilot, lambda: dialog._books is not None and app.focused is dialog.rows)
    return dialog


def listed(app: KaiApp) -> list[str]:
    dialog = next(each for each in app.screen_stack if isinstance(each, LedgerDialog))
    return [record.text("call_id") for _, record in dialog.rows.shown]


@pytest.mark.parametrize("size", SIZES)
async def test_decisions_of_all_accounts_with_all_that_is_known(
    own_home: Path, size: tuple[int, int]
) -> None:
    filled(own_home)
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=size) as pilot:
        await opened(app, pilot)
        assert listed(app) == ["m3", "m2", "m1", "o1"]
        await until(pilot, lambda: "your rule" in words(app) and "started" in words(app))
        assert "4 decisions · all accounts · verified" in words(app)
        assert "Allowed for 10 minutes." in words(app)
        await pilot.press("down")
        await until(pilot, lambda: "wrong object" in words(app))
        assert "You denied it." in words(app)
        await pilot.press("up")
        seen = ""
        for _ in range(3):
            seen += words(app)
            await pilot.press("space")
            await pilot.pause()
        assert "SHA-256" in seen
        assert '"x" → "sales"' in seen


async def test_searching_and_this_account_only(own_home: Path) -> None:
    filled(own_home)
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press(*"/denied")
        await until(pilot, lambda: listed(app) == ["m2"])
        await until(pilot, lambda: "1 decision · all accounts" in words(app))
        await pilot.press(*" nothing like it")
        await until(pilot, lambda: "No decision has these words." in words(app))
        await pilot.press("escape", "a")
        await until(pilot, lambda: listed(app) == ["m3", "m2", "m1"])
        assert "this account" in words(app)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, LedgerDialog))


async def test_nothing_decided_yet(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await until(pilot, lambda: "Nothing was decided yet." in words(app))
        await pilot.press("e")
        await until(pilot, lambda: "nothing to export" in str(told(app)))
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, LedgerCheck))
        assert "What this cannot find" in words(app)


async def test_a_change_is_said_at_once_and_where_it_is(own_home: Path) -> None:
    filled(own_home)
    ledger = ledger_of(own_home, "sandbox")
    ledger.path.write_bytes(ledger.path.read_bytes().replace(b"wrong object", b"right object"))
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        assert "NOT as it was written" in words(app)
        assert "entry 3: This entry was changed" in words(app)
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, LedgerCheck))
        assert "entry 3: This entry was changed after it was written." in words(app)


async def test_a_damaged_ledger_can_be_set_aside_after_a_question(own_home: Path) -> None:
    filled(own_home)
    ledger = ledger_of(own_home, "sandbox")
    ledger.path.write_bytes(b"no database at all")
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        assert listed(app) == ["o1"]
        assert "damaged" in words(app)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, LedgerDialog))
        assert ledger.path.exists()
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("right", "enter")
        await until(pilot, lambda: not ledger.path.exists())
        await until(pilot, lambda: "x sets" not in words(app) and isinstance(app.screen, LedgerDialog))
        await until(pilot, lambda: "is kept as" in str(told(app)))


async def test_what_is_shown_is_exported_to_a_new_private_file(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    filled(own_home)
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        await pilot.press(*"/denied", "enter", "e")
        await until(pilot, lambda: isinstance(app.screen, LedgerExport))
        assert "Export 1 decision" in words(app)
        await pilot.press("tab", "tab", "tab", "shift+tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, LedgerDialog))
        (file,) = tmp_path.glob("kai-ledger-sandbox-*.json")
        assert file.stat().st_mode & 0o777 == 0o600
        assert json.loads(file.read_text())["searched"] == "denied"
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, LedgerExport))
        dialog = app.screen
        assert isinstance(dialog, LedgerExport)
        dialog.input.value = str(file)
        await pilot.press("enter")
        await until(pilot, lambda: "Nothing was written" in words(app).replace("\n", ""))
        assert json.loads(file.read_text())["searched"] == "denied"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, LedgerDialog))


async def test_a_job_is_opened_only_after_a_question(own_home: Path) -> None:
    filled(own_home)
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, OpenLink) and "connection.test" in words(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, LedgerDialog))
        await pilot.press("down", "o")
        await until(pilot, lambda: "started no job" in str(told(app)))


async def test_foreign_text_is_drawn_and_does_not_act(own_home: Path) -> None:
    hostile = "\x1b]52;c;QUJD\x07[red]x[/red]\u202etset \ud800"
    ledger = ledger_of(own_home, "sandbox")
    decide(
        ledger, hostile, hostile, tool=hostile, account=hostile, host=hostile, branch=hostile, reason=hostile,
        rule=hostile, by=hostile, objects=[{"kind": hostile, "id": hostile}], effects=[hostile],
        answered=[hostile], edits=[{"path": hostile, "before": hostile, "after": hostile}],
    )  # fmt: skip
    outcome = {"kind": "outcome", "chat_id": "c", "call_id": hostile, "outcome": hostile}
    ledger.add_outcome("c", hostile, {**outcome, "job": hostile, "detail": hostile})
    ledger.add({"kind": "decision", "objects": 5, "edits": "x", "effects": {"a": 1}, "at": 7})
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=(140, 45)) as pilot:
        await opened(app, pilot)
        await pilot.press("down")
        await until(pilot, lambda: "[red]x[/red]" in words(app))
        seen = words(app)
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, LedgerCheck))
        seen += words(app)
        await pilot.press("escape", "e")
        await until(pilot, lambda: isinstance(app.screen, LedgerExport))
        seen += words(app)
        assert not set(seen) & set("\x1b\x07\u202e\ud800")
        assert "⟨U+202E⟩" in seen
