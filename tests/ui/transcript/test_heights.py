"""The Fenwick tree against a plain list."""

from hypothesis import given
from hypothesis import strategies as st

from kai_tui.ui.transcript.heights import Heights

HEIGHTS = st.lists(st.integers(0, 30), max_size=60)


def model_find(heights: list[int], row: int) -> tuple[int, int]:
    for index, height in enumerate(heights):
        if row < height:
            return index, row
        row -= height
    return len(heights), row


@given(HEIGHTS, st.integers(0, 600))
def test_finds_the_item_of_a_row(heights: list[int], row: int) -> None:
    tree = Heights(heights)
    assert tree.total == sum(heights)
    if row < sum(heights):
        assert tree.find(row) == model_find(heights, row)
    else:
        assert tree.find(row)[0] == len(heights)


@given(HEIGHTS, st.lists(st.tuples(st.sampled_from(["add", "append", "pop"]), st.integers(0, 99))))
def test_changes_keep_it_true(heights: list[int], changes: list[tuple[str, int]]) -> None:
    tree = Heights(heights)
    model = list(heights)
    for kind, number in changes:
        if kind == "append":
            tree.append(number)
            model.append(number)
        elif kind == "pop" and model:
            assert tree.pop() == model.pop()
        elif kind == "add" and model:
            index = number % len(model)
            tree.add(index, number)
            model[index] += number
    assert list(tree) == model
    assert tree.total == sum(model)
    assert [tree.before(index) for index in range(len(model) + 1)] == [
        sum(model[:index]) for index in range(len(model) + 1)
    ]
