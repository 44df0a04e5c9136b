"""How much of a behaviour the fast suite tries: some cases of many, some examples of many. `make test-slow` tries all.

What differs from case to case in what is proven stays a case of its own; `some` is for repetitions over sizes,
systems, recordings and corpora.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TypeVar
from zlib import crc32

import pytest
from hypothesis import settings

EXAMPLES = int(os.environ.get("KAI_TUI_EXAMPLES", "0"))
"""How many examples every property gets at least; 0: as many as a fast suite can afford."""


def examples(full: int) -> settings:
    """A property that is looked at this often, and a fifth as often in the fast suite."""
    return settings(max_examples=max(full, EXAMPLES) if EXAMPLES else max(full // 5, 10), deadline=None)


Case = TypeVar("Case")


def for_all(cases: Iterable[Case]) -> Callable[[Callable[[Case], None]], Callable[[], None]]:
    """One test of all cases, for what is quick and the same in all; a failure names its case.

    A test each costs more than what it does: every worker collects it, and it gets a home of its own.
    """

    def joined(test: Callable[[Case], None]) -> Callable[[], None]:
        def all_of_them() -> None:
            tried = 0
            for case in cases:
                try:
                    test(case)
                except BaseException as error:
                    error.add_note(f"with {getattr(case, 'name', case)!r}")
                    raise
                tried += 1
            assert tried, "there are no cases"

        all_of_them.__name__, all_of_them.__doc__ = test.__name__, test.__doc__
        all_of_them.__module__ = test.__module__
        return all_of_them

    return joined


def leave_some(items: list[pytest.Item]) -> None:
    """Of a test with `@pytest.mark.some(number)`, that many cases stay fast, evenly spread; the others are slow.

    Which ones differs from test to test (and not from run to run), so that every system and every size is met.
    """
    cases: dict[tuple[str, str], list[pytest.Function]] = defaultdict(list)
    for item in items:
        if isinstance(item, pytest.Function) and not item.get_closest_marker("slow"):
            cases[item.nodeid.split("::")[0], item.originalname].append(item)
    for (_, name), found in cases.items():
        mark = found[0].get_closest_marker("some")
        if mark is None or len(found) <= mark.args[0]:
            continue
        number: int = mark.args[0]
        shift = crc32(name.encode()) % len(found)
        fast = {(shift + round(each * len(found) / number)) % len(found) for each in range(number)}
        for at, item in enumerate(found):
            if at not in fast:
                item.add_marker(pytest.mark.slow)
