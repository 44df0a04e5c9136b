"""Differences between texts: nothing is lost, nothing is invented, and nothing takes long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.line_diff import DiffLine, line_diff

FEW = st.lists(st.sampled_from(["", "a", "b", "c d", "c e", "}"]), max_size=30).map("\n".join)


def kinds(lines: list[DiffLine]) -> list[tuple[str, str]]:
    return [(line.kind, line.text) for line in lines]


def test_a_changed_line_goes_and_comes_with_its_own_words_marked() -> None:
    gone, come = line_diff("Loaded at 05:00 daily", "Loaded at 06:00 daily")
    assert [gone.text[start:end] for start, end in gone.changed] == ["05"]
    assert [come.text[start:end] for start, end in come.changed] == ["06"]


def test_lines_with_little_in_common_are_marked_as_a_whole() -> None:
    assert all(line.changed == () for line in line_diff("SELECT 1", "Nothing of that kind"))


def test_long_stretches_that_stay_are_counted() -> None:
    before = "\n".join(map(str, range(100)))
    found = line_diff(before, before.replace("50", "fifty"))
    assert kinds(found) == [
        ("skipped", ""),
        ("same", "47"),
        ("same", "48"),
        ("same", "49"),
        ("removed", "50"),
        ("added", "fifty"),
        ("same", "51"),
        ("same", "52"),
        ("same", "53"),
        ("skipped", ""),
    ]
    assert [line.left_out for line in found if line.kind == "skipped"] == [47, 46]


@pytest.mark.parametrize(("before", "after"), [("", ""), ("a", "a"), ("", "a"), ("a", ""), ("a\n", "a")])
def test_ends_and_nothing(before: str, after: str) -> None:
    assert rebuilt(before, after) == (before, after)


def rebuilt(before: str, after: str) -> tuple[str, str]:
    """Both texts as the difference has them, what was left out filled in from `after`."""
    new = after.split("\n")
    old_lines: list[str] = []
    new_lines: list[str] = []
    for line in line_diff(before, after):
        if line.kind == "skipped":
            stay = new[line.at : line.at + line.left_out]
            old_lines += stay
            new_lines += stay
        if line.kind in ("same", "removed"):
            old_lines.append(line.text)
        if line.kind in ("same", "added"):
            new_lines.append(line.text)
            assert new[line.at] == line.text
        for start, end in line.changed:
            assert 0 <= start < end <= len(line.text)
    return "\n".join(old_lines), "\n".join(new_lines)


@given(FEW, FEW)
def test_both_texts_can_be_had_back(before: str, after: str) -> None:
    assert rebuilt(before, after) == (before, after)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text(before: str, after: str) -> None:
    assert rebuilt(before, after) == (before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\n" * 20_000, "b\na\n" * 20_000),
        ("x y " * 200_000, "y x " * 200_000),
        (
            "\n".join(f"SELECT {n} a" for n in range(20_000)),
            "\n".join(f"SELECT {n} b" for n in range(20_000)),
        ),
    ],
)
def test_texts_made_to_be_slow_are_not(before: str, after: str) -> None:
    began = time.process_time()
    line_diff(before, after)
    assert time.process_time() - began < 2
