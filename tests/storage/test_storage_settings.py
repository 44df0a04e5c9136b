"""The settings file: read kindly, changed without hurting it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kai_tui.storage.errors import StorageError
from kai_tui.storage.paths import NOWHERE, Paths
from kai_tui.storage.private import make_private_directory
from kai_tui.storage.settings import Settings, load_settings, save_setting, settings_file


def write(paths: Paths, content: str | bytes) -> Path:
    file = settings_file(paths)
    make_private_directory(file.parent)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_no_file_means_defaults(paths: Paths) -> None:
    assert load_settings(paths) == (Settings(), [])
    assert not paths.config.exists()


def test_values_are_read(paths: Paths) -> None:
    write(paths, '\ufefftheme = "kai-light"\nsidebar = false\n')
    assert load_settings(paths) == (Settings(theme="kai-light", sidebar=False), [])


def test_one_wrong_entry_does_not_cost_the_others(paths: Paths) -> None:
    write(paths, 'them = "x"\nwibble = 1\nsidebar = "no"\ntheme = "kai-light"\n[table]\nx = 1\n')
    settings, problems = load_settings(paths)
    assert settings == Settings(theme="kai-light")
    assert len(problems) == 4
    assert 'Did you mean "theme"?' in problems[0]
    assert "Known are: theme, sidebar" in problems[1]
    assert '"sidebar" must be true or false' in problems[2]
    assert "table" in problems[3]


@pytest.mark.parametrize(
    "content",
    ["theme = ", b"\xff\xff", "[" * 100_000, "a = " + "[" * 5000, "x = 1\nx = 2", "n = " + "9" * 5000, "\0"],
)
def test_a_broken_file_means_defaults_and_stays(paths: Paths, content: str | bytes) -> None:
    file = write(paths, content)
    before = file.read_bytes()
    settings, problems = load_settings(paths)
    assert settings == Settings()
    assert len(problems) == 1
    with pytest.raises(StorageError) as caught:
        save_setting(paths, "theme", "x")
    assert str(file) in caught.value.sentence
    assert file.read_bytes() == before


def test_saving_keeps_comments_and_unknown_entries(paths: Paths) -> None:
    file = write(paths, '# mine\ntheme = "a"   # nice\nfuture = [1, 2]\n\n[other]\nx = 1\n')
    save_setting(paths, "theme", "kai-light")
    save_setting(paths, "sidebar", False)
    text = file.read_text()
    assert "# mine" in text
    assert 'theme = "kai-light"   # nice' in text
    assert "future = [1, 2]" in text
    settings, problems = load_settings(paths)
    assert settings == Settings(theme="kai-light", sidebar=False)
    assert len(problems) == 2


def test_saving_makes_the_file(paths: Paths) -> None:
    save_setting(paths, "sidebar", False)
    assert load_settings(paths) == (Settings(sidebar=False), [])


def test_wrong_values_are_our_mistake(paths: Paths) -> None:
    with pytest.raises(ValueError):
        save_setting(paths, "nonsense", "x")
    with pytest.raises(ValueError):
        save_setting(paths, "sidebar", "yes")


def test_what_cannot_be_saved_is_a_sentence() -> None:
    with pytest.raises(StorageError) as caught:
        save_setting(Paths(NOWHERE, NOWHERE, NOWHERE, NOWHERE), "theme", "x")
    assert "settings.toml" in caught.value.sentence


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_a_linked_file_stays_a_link(paths: Paths, tmp_path: Path) -> None:
    dotfiles = tmp_path / "dotfiles"
    dotfiles.mkdir()
    (dotfiles / "kai.toml").write_text("# dotfiles\n")
    make_private_directory(paths.config)
    settings_file(paths).symlink_to(dotfiles / "kai.toml")
    save_setting(paths, "theme", "kai-light")
    assert settings_file(paths).is_symlink()
    assert (dotfiles / "kai.toml").read_text().startswith('# dotfiles\ntheme = "kai-light"')
