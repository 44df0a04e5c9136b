"""An item that is drawn again may have fewer lines than when it was measured: its height follows.

Seen in a terminal: the screen hung in `Document.lines`, which waited for lines that were gone.
"""

from __future__ import annotations

import pytest

from kai_tui.conversation.messages import Message
from kai_tui.ui.transcript.document import Document
from kai_tui.ui.transcript.items import Item
from kai_tui.ui.transcript.styles import plain_palette
from tests.ui.transcript.chat_source import ChatSource, document_of, lines_of


def test_a_line_that_is_gone_when_drawn_again_leaves_no_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    source = ChatSource(Message.user("u1", "one\ntwo\nthree"), Message.user("u2", "again"))
    document = document_of(source)
    before = len(lines_of(document))
    assert document.total == before

    draw = Document._draw

    def shorter(self: Document, item: Item) -> object:
        drawn = draw(self, item)
        return drawn._replace(lines=drawn.lines[:-1])

    monkeypatch.setattr(Document, "_draw", shorter)
    document.set_palette(plain_palette())  # drops what was drawn, as a change of theme does
    place = document.place(0)
    assert place is not None
    drawn = document.rendered(place.item).lines
    assert place.item.height == len(drawn)
    shown = list(document.lines(0, document.total))
    assert document.total < before
    assert None not in shown[: document.total]
