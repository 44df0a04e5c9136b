"""Loads ahead of time what the first answer needs."""

from __future__ import annotations

_FIRST_PAGE_UP = ("kai_tui.ui.transcript.outline", "kai_tui.ui.transcript.stops")


def warm_up() -> None:
    """Import markdown-it and pygments and make their first objects, some 60 ms.

    To be called in a thread after the first paint; without it the first prose and the first code
    block wait for their imports.
    """
    from importlib import import_module

    for name in _FIRST_PAGE_UP:
        import_module(name)
    from kai_tui.ui.transcript.code import code_rows
    from kai_tui.ui.transcript.markdown import blocks_of
    from kai_tui.ui.transcript.splitter import Chunk

    blocks_of(Chunk("prose", "Hello *there* `x` [a](https://example.invalid)\n\n- b\n"))
    for language in ("sql", "python", "json"):
        code_rows("select 1", language)
