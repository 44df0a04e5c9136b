"""Pictures of screens as tests: the exported SVG must be what was looked at and committed.

`make snapshots` renews them. Look at the difference before committing.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from textual.app import App

FOLDER = Path(__file__).parent / "snapshots"
RENEW = os.environ.get("KAI_TUI_RENEW_SNAPSHOTS") == "1"


def picture(app: App[object]) -> str:
    """The screen as SVG, without what differs between runs (ids) or calls out (fonts)."""
    svg = app.export_screenshot(title="kai-tui")
    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"terminal-\d+-", "terminal-", svg)
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)


def words(svg: str) -> list[str]:
    """The text of a picture, for a readable difference."""
    return [re.sub(r"&#160;", " ", found).rstrip() for found in re.findall(r"<text[^>]*>(.*?)</text>", svg)]


def assert_same_picture(app: App[object], name: str) -> None:
    """The screen looks as committed in `tests/snapshots/NAME.svg`."""
    now = picture(app)
    file = FOLDER / f"{name}.svg"
    if RENEW:
        FOLDER.mkdir(exist_ok=True)
        file.write_text(now, encoding="utf-8")
        return
    assert file.exists(), f"{file.name} is not there: run `make snapshots` and look at it"
    before = file.read_text(encoding="utf-8")
    if now == before:
        return
    failures = FOLDER / "failures"
    failures.mkdir(parents=True, exist_ok=True)
    (failures / file.name).write_text(now, encoding="utf-8")
    assert words(now) == words(before)
    raise AssertionError(f"{name}: same words, other colours or places; see {failures / file.name}")
