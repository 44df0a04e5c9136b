"""The ledger's file: every later change is found, two windows keep one chain, nothing is lost without a word."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from kai_tui.storage import ledger as module
from kai_tui.storage.errors import StorageError
from kai_tui.storage.ledger import LedgerFile
from kai_tui.storage.ledger_chain import Head, Verified, verify
from kai_tui.storage.paths import NOWHERE, Paths, account_files, ledgers, remove_account_files

SIX = 6


def decision(call: str, **more: object) -> dict[str, object]:
    return {"kind": "decision", "chat_id": "c1", "call_id": call, "decision": "approved", **more}


def outcome(what: str, at: str = "1") -> dict[str, object]:
    return {"kind": "outcome", "chat_id": "c1", "call_id": "a", "outcome": what, "at": at}


@pytest.fixture
def file(tmp_path: Path) -> LedgerFile:
    """Six entries: one that begins it, five decisions."""
    ledger = LedgerFile(tmp_path / "accounts" / "x.state.ledger.sqlite", "account-1")
    for call in "abcde":
        ledger.add(decision(call, tool="update_descriptions", approved=True))
    return ledger


def look(ledger: LedgerFile, noted: str = "") -> Verified:
    rows, kept = ledger.checked()
    return verify(rows, kept, account_id="account-1", noted=noted)


def tamper(ledger: LedgerFile, *statements: str) -> None:
    """As somebody who may write the file, triggers or not."""
    with closing(sqlite3.connect(ledger.path)) as connection:
        for name in ("entries_stay", "entries_do_not_change", "entries_in_order"):
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_an_untouched_ledger_is_sound_and_in_order(file: LedgerFile) -> None:
    found = look(file)
    assert found.sound
    assert found.entries == SIX
    assert found.head == file.kept_head() == file.rows()[-1].head
    assert [row.call_id for row in file.rows()] == ["", *"abcde"]
    assert file.rows()[0].entry["account_id"] == "account-1"
    assert [row.call_id for row in file.of_chat("c1")] == list("abcde")
    assert look(LedgerFile(file.path.with_name("none.ledger.sqlite"))).entries == 0


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE entries SET content = replace(content, 'approved', 'denied') WHERE number = 3", "changed"),
        ("UPDATE entries SET hash = '0' WHERE number = 3", "changed"),
        ("UPDATE entries SET before = '0' WHERE number = 3", "follow"),
        ("UPDATE entries SET call_id = 'z' WHERE number = 3", "another chat or call"),
        ("UPDATE entries SET chat_id = 'z' WHERE number = 3", "another chat or call"),
        ("DELETE FROM entries WHERE number = 3", "1 entry is missing"),
        ("DELETE FROM entries WHERE number < 4", "3 entries are missing"),
        ("DELETE FROM entries WHERE number = 6", "The end was cut off"),
        ("DELETE FROM entries", "The ledger is gone"),
        ("UPDATE entries SET number = number + 1 WHERE number = 6", "1 entry is missing"),
    ],
)
def test_every_later_change_is_found(file: LedgerFile, statement: str, words: str) -> None:
    tamper(file, statement)
    found = look(file)
    assert not found.sound
    assert any(words in trouble.sentence for trouble in found.troubles), found


def test_an_entry_that_was_rewritten_with_its_hash_does_not_fit_the_next(file: LedgerFile) -> None:
    row = file.rows()[2]
    content = row.content.replace("approved", "denied")
    forged = module.hash_of(row.before, row.number, content)
    tamper(file, f"UPDATE entries SET content = '{content}', hash = '{forged}' WHERE number = 3")
    assert [trouble.number for trouble in look(file).troubles] == [4]


def test_the_last_entry_rewritten_with_its_hash_is_not_the_kept_head(file: LedgerFile) -> None:
    row = file.rows()[-1]
    content = row.content.replace("approved", "denied")
    forged = module.hash_of(row.before, row.number, content)
    tamper(file, f"UPDATE entries SET content = '{content}', hash = '{forged}' WHERE number = {row.number}")
    assert [trouble.sentence for trouble in look(file).troubles] == [
        "This is not the entry that the kept head stands for."
    ]


def test_the_program_itself_cannot_change_what_is_written(file: LedgerFile) -> None:
    with closing(sqlite3.connect(file.path)) as connection:
        for statement in (
            "UPDATE entries SET content = 'x' WHERE number = 2",
            "DELETE FROM entries WHERE number = 6",
            "INSERT OR REPLACE INTO entries SELECT * FROM entries WHERE number = 3",
            "INSERT INTO entries SELECT number + 5, content, before, hash, '', '' FROM entries WHERE number = 3",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="only added to"):
                connection.execute(statement)


def test_what_is_missing_stays_said_after_the_next_entry(file: LedgerFile) -> None:
    """Writing on must not hide that the end was cut off, an older copy put back, or the head taken away."""
    before = file.path.read_bytes()
    kept = file.kept_head()
    file.add(decision("f"))
    file.path.write_bytes(before)
    file.add(decision("g"))
    assert any("1 entry is missing before this one" in each.sentence for each in look(file).troubles)
    assert file.rows()[-1].call_id == "g"
    assert kept is not None
    file.head_path.unlink()
    file.add(decision("h"))
    assert any("kept head was gone" in each.sentence for each in look(file).troubles)


def test_a_ledger_that_is_gone_is_said_also_by_the_one_that_follows(file: LedgerFile) -> None:
    kept = file.kept_head()
    assert kept is not None
    file.path.unlink()
    assert [each.sentence for each in look(file).troubles] == [
        f"The ledger is gone: 6 entries were written to it, the last one {kept.hash}."
    ]
    file.add(decision("f"))
    (trouble,) = look(file).troubles
    assert trouble.number == 1
    assert kept.hash in trouble.sentence


def test_a_head_that_was_noted_elsewhere_shows_a_ledger_that_was_rewritten(file: LedgerFile) -> None:
    noted = file.rows()[-1].hash
    assert look(file, noted[:12].upper()).sound
    file.path.unlink()
    file.head_path.unlink()
    file.add(decision("f"))
    assert look(file).sound, "nothing on this machine shows it"
    assert not look(file, noted[:12]).sound


def test_a_ledger_of_another_account_is_not_taken_for_this_one(file: LedgerFile) -> None:
    rows, kept = file.checked()
    assert not verify(rows, kept, account_id="account-2").sound


def test_a_head_behind_the_chain_is_no_alarm(file: LedgerFile) -> None:
    """kill -9 between an entry and its head."""
    rows, _ = file.checked()
    assert verify(rows, rows[3].head).sound
    assert not verify(rows, Head(4, rows[4].hash)).sound


def test_outcomes_belong_to_the_newest_decision_and_are_written_once(file: LedgerFile) -> None:
    assert file.add_outcome("c1", "zz", {**outcome("done"), "call_id": "zz"}) is None, "nobody decided it"
    assert file.add_outcome("c1", "a", outcome("sent")) is not None
    assert file.add_outcome("c1", "a", outcome("sent", at="2")) is None
    done = file.add_outcome("c1", "a", outcome("done"))
    assert done is not None
    assert done.entry["of"] == 2
    again = file.add(decision("a"))
    later = file.add_outcome("c1", "a", outcome("done"))
    assert later is not None, "of another decision"
    assert later.entry["of"] == again.number
    assert look(file).sound


def test_foreign_texts_are_kept_whatever_they_are(file: LedgerFile) -> None:
    odd = "a\ud800\u202e'\"\n\x00" + "x" * 10_000
    row = file.add({"kind": "decision", "chat_id": odd, "call_id": odd, "reason": odd})
    assert row.entry["reason"] == odd
    assert [each.number for each in file.of_chat(odd)] == [row.number]
    assert file.add_outcome(odd, odd, {"kind": "outcome", "chat_id": odd, "call_id": odd}) is not None
    assert look(file).sound


WRITER = """
import pathlib, sys
from kai_tui.storage.ledger import LedgerFile
ledger = LedgerFile(pathlib.Path(sys.argv[1]), "account-1")
for number in range(int(sys.argv[3])):
    row = ledger.add({"kind": "decision", "chat_id": sys.argv[2], "call_id": str(number)})
    print(row.number, flush=True)
