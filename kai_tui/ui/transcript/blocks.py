"""The blocks of a conversation: made when somebody looks, taken away again where nobody looks any more.

Of 10,000 messages some dozens are blocks, and fewer have units and items; the others are a height and a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, overload

from kai_tui.ui.transcript.items import Block

if TYPE_CHECKING:
    from kai_tui.conversation.messages import Message

MOST_OPEN = 120
"""Messages whose units are kept; a screen shows some ten."""
LONG = 50_000
"""Characters of a message from which splitting it once more is noticed."""
MOST_SIZE = 3_000_000
"""Characters of prose, about, of these messages."""


class Blocks(Sequence[Block]):
    """All blocks in order, by index."""

    def __init__(self, count: int, make: Callable[[int], Block]) -> None:
        self._made: list[Block | None] = [None] * count
        self._make = make

    def __len__(self) -> int:
        return len(self._made)

    @overload
    def __getitem__(self, index: int) -> Block: ...
    @overload
    def __getitem__(self, index: slice) -> list[Block]: ...
    def __getitem__(self, index: int | slice) -> Block | list[Block]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        block = self._made[index]
        if block is None:
            index %= len(self._made)
            block = self._made[index] = self._make(index)
        return block

    def made(self) -> Iterator[Block]:
        """Those that somebody looked at."""
        return (block for block in self._made if block is not None)

    def is_made(self, index: int) -> bool:
        """Whether somebody looked at this one."""
        return self._made[index] is not None

    def append(self, block: Block) -> None:
        """Add one at the end."""
        self._made.append(block)

    def pop(self) -> Block | None:
        """Take the last one away."""
        return self._made.pop()

    def take(self, blocks: Iterable[Block]) -> None:
        """These stand at their indices now."""
        for block in blocks:
            self._made[block.index] = block


class OpenBlocks:
    """The blocks that have items, the one that was looked at last at the end."""

    def __init__(self) -> None:
        self._sizes: dict[Block, int] = {}

    def __len__(self) -> int:
        return len(self._sizes)

    def __iter__(self) -> Iterator[Block]:
        return iter(tuple(self._sizes))

    def seen(self, block: Block) -> None:
        """It is looked at."""
        self._sizes[block] = self._sizes.pop(block, 0) or size_of(block.message)

    def gone(self, block: Block) -> None:
        """It has no items any more."""
        self._sizes.pop(block, None)

    def too_many(self) -> list[Block]:
        """Those that are more than can be kept, looked at longest ago first."""
        count, size = len(self._sizes) - MOST_OPEN, sum(self._sizes.values()) - MOST_SIZE
        found: list[Block] = []
        for block, each in self._sizes.items():
            if count <= 0 and size <= 0:
                break
            found.append(block)
            count, size = count - 1, size - each
        return found


def size_of(message: Message | None) -> int:
    """Characters of a message, about, without reading it."""
    from kai_tui.conversation.kept_message import KeptMessage
    from kai_tui.conversation.messages import GrowingPart

    if message is None:
        return 0
    if isinstance(message, KeptMessage):
        return message.size
    return sum(len(part) if isinstance(part, GrowingPart) else 100 for part in message.parts)


def estimates(messages: Sequence[Message], width: int) -> list[int]:
    """Lines of messages that were never near the viewport, at a text width of `width` cells."""
    from kai_tui.conversation.kept_message import KeptMessage

    cells = 4 * width
    return [
        # Its JSON has some 200 bytes beside the text.
        3 + max(0, message.size - 200) * 5 // cells
        if isinstance(message, KeptMessage)
        else estimate(message, width)
        for message in messages
    ]


def estimate(message: Message, width: int) -> int:
    """Lines of a message, guessed from its parts."""
    from kai_tui.conversation.messages import GrowingPart

    lines = 1
    for part in message.parts:
        lines += 2 + len(part) * 5 // (4 * width) if isinstance(part, GrowingPart) else 1
    return lines


def hold(message: Message | None) -> None:
    """A block shows this message's parts: they must stay the same objects."""
    from kai_tui.conversation.kept_message import KeptMessage

    if isinstance(message, KeptMessage):
        message.held += 1


def let_go(message: Message | None) -> None:
    """The block does not show them any more."""
    from kai_tui.conversation.kept_message import KeptMessage

    if isinstance(message, KeptMessage):
        message.held -= 1
