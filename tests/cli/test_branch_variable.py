"""`KAI_BRANCH_ID`: on which branch an account of the environment works."""

from __future__ import annotations

import pytest

from kai_tui.cli import main as cli
from kai_tui.services.account_service import AccountService

ADDRESS = "https://kai.test"


def options(monkeypatch: pytest.MonkeyPatch, branch: str, *argv: str):
    monkeypatch.setenv("KAI_BRANCH_ID", branch)
    return cli._options(cli._parser().parse_args(argv))  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(("text", "branch_id"), [("", None), (" 4711 ", 4711)])
def test_a_number_or_nothing(monkeypatch: pytest.MonkeyPatch, text: str, branch_id: int | None) -> None:
    assert options(monkeypatch, text, "--base-url", ADDRESS).branch_id == branch_id


@pytest.mark.parametrize("text", ["main", "-1", "0", "12.5", "\u0661\u0662", "9" * 19])
def test_anything_else_is_refused_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    monkeypatch.setenv("KAI_BRANCH_ID", text)
    assert cli.run(["--base-url", ADDRESS]) == 2
    said = capsys.readouterr().err
    assert "KAI_BRANCH_ID" in said
    assert "A branch is a number" in said


def test_it_is_for_the_environment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert options(monkeypatch, "main", "--sandbox").branch_id is None


def test_branches_of_one_project_are_accounts_of_their_own(tmp_path) -> None:
    accounts = AccountService({"KAI_TUI_HOME": str(tmp_path), "STORAGE_API_TOKEN": "1-2-x"})
    main, one, two = (
        accounts.from_environment(ADDRESS, "https://c.test", "agent", branch_id=branch)
        for branch in (None, 1, 2)
    )
    assert len({main.id, one.id, two.id}) == 3
    assert (main.branch, one.branch) == ("main", "1")
