"""Small programs that stand for clipboard tools: what they are given is in a file afterwards."""

from __future__ import annotations

from pathlib import Path

GOOD = 'cat > "$CLIP"'
"""Takes the text."""
READS = 'cat "$CLIP"'


def script(folder: Path, name: str, body: str) -> Path:
    """An executable `name` in `folder`; its arguments are kept in NAME.args."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(f'#!/bin/sh\nCLIP="{folder}/clip"\nprintf "%s " "$@" > "{folder}/{name}.args"\n{body}\n')
    file.chmod(0o755)
    return file


def environ(folder: Path, **more: str) -> dict[str, str]:
    """An environment with these programs and nothing of this computer's clipboard."""
    return {"PATH": f"{folder}:/usr/bin:/bin", "TERM": "xterm-256color", "LANG": "C.UTF-8", **more}
