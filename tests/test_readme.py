"""What the README promises is what the program has."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from kai_tui.ui.action_words import markdown_table

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
KEYS = re.compile(r"(<!-- keys -->\n).*?(<!-- /keys -->)", re.DOTALL)


def test_snapshot_of_the_keys_is_the_registry() -> None:
    """`make snapshots` writes the table anew."""
    text = README.read_text(encoding="utf-8")
    wanted = KEYS.sub(lambda found: f"{found[1]}{markdown_table().strip()}\n{found[2]}", text)
    if os.environ.get("KAI_TUI_RENEW_SNAPSHOTS") == "1":
        README.write_text(wanted, encoding="utf-8")
        return
    assert text == wanted


def test_every_picture_and_page_it_names_is_there() -> None:
    text = README.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_no_committed_text_names_a_package_host_or_a_path_of_a_machine() -> None:
    named = re.compile(r"(pypi\.org|pythonhosted|npmjs|registry\.|/home/|/Users/|/root/|index-url =)")
    for name in (
        "requirements.lock",
        "pyproject.toml",
        "Makefile",
        "README.md",
        "CONTRIBUTING.md",
        ".ci/run",
        "tests/peers/aisdk/package.json",
        "tests/peers/aisdk/package-lock.json",
        "tests/peers/aisdk/README.md",
    ):
        found = named.search((ROOT / name).read_text(encoding="utf-8"))
        assert found is None, f"{name}: {found}"


def test_the_lock_file_of_the_peers_says_what_not_where_from() -> None:
    text = (ROOT / "tests/peers/aisdk/package-lock.json").read_text(encoding="utf-8")
    packages = {name: each for name, each in json.loads(text)["packages"].items() if name}
    assert "node_modules/ai" in packages
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
    assert not any("resolved" in each for each in packages.values())
