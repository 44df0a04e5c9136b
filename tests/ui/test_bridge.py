"""What the bridge hands to the transcript, and what to the screen."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kai_tui.services.changes import (
    MessageAdded,
    MessageChanged,
    MessagesReset,
    PartChanged,
    QueueChanged,
    TitleChanged,
    TurnChanged,
    TurnEnded,
)
from kai_tui.services.observers import Observers
from kai_tui.ui.bridge import Bridge, SessionNews


@pytest.mark.parametrize(
    ("change", "drawn", "told"),
    [
        (PartChanged("a", 0), True, False),
        (MessageAdded("a"), True, True),
        (MessageChanged("a"), True, True),
        (MessagesReset(), True, True),
        # Otherwise "Kai is thinking…" may stay for ever: the last message changed before the turn ended.
        (TurnChanged(), True, True),
        (TurnEnded("error"), True, True),
        (TitleChanged("x"), False, True),
        # What waits decides whether choices are still to be picked.
        (QueueChanged(), True, True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_who_hears_of_a_change(change: Any, drawn: bool, told: bool) -> None:
    calls: list[Any] = []
    posted: list[Any] = []
    host: Any = SimpleNamespace(post_message=posted.append)
    quiet: Any = SimpleNamespace(observe=Observers().add)
    attention: Any = SimpleNamespace(observe=Observers().add, on_happening=Observers().add)
    workspace: Any = SimpleNamespace(
        history=quiet,
        offers=quiet,
        attention=attention,
        grants=quiet,
        observe=Observers().add,
        agents=quiet,
        observe_refusals=Observers().add,
        observe_notices=Observers().add,
    )
    observers: Observers[Any] = Observers()
    session: Any = SimpleNamespace(observe=observers.add)
    bridge = Bridge(host, workspace)
    bridge.follow(session, calls.append, lambda *part: calls.append(PartChanged(*part)))
    observers.tell(change)
    assert (calls == [change], len(posted) == 1) == (drawn, told)
    assert all(isinstance(news, SessionNews) for news in posted)
    bridge.close()
    observers.tell(change)
    assert len(calls) <= 1
