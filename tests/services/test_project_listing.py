"""The list of a project's objects: at once from the last run, quietly renewed, never in the way."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kai_tui.backends.base import ServerFailed
from kai_tui.conversation.project_objects import ProjectObject
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.project_listing import FRESH_SECONDS, PATIENCE_SECONDS, ProjectListing
from kai_tui.storage.paths import account_files, app_paths, remove_account_files
from tests.services.scripted_backend import until

TABLE = ProjectObject("table", "in.c-crm.customers", "customers", 96, 1024)


class Stack:
    def __init__(self) -> None:
        self.rows = [TABLE]
        self.asked = 0
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None

    async def objects(self) -> list[ProjectObject]:
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        return list(self.rows)


class House:
    def __init__(self, home: Path) -> None:
        self.paths = app_paths({"KAI_TUI_HOME": str(home)})
        self.stack = Stack()
        self.now = 1000.0

    def listing(self, *, project: bool = True) -> ProjectListing:
        async def found():
            return self.stack if project else None

        keeper = DiskKeeper(account_files(self.paths, "a"))
        return ProjectListing(found, keeper, now=lambda: self.now)  # type: ignore[arg-type]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def settled(listing: ProjectListing) -> None:
    await until(lambda: listing._asking is None or listing._asking.done(), 5)


async def test_a_list_is_asked_for_once_and_again_when_it_is_old(house: House) -> None:
    listing = house.listing()
    heard: list[None] = []
    listing.observe(heard.append)
    for _ in range(3):
        listing.want()
    await settled(listing)
    assert (list(listing.rows), house.stack.asked, len(heard)) == ([TABLE], 1, 1)
    listing.want()
    assert house.stack.asked == 1
    house.now += FRESH_SECONDS
    listing.want()
    await settled(listing)
    assert house.stack.asked == 2
    await listing.aclose()


async def test_the_next_run_has_the_list_at_once_with_its_age(house: House) -> None:
    first = house.listing()
    first.want()
    await settled(first)
    house.now += 2 * FRESH_SECONDS
    house.stack.gate = asyncio.Event()
    second = house.listing()
    second.want()
    await until(lambda: second.rows, 5)
    assert (list(second.rows), second.age) == ([TABLE], 2 * FRESH_SECONDS)
    await second.aclose()


async def test_a_failure_keeps_what_there_is_and_is_not_repeated_at_every_key(house: House) -> None:
    listing = house.listing()
    house.stack.error = ServerFailed("It broke.")
    listing.want()
    await settled(listing)
    listing.want()
    await settled(listing)
    assert (list(listing.rows), house.stack.asked) == ([], 1)
    house.now += PATIENCE_SECONDS
    house.stack.error = None
    listing.want()
    await settled(listing)
    assert list(listing.rows) == [TABLE]
    await listing.aclose()


async def test_without_a_project_there_is_no_list(house: House) -> None:
    listing = house.listing(project=False)
    listing.want()
    await settled(listing)
    assert (list(listing.rows), listing.age) == ([], None)


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "{",
        "[]",
        '{"format": 1, "read_at": 5, "rows": [[1]]}',
        '{"format": 1, "read_at": 5, "rows": [["table", "in.c-a.b", "", "many", null]]}',
        '{"format": 9}',
    ],
)
async def test_a_broken_file_is_no_list(house: House, kept: str) -> None:
    file = account_files(house.paths, "a").cache
    file.parent.mkdir(parents=True)
    (file.parent / file.name.replace(".sqlite", ".objects.json")).write_text(kept)
    house.stack.error = ServerFailed("It broke.")
    listing = house.listing()
    listing.want()
    await settled(listing)
    assert list(listing.rows) == []


async def test_the_file_is_private_and_goes_with_the_account(house: House) -> None:
    listing = house.listing()
    listing.want()
    await settled(listing)
    folder = account_files(house.paths, "a").cache.parent
    (file,) = folder.glob("*.objects.json")
    assert file.stat().st_mode & 0o777 == 0o600
    remove_account_files(house.paths, "a")
    assert list(folder.iterdir()) == []
