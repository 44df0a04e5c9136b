"""An item that is drawn again may say less than when it was measured: its height follows."""

from __future__ import annotations

from kai_tui.conversation.messages import Message
from kai_tui.ui.transcript.styles import plain_palette
from tests.ui.transcript.chat_source import ChatSource, document_of, lines_of


def test_a_line_that_is_gone_when_drawn_again_leaves_no_hole() -> None:
    source = ChatSource(Message.user("u1", "hello"), Message.user("u2", "again"))
    source.deliveries["u1"] = "not-sent"
    source.reasons["u1"] = "The server refuses connections, and this sentence is long enough to wrap. " * 3
    document = document_of(source)
    assert len(lines_of(document)) == document.total
    before = document.total

    source.deliveries["u1"] = "sent"
    document.set_palette(plain_palette())  # drops what was drawn, as a change of theme does
    place = document.place(0)
    assert place is not None
    drawn = document.rendered(place.item).lines
    assert place.item.height == len(drawn)
    assert document.total < before
    assert len([line for line in document.lines(0, document.total) if line is not None]) == document.total
