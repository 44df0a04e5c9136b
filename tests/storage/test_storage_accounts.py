"""The list of accounts (S6)."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kai_tui.storage import private
from kai_tui.storage.accounts import AccountRecord, accounts_file, load_accounts, remove_account, save_account
from kai_tui.storage.errors import StorageError
from kai_tui.storage.paths import NOWHERE, Paths

ONE = AccountRecord(
    "kai|1",
    "kai",
    "Můj projekt",
    "https://kai.example",
    "https://connection.example",
    "agent",
    "1",
    "keyring",
)


def test_no_file_is_no_account(paths: Paths) -> None:
    assert load_accounts(paths) == ([], None)
    assert not paths.data.exists()


def test_saved_accounts_come_back_the_last_used_first(paths: Paths) -> None:
    two = ONE._replace(id="kai|2", label="\ud800")
    first, second = save_account(paths, ONE), save_account(paths, two)
    assert (first.last_used, second.last_used) == (1, 2)
    assert load_accounts(paths) == ([second._replace(label="\ufffd"), first], None)
    again = save_account(paths, ONE)
    assert [record.id for record in load_accounts(paths)[0]] == ["kai|1", "kai|2"]
    assert again.last_used == 3
    remove_account(paths, "kai|1")
    remove_account(paths, "nobody")
    assert [record.id for record in load_accounts(paths)[0]] == ["kai|2"]


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"{", b"[]", b'{"accounts": 5}', b"[" * 100_000, b'{"n":' + b"9" * 5000 + b"}"],
)
def test_a_broken_file_is_set_aside(paths: Paths, content: bytes) -> None:
    file = accounts_file(paths)
    private.write_private(file, content)
    records, problem = load_accounts(paths)
    assert records == []
    assert problem
    (aside,) = private.dated_files(file, "broken")
    assert str(aside) in problem
    assert aside.read_bytes() == content
    private.write_private(file, content)
    assert save_account(paths, ONE).last_used == 1
    assert load_accounts(paths) == ([ONE._replace(last_used=1)], None)


def test_entries_we_do_not_understand_are_left_out_and_kept(paths: Paths) -> None:
    entries = [
        {"id": "ok", "kind": "kai", "label": 5, "last_used": True, "newer": {"x": 1}},
        {"id": "", "kind": "kai"},
        {"kind": "kai"},
        "junk",
        {"id": "later", "kind": "something-new"},
    ]
    private.write_private(accounts_file(paths), json.dumps({"version": 9, "accounts": entries}).encode())
    records, problem = load_accounts(paths)
    assert problem is None
    assert records == [AccountRecord("ok", "kai"), AccountRecord("later", "something-new")]
    save_account(paths, records[0])
    on_disk = json.loads(accounts_file(paths).read_bytes())["accounts"]
    assert next(entry for entry in on_disk if entry.get("id") == "ok")["newer"] == {"x": 1}


def test_what_cannot_be_saved_is_a_sentence() -> None:
    with pytest.raises(StorageError) as caught:
        save_account(Paths(NOWHERE, NOWHERE, NOWHERE, NOWHERE), ONE)
    assert caught.value.fault == "unwritable"
    assert "accounts.json" in caught.value.sentence


def test_several_at_once_lose_nothing(paths: Paths) -> None:
    def add(start: int) -> None:
        for number in range(start, start + 5):
            save_account(paths, ONE._replace(id=str(number)))

    threads = [threading.Thread(target=add, args=(start,)) for start in range(0, 20, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records, _ = load_accounts(paths)
    assert {record.id for record in records} == {str(number) for number in range(20)}
    assert sorted(record.last_used for record in records) == list(range(1, 21))


def test_killed_while_saving_leaves_a_readable_file(tmp_path: Path) -> None:
    code = f"""
from kai_tui.storage.paths import app_paths
from kai_tui.storage.accounts import *
paths = app_paths({{"KAI_TUI_HOME": {str(tmp_path)!r}}})
print("go", flush=True)
while True:
    save_account(paths, AccountRecord("a", "kai", "x" * 20000))
"""
    from kai_tui.storage.paths import app_paths

    paths = app_paths({"KAI_TUI_HOME": str(tmp_path)})
    save_account(paths, AccountRecord("a", "kai"))
    for seed in range(4):
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert child.stdout
        child.stdout.readline()
        threading.Event().wait(random.Random(seed).random() * 0.03)
        child.kill()
        child.wait()
        child.stdout.close()
        records, problem = load_accounts(paths)
        assert problem is None
        assert [record.id for record in records] == ["a"]
        for lock in tmp_path.rglob("*.lock"):
            lock.unlink()  # its owner is dead; else it is taken over after ten seconds