"""


def writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(count)], stdout=subprocess.PIPE, text=True
    )


def test_windows_that_write_at_once_keep_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "x.state.ledger.sqlite"
    children = [writer(path, name, 25) for name in ("one", "two", "three")]
    numbers = [int(each) for child in children for each in child.communicate(timeout=60)[0].split()]
    assert sorted(numbers) == list(range(2, 77))
    found = look(LedgerFile(path))
    assert found.sound
    assert found.entries == 76


def test_a_window_killed_while_writing_leaves_a_sound_chain_with_all_it_said(tmp_path: Path) -> None:
    path = tmp_path / "x.state.ledger.sqlite"
    for round_ in range(3):
        child = writer(path, f"round {round_}", 1000)
        assert child.stdout
        said = [child.stdout.readline() for _ in range(3 + 2 * round_)]
        child.kill()
        said += child.stdout.read().splitlines()
        child.wait()
        child.stdout.close()
        assert look(LedgerFile(path)).sound
        assert max(int(each) for each in said if each.strip()) <= len(LedgerFile(path).rows())


def test_a_full_disk_is_said_and_nothing_is_half_written(
    file: LedgerFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module.connect

    def no_room(target: str) -> sqlite3.Connection:
        connection = real(target)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    monkeypatch.setattr(module, "connect", no_room)
    with pytest.raises(StorageError, match="the disk is full") as caught:
        file.add(decision("f", reason="x" * 100_000))
    assert caught.value.fault == "full"
    monkeypatch.undo()
    assert look(file).entries == SIX
    file.add(decision("f"))
    assert look(file).sound


@pytest.mark.parametrize("broken", [b"not a database at all\n", b"SQLite format 3\0" + b"\1" * 4000, None])
def test_a_damaged_file_stays_until_it_is_set_aside(file: LedgerFile, broken: bytes | None) -> None:
    if broken is None:
        data = bytearray(file.path.read_bytes())
        data[4096:8192] = b"\xff" * 4096
        broken = bytes(data)
    file.path.write_bytes(broken)
    with pytest.raises(StorageError, match="damaged") as caught:
        file.add(decision("f"))
    assert caught.value.fault == "damaged"
    with pytest.raises(StorageError, match="damaged"):
        file.checked()
    assert file.path.read_bytes()[:4000] == broken[:4000]
    file.path.with_name(file.path.name + "-journal").write_bytes(b"")
    aside = file.set_aside()
    assert aside is not None
    assert aside.read_bytes()[:4000] == broken[:4000]
    file.add(decision("f"))
    (trouble,) = look(file).troubles
    assert f"set aside as {aside.name}." in trouble.sentence


def test_a_file_of_a_newer_version_is_left_as_it_is(file: LedgerFile) -> None:
    with closing(sqlite3.connect(file.path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = file.path.read_bytes()
    with pytest.raises(StorageError, match="newer kai-tui"):
        file.add(decision("f"))
    with pytest.raises(StorageError, match="newer kai-tui"):
        file.rows()
    assert file.path.read_bytes() == before


def test_without_a_home_folder_there_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="KAI_TUI_HOME"):
        LedgerFile(NOWHERE / "data" / "x.ledger.sqlite").add(decision("f"))


def test_a_folder_that_cannot_be_written_is_said(ordinary) -> None:
    result = ordinary("""
