"""Reading the ledgers of all accounts, and giving them to others: nothing foreign acts there, everything can be checked."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import datetime
from pathlib import Path

import pytest

from kai_tui.cli.main import run
from kai_tui.services.ledger_book import matching, read_books, set_aside
from kai_tui.services.ledger_export import FORMATS, exported, file_name, write_export
from kai_tui.storage.errors import StorageError
from kai_tui.storage.ledger import LedgerFile
from kai_tui.storage.ledger_chain import START
from kai_tui.storage.paths import Paths, account_files, app_paths

ODD = "=cmd|' /C calc'!A0 \x1b]52;c;QUJD\x07 | `x` <b>@team</b>\nsecond line"


@pytest.fixture
def paths(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.setenv("KAI_TUI_HOME", str(own_home))
    return app_paths({"KAI_TUI_HOME": str(own_home)})


def fill(paths: Paths, account: str, label: str, count: int = 2) -> LedgerFile:
    ledger = LedgerFile(account_files(paths, account).ledger, account)
    for number in range(count):
        ledger.add(
            {
                "kind": "decision", "at": f"2026-11-2{number}T10:00:00.000Z", "account_id": account, "account": label,
                "host": "kai.test", "branch": "main", "chat_id": "c", "call_id": f"w{number}",
                "tool": "update_descriptions", "sentence": f"Update table t{number}", "effects": ["changes"],
                "objects": [{"kind": "table", "id": f"in.c-crm.t{number}", "name": ""}],
                "decision": "approved" if number % 2 == 0 else "denied", "by": "you", "rule": "",
                "reason": ODD if number else "", "shown": "a" * 64, "input": "b" * 64,
                "edits": [{"path": "x[0]", "does": "sets", "before": "1", "after": ODD}],
            }
        )  # fmt: skip
    ledger.add_outcome("c", "w0", {"kind": "outcome", "chat_id": "c", "call_id": "w0", "outcome": "sent"})
    ledger.add_outcome(
        "c",
        "w0",
        {
            "kind": "outcome",
            "chat_id": "c",
            "call_id": "w0",
            "outcome": "done",
            "job": "https://x.example/jobs/9",
        },
    )
    return ledger


def test_the_open_account_comes_first_and_each_decision_has_its_end(paths: Paths) -> None:
    fill(paths, "alpha", "Alpha")
    fill(paths, "beta", "Beta")
    books = read_books(paths, first="beta")
    assert [book.label for book in books] == ["Beta", "Alpha"]
    assert all(book.sound for book in books)
    newest, oldest = books[0].records
    assert (newest.text("call_id"), newest.outcome) == ("w1", "nothing known yet")
    assert (oldest.outcome, oldest.job) == ("a job was started", "https://x.example/jobs/9")
    assert oldest.who == "You approved it with changes."
    assert newest.objects == ["table in.c-crm.t1"]
    assert [each.text("call_id") for each in matching(books[0].records, "T0 crm approved")] == ["w0"]
    assert matching(books[0].records, "t0 denied") == []
    assert len(matching(books[0].records, " ")) == 2


def test_a_ledger_that_was_copied_to_another_account_is_found(paths: Paths) -> None:
    mine = fill(paths, "alpha", "Alpha")
    other = account_files(paths, "beta").ledger
    other.write_bytes(mine.path.read_bytes())
    other.with_suffix(".head").write_bytes(mine.head_path.read_bytes())
    assert [book.sound for book in read_books(paths, first="alpha")] == [True, False]


def test_a_damaged_ledger_is_one_sentence_and_can_be_set_aside(paths: Paths) -> None:
    ledger = fill(paths, "alpha", "Alpha")
    ledger.path.write_bytes(b"no database")
    (book,) = read_books(paths)
    assert not book.sound
    assert "damaged" in book.problem
    assert set_aside(book.path) is not None
    (gone,) = read_books(paths)
    assert "The ledger is gone: 5 entries were written to it" in gone.found[-1]


def test_a_ledger_that_was_removed_is_missed_as_long_as_its_head_is_there(
    paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = fill(paths, "alpha", "Alpha")
    head = ledger.rows()[-1].hash
    ledger.path.unlink()
    assert run(["ledger", "verify"]) == 1
    assert (
        f"The ledger is gone: 5 entries were written to it, the last one {head}." in capsys.readouterr().out
    )
    assert run(["ledger", "export"]) == 1
    assert "not as it was written" in capsys.readouterr().err


def test_a_folder_that_cannot_be_looked_into_is_no_proof(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(paths, "alpha", "Alpha")

    def denied(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", denied)
    assert run(["ledger", "verify"]) == 1
    assert "cannot be looked for" in capsys.readouterr().out


def test_csv_has_no_formula_and_no_control_character(paths: Paths) -> None:
    fill(paths, "alpha", "Alpha")
    (book,) = read_books(paths)
    text = exported([(book, book.records)], "csv")
    assert "\x1b" not in text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["entry"] for row in rows] == ["3", "2"]
    assert rows[0]["reason"].startswith("'=cmd")
    assert rows[0]["objects"] == "table in.c-crm.t1"
    assert rows[1]["job"] == "https://x.example/jobs/9"
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_json_can_be_checked_without_this_program(paths: Paths) -> None:
    fill(paths, "alpha", "Alpha")
    (book,) = read_books(paths)
    text = exported([(book, book.records)], "json")
    assert text.isascii()
    (ledger,) = json.loads(text)["ledgers"]
    assert ledger["complete"]
    before = START
    for entry in ledger["entries"]:
        assert entry["before"] == before
        whole = f"{before}\n{entry['number']}\n{entry['content']}"
        before = hashlib.sha256(whole.encode()).hexdigest()
        assert entry["hash"] == before
    assert ledger["head"]["hash"] == before
    part = json.loads(exported([(book, matching(book.records, "t0"))], "json", about="t0"))["ledgers"][0]
    assert not part["complete"]
    assert [json.loads(each["content"])["call_id"] for each in part["entries"]] == ["w0", "w0", "w0"]


def test_markdown_shows_foreign_text_as_it_is(paths: Paths) -> None:
    fill(paths, "alpha", "Alpha | <b>")
    (book,) = read_books(paths)
    text = exported([(book, book.records)], "markdown", about="`x`")
    assert "\x1b" not in text
    assert "| Reason | =cmd\\|" in text
    assert "\\<b\\>&#64;team" in text
    assert "``=cmd\\|" in text, "around the backticks inside"
    assert all("``" in line for line in text.splitlines() if "@team" in line or "<b>" in line)
    assert "| Job | <https://x.example/jobs/9> |" in text
    assert text.index("Update table t0") < text.index("Update table t1"), "in the order of deciding"
    head = book.rows[-1].hash
    assert head in text
    assert "What this cannot find" in text
    assert all(line.count("|") - line.count("\\|") in (0, 3, 4) for line in text.splitlines())


def test_an_export_is_private_new_and_follows_no_link(tmp_path: Path) -> None:
    target = tmp_path / "ticket.md"
    write_export(target, "text")
    assert target.stat().st_mode & 0o777 == 0o600
    with pytest.raises(StorageError, match="already"):
        write_export(target, "other")
    link = tmp_path / "link.md"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError):
        write_export(link, "other")
    assert target.read_text() == "text"
    assert not (tmp_path / "elsewhere").exists()
    with pytest.raises(StorageError, match="could not be written"):
        write_export(tmp_path / "no" / "such" / "folder.md", "x")
    now = datetime(2026, 11, 21, 20, 0, 0)
    assert file_name("../../etc/Ünï \x1b[2J", "csv", now=now) == "kai-ledger-etc-n-2j-20261121-200000.csv"
    assert file_name("…", "json", now=now) == "kai-ledger-account-20261121-200000.json"


# Headless


def test_verify_says_what_it_found_and_what_it_cannot_find(
    paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["ledger", "verify"]) == 0
    assert "there is no ledger" in capsys.readouterr().out
    ledger = fill(paths, "alpha", "Alpha")
    fill(paths, "beta", "Beta\x1b[2J")
    head = ledger.rows()[-1].hash
    assert run(["ledger", "verify"]) == 0
    out = capsys.readouterr().out
    assert "Alpha: 5 entries, no later change found." in out
    assert f"Head: entry 5, {head}" in out
    assert "What this cannot find" in out
    assert "\x1b" not in out
    assert run(["ledger", "verify", "--head", head[:10]]) == 0
    assert run(["ledger", "verify", "--head", "0" * 10]) == 1
    capsys.readouterr()
    data = ledger.path.read_bytes()
    assert data.count(b"denied") == 1
    ledger.path.write_bytes(data.replace(b"denied", b"DENIED"))
    assert run(["ledger", "verify"]) == 1
    assert "entry 3: This entry was changed after it was written." in capsys.readouterr().out
    assert run(["ledger", "verify", "--account", "beta\x1b[2j"]) == 0
    assert run(["ledger", "verify", "--account", "nobody"]) == 2


@pytest.mark.parametrize("how", FORMATS)
def test_export_writes_to_the_terminal_or_a_new_file(
    paths: Paths, tmp_path: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    fill(paths, "alpha", "Alpha")
    fill(paths, "beta", "Beta")
    assert run(["ledger", "export", "--format", how, "--account", "alpha"]) == 0
    out = capsys.readouterr().out
    assert "Alpha" in out
    assert "Beta" not in out
    assert "\x1b" not in out
    target = tmp_path / "out.txt"
    command = ["ledger", "export", "--format", how, "--match", "crm.t1", "--output", str(target)]
    assert run(command) == 0
    assert "2 decisions written to" in capsys.readouterr().out
    assert "Update table t1" in target.read_text()
    assert "Update table t0" not in target.read_text()
    assert run(command) == 2
    assert "already" in capsys.readouterr().err
