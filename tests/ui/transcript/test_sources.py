"""Whatever the transcript draws from has everything it may ask for."""

from __future__ import annotations

from typing import Any

import pytest

from kai_tui.ui.screens.fork_preview import ForkPreview
from kai_tui.ui.transcript.source import TranscriptSource
from tests.ui.transcript.chat_source import ChatSource


@pytest.mark.parametrize("source", [ForkPreview("a quote"), ChatSource([])], ids=["fork", "tests"])
def test_nothing_is_missing(source: Any):
    wanted = {name for name in vars(TranscriptSource) if not name.startswith("_")}
    wanted |= set(TranscriptSource.__annotations__)
    assert {name for name in wanted if not hasattr(source, name)} == set()
