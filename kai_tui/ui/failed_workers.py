"""What happens when work in the background fails: never silence.

Workers are started with `exit_on_error=False`, so that one that fails does not end the program; the
node that started it hears of it, and nobody else.
"""

from __future__ import annotations

from typing import Any, cast

from textual.dom import DOMNode
from textual.worker import Worker, WorkerState

from kai_tui.ui.app_of import app_of
from kai_tui.ui.terminal.safe_app import SafeApp


class HearsWorkers:
    """Base of every node of ours that starts workers. Not a node itself: Textual reads styles of the first one."""

    def on_worker_state_changed(self, message: Worker.StateChanged) -> None:
        worker = cast("Worker[Any]", message.worker)  # pyright: ignore[reportUnknownMemberType] - its open result
        error = worker.error
        if message.state is not WorkerState.ERROR or worker.exit_on_error:
            return
        app = app_of(cast(DOMNode, self))
        if isinstance(app, SafeApp) and isinstance(error, Exception):
            app.failed_aside(error)
