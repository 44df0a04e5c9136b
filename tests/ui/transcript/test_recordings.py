"""Every recorded message of the AI SDK can be shown, opened and selected."""

import json
from pathlib import Path

import pytest

from kai_tui.conversation.messages import Message
from tests.fixture_cases import case_id, cases
from tests.ui.transcript.chat_source import ChatSource, document_of, lines_of, open_all


@pytest.mark.parametrize("path", cases("ai-sdk", "*.message.json"), ids=case_id)
def test_a_recorded_message(path: Path) -> None:
    recorded = json.loads(path.read_text("utf-8"))
    wire = recorded.get("persisted") or recorded["message"]
    if not isinstance(wire, dict):
        pytest.skip("the recording ends without a message")
    message = Message.from_wire(wire)
    document = document_of(ChatSource(message))
    shown = "\n".join(lines_of(document))
    for call in message.tool_calls():
        assert call.tool_name in shown
    open_all(document)
    lines_of(document)
    for item in document.blocks[0].items or ():
        for line in document.rendered(item).lines:
            assert line.strip.cell_length == document.width
    assert all(isinstance(row.text, str) for _, row in document.rows_between(0, 10**18))
