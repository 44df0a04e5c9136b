"""What the transcript tells the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from kai_tui.conversation.choices import Choice
    from kai_tui.conversation.tables.data_table import DataTable


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


class CursorMoved(Message, namespace="transcript"):
    """The reading cursor stands on something else, or nothing is read any more; `Transcript.stop` says on what."""


class Remarked(Message, namespace="transcript"):
    """A sentence for the user. Words of ours."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence


class CopyRequested(Message, namespace="transcript"):
    """The user wants the source of what is under the cursor. `text` is raw."""

    def __init__(self, text: str, what: str = "") -> None:
        """`what`: what it is, for the sentence that says so: `the code, laid out`; nothing of the server's."""
        super().__init__()
        self.text = text
        self.what = what


class SaveRequested(Message, namespace="transcript"):
    """The user wants a block in a file. `text` is raw; `suggested_name` may hold what the model wrote."""

    def __init__(self, text: str, suggested_name: str, table: DataTable | None = None) -> None:
        """`table`: what is wanted, when it is one; then there is no text and no name."""
        super().__init__()
        self.text = text
        self.suggested_name = suggested_name
        self.table = table


class TableChosen(Message, namespace="transcript"):
    """The user wants to see the table under the cursor in the viewer."""


class Found(Message, namespace="transcript"):
    """What is looked for was found so often so far. `number` is that of the place shown: the third; 0 while there
    is none, or it is not known yet. `complete`: everything was looked through; `in_sight`: the place is drawn, not
    in a column that is left out here or behind the end of a cut line."""

    def __init__(self, number: int, total: int, *, complete: bool, in_sight: bool = True) -> None:
        super().__init__()
        self.number = number
        self.total = total
        self.complete = complete
        self.in_sight = in_sight


class FindingEnded(Message, namespace="transcript"):
    """Another chat is shown: nothing is looked for any more."""


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
