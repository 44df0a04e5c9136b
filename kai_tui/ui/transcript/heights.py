"""Which item is at which row: a Fenwick tree over heights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


class Heights:
    """Heights of a list of items; every question and change costs O(log n).

    Heights may be zero. Rows count from 0.
    """

    __slots__ = ("_tree", "total")

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._tree: list[int] = [0]
        self.total = 0
        self.rebuild(heights)

    def rebuild(self, heights: Iterable[int]) -> None:
        """Start over with these heights; O(n)."""
        tree = [0, *heights]
        self.total = sum(tree)
        size = len(tree)
        for index in range(1, size):
            parent = index + (index & -index)
            if parent < size:
                tree[parent] += tree[index]
        self._tree = tree

    def __len__(self) -> int:
        return len(self._tree) - 1

    def __iter__(self) -> Iterator[int]:
        for index in range(len(self)):
            yield self[index]

    def __getitem__(self, index: int) -> int:
        return self.before(index + 1) - self.before(index)

    def add(self, index: int, difference: int) -> None:
        """Make the item at `index` taller (or lower) by `difference`."""
        self.total += difference
        tree = self._tree
        size = len(tree)
        index += 1
        while index < size:
            tree[index] += difference
            index += index & -index

    def append(self, height: int) -> None:
        """Add an item at the end."""
        tree = self._tree
        index = len(tree)
        span = index & -index
        value = height
        step = 1
        while step < span:
            value += tree[index - step]
            step <<= 1
        tree.append(value)
        self.total += height

    def pop(self) -> int:
        """Take the last item away; its height."""
        height = self[len(self) - 1]
        self._tree.pop()
        self.total -= height
        return height

    def before(self, index: int) -> int:
        """The row at which the item at `index` starts; `index` may be the length."""
        tree = self._tree
        rows = 0
        while index:
            rows += tree[index]
            index &= index - 1
        return rows

    def find(self, row: int) -> tuple[int, int]:
        """The item that holds `row`, and the row inside it.

        Items of height zero are passed over. At or after the end: `(len, rows beyond the end)`.
        """
        tree = self._tree
        size = len(tree)
        position = 0
        bit = 1 << (size.bit_length() - 1)
        while bit:
            following = position + bit
            if following < size and tree[following] <= row:
                position = following
                row -= tree[following]
            bit >>= 1
        return position, row
