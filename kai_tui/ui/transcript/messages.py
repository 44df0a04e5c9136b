"""What the transcript tells the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from kai_tui.conversation.choices import Choice


class FollowChanged(Message, namespace="transcript"):
    """The end is followed or not; `new_lines` came below since it is not."""

    def __init__(self, following: bool, new_lines: int) -> None:
        super().__init__()
        self.following = following
        self.new_lines = new_lines


class LinkChosen(Message, namespace="transcript"):
    """The user chose a link. `href` is raw foreign text; nothing was opened."""

    def __init__(self, href: str) -> None:
        super().__init__()
        self.href = href


class CopyRequested(Message, namespace="transcript"):
    """The user wants the source of what is under the cursor. `text` is raw."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class ChoicePicked(Message, namespace="transcript"):
    """The user picked a choice. `live`: it stands under the newest answer."""

    def __init__(self, choice: Choice, *, live: bool) -> None:
        super().__init__()
        self.choice = choice
        self.live = live


class ToolToggled(Message, namespace="transcript"):
    """A tool card or a thought was opened or closed."""

    def __init__(self, message_id: str, part_index: int) -> None:
        super().__init__()
        self.message_id = message_id
        self.part_index = part_index