import pathlib
from kai_tui.storage.errors import StorageError
from kai_tui.storage.ledger import LedgerFile
ledger = LedgerFile(pathlib.Path("home/x.ledger.sqlite"), "a")
ledger.add({"kind": "decision"})
os.chmod("home/x.ledger.sqlite", 0o400); os.chmod("home", 0o500)
try:
    ledger.add({"kind": "decision"})
except StorageError as error:
    print(error.fault, len(ledger.rows()), "cannot be written" in error.sentence)
""")
    assert result.stdout.strip() == "unwritable 2 True", result


def test_files_are_private_and_purged_with_their_account(paths: Paths) -> None:
    files = account_files(paths, "mine")
    ledger = LedgerFile(files.ledger, "mine")
    ledger.add(decision("a"))
    ledger.path.write_bytes(b"broken")
    ledger.set_aside()
    ledger.add(decision("b"))
    LedgerFile(account_files(paths, "other").ledger, "other").add(decision("a"))
    folder = files.state.parent
    assert all(each.stat().st_mode & 0o777 == 0o600 for each in folder.iterdir())
    assert len(ledgers(paths)) == 2
    remove_account_files(paths, "mine")
    assert ledgers(paths) == [account_files(paths, "other").ledger]
    assert all("other" in each.name for each in folder.iterdir())
