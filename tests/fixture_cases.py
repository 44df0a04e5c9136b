"""Where conformance tests find their recordings: `tests/fixtures` and every folder in KAI_TUI_FIXTURES.

Each root has the same layout: `ai-sdk/`, `ai-sdk-v7/`, `sse-conformance/`, `kai-legacy/`, `hostile/`.
A root, or a kind below it, may be missing or hold only some files. `KAI_TUI_FIXTURES` is a list of
folders separated by `os.pathsep`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parent / "fixtures"


def roots() -> list[Path]:
    """The folders that may hold recordings; ours first."""
    extra = [Path(name) for name in os.environ.get("KAI_TUI_FIXTURES", "").split(os.pathsep) if name]
    return [FIXTURES, *(root for root in extra if root.is_dir() and root.resolve() != FIXTURES.resolve())]


def folders(kind: str) -> list[Path]:
    """Every existing folder of a kind (`"hostile"`), ours first."""
    return [folder for root in roots() if (folder := root / kind).is_dir()]


def cases(kind: str, pattern: str = "*") -> list[Path]:
    """The files of a kind whose names match `pattern` (`"*.sse"`), sorted within each root."""
    return [path for folder in folders(kind) for path in sorted(folder.glob(pattern)) if path.is_file()]


def case_id(path: Path) -> str:
    """A short name for pytest: the file, with its root in front when it is not ours."""
    return path.name if path.is_relative_to(FIXTURES) else f"{path.parents[1].name}/{path.name}"


def expanded(value: Any) -> Any:
    """A value of the hostile corpus with its long strings written out.

    `{"$concat": ["a", {"$repeat": ["b", 3]}]}` stands for "abbb".
    """
    if isinstance(value, dict):
        if "$concat" in value:
            return "".join(expanded(item) for item in value["$concat"])
        if "$repeat" in value:
            unit, count = value["$repeat"]
            return expanded(unit) * count
        return {key: expanded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [expanded(item) for item in value]
    return value
