"""Every terminal a test opens is closed, whatever happened in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.user import User

Start = Callable[..., User]


@pytest.fixture
def start(own_home: Path) -> Iterator[Start]:
    """`start("--sandbox", size=…, env=…)`: the program with this test's home."""
    users: list[User] = []

    def begin(*arguments: str, home: Path | None = None, **options: Any) -> User:
        user = User(home or own_home, *arguments, **options)
        users.append(user)
        return user

    yield begin
    for user in users:
        user.close()
