"""What the first answer needs and the first paint does not: loaded between the two."""

from __future__ import annotations

_FIRST_ANSWER_NEEDS = (
    "kai_tui.services.chat_session",
    "kai_tui.storage.chats",
    "kai_tui.storage.drafts",
    "kai_tui.ui.transcript.units",
    "kai_tui.ui.transcript.view",
    "httpx",
    "pydantic",
    "kai_tui.ui.modals.approval",
)


def load_libraries() -> None:
    """Imported in a thread: together they would keep the first keys waiting for a quarter of a second."""
    from importlib import import_module

    from kai_tui.ui.transcript.warm import warm_up

    for name in _FIRST_ANSWER_NEEDS:
        import_module(name)
    warm_up()
