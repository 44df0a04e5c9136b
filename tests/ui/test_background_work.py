"""Work in the background that fails is told, never silent."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from kai_tui.ui.modals.confirm import Confirm
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, until
from tests.ui.many_chats import WIDE, toasts
from tests.ui.test_chat_screen import ready


async def test_a_worker_that_fails_is_told_and_logged(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=WIDE) as pilot:
        screen = await ready(app, pilot)
        monkeypatch.setattr(type(app), "is_headless", False)

        async def broken() -> None:
            raise RuntimeError("inside")

        for node in (screen, app):
            caplog.clear()
            node.run_worker(broken(), exit_on_error=False)
            await until(pilot, lambda: "something on the side failed" in caplog.text)
        await until(pilot, lambda: any("failed (RuntimeError)" in text for _, text in toasts(app)))
        dialog = Confirm("Sure?", SimpleNamespace(), yes="y", name="x")  # type: ignore[arg-type]
        assert hasattr(dialog, "on_worker_state_changed")
        monkeypatch.undo()


async def test_settings_that_are_wrong_are_told_at_the_start(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend())
    paths = app.accounts.paths
    paths.config.mkdir(parents=True, exist_ok=True)
    (paths.config / "settings.toml").write_text('notify = "loud"\n')
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=WIDE) as pilot:
        await ready(app, pilot)
        assert app.preferences.notify == "auto"
        assert any('"notify" must be one of auto, osc9' in text for _, text in toasts(app))
