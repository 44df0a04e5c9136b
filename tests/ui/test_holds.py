"""What changes the whole screen holds keys up as briefly as it can (issue 6: theme change and resize under 50 ms)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.css import stylesheet

from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.theme_sheets import ThemeSheets
from kai_tui.ui.themes import DARK, LIGHT
from kai_tui.ui.transcript.view import Transcript
from tests.ui.fakes import app_for, until


async def test_no_sheet_is_read_when_the_theme_changes(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: bool(app.screen.query(Transcript)) and bool(app.screen.query("#queued")))
        steps = 0
        sheets = app.stylesheet
        await until(pilot, lambda: isinstance(sheets, ThemeSheets))
        assert isinstance(sheets, ThemeSheets)
        for theme in (app.get_theme(DARK), app.get_theme(LIGHT)):
            assert theme is not None
            colours = theme.to_color_system().generate()
            steps += sum(
                1
                for _ in sheets.read_with({**app.get_theme_variable_defaults(), **colours, **theme.variables})
            )
        read: list[Any] = []
        before = stylesheet.parse

        def parse(*args: Any, **options: Any) -> Any:
            read.append(args[:3])
            return before(*args, **options)

        monkeypatch.setattr(stylesheet, "parse", parse)
        light = app.theme == LIGHT
        ground = app.screen.styles.background
        await pilot.press("ctrl+t")
        await until(pilot, lambda: app.screen.styles.background != ground)
        await pilot.press("ctrl+t")
        await until(pilot, lambda: app.screen.styles.background == ground)
        assert (app.theme == LIGHT) == light
        assert not read
        assert steps < 2 * len(sheets.source)


async def test_a_new_width_computes_styles_once_and_lays_out_once(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_for(own_home)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = app.screen
        assert isinstance(screen, ChatScreen)
        await until(pilot, lambda: bool(screen.query(Transcript)) and bool(screen.query("#queued")))
        await pilot.pause()
        styled: list[object] = []
        laid_out: list[object] = []
        update = app.update_styles

        def update_styles(node: Any, animate: bool = True) -> None:
            if node is screen:
                styled.append(node)
            update(node, animate)

        refresh = screen._refresh_layout

        def refresh_layout(size: Any = None, scroll: bool = False) -> None:
            if size is not None:
                laid_out.append(size)
            refresh(size, scroll)

        monkeypatch.setattr(app, "update_styles", update_styles)
        monkeypatch.setattr(screen, "_refresh_layout", refresh_layout)
        await pilot.resize_terminal(90, 40)
        await until(pilot, lambda: screen.has_class("-narrow") and screen.has_class("-no-chats"))
        await pilot.pause()
        assert len(styled) == 1
        assert [tuple(size) for size in laid_out] == [(90, 40)]
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: screen.has_class("-wide") and not screen.has_class("-no-chats"))
        await pilot.pause()
        assert len(styled) == 2
        assert [tuple(size) for size in laid_out] == [(90, 40), (120, 40)]
