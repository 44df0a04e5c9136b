"""The user's own editor for a longer text: which one it is, and the private file it is given.

The file lies in a folder of its own that only the user may enter, with what editors put beside it (swap files,
copies); the folder goes when the text was taken over.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

USUAL: Final = ("nano", "micro", "vim", "vi", "emacs")
"""What is looked for when nothing is set, the easiest to leave first."""
LARGEST: Final = 16 * 1024 * 1024
"""Bytes that are taken over."""
_NAME: Final = "message.md"


class EditorTrouble(Exception):
    """`sentence` is for the user."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def editor_command(environ: Mapping[str, str]) -> list[str]:
    """The command and its arguments, from `VISUAL`, `EDITOR` or what is there. Raises EditorTrouble."""
    import shlex

    for name in ("VISUAL", "EDITOR"):
        said = environ.get(name, "").strip()
        if not said:
            continue
        try:
            command = shlex.split(said)
        except ValueError:
            raise EditorTrouble(f"${name} cannot be read as a command: {said}.") from None
        if command and shutil.which(command[0], path=environ.get("PATH")) is None:
            raise EditorTrouble(f"${name} names {command[0]}, which is not there.")
        if command:
            return command
    found = next((each for each in USUAL if shutil.which(each, path=environ.get("PATH"))), None)
    if found is None:
        raise EditorTrouble("No editor was found. Name yours in $VISUAL or $EDITOR.")
    return [found]


def write_sheet(text: str) -> Path:
    """A new private file with the text. Raises OSError."""
    folder = Path(tempfile.mkdtemp(prefix="kai-tui-"))
    sheet = folder / _NAME
    try:
        descriptor = os.open(sheet, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8", "replace"))
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return sheet


def read_sheet(sheet: Path, before: str) -> str:
    """What the user wrote. The line end that editors add at the end is not part of it.

    Raises EditorTrouble; the file stays then.
    """
    try:
        with sheet.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise EditorTrouble(f"The file could not be read back ({error.strerror or error}).") from None
    if len(data) > LARGEST:
        raise EditorTrouble(f"That is more than 16 MB. What you wrote is in {sheet}.")
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise EditorTrouble(f"The file is no UTF-8 any more. What you wrote is in {sheet}.") from None
    return text if before.endswith("\n") else text.removesuffix("\n")


def taken_over(sheet: Path, before: str, command: Sequence[str], code: int) -> str:
    """What the user wrote, and the file is gone. Reads and writes the disk: call it in a thread.

    Raises EditorTrouble; what was written meanwhile stays in the file, unless the editor itself says that it is not
    meant (an exit code: `:cq`).
    """
    trouble = how_it_ended(command, code)
    # Killed, perhaps after hours of writing.
    if code < 0 and not put_away(sheet, before):
        raise EditorTrouble(f"{trouble} What was saved in it is in {sheet}.")
    if trouble:
        remove_sheet(sheet)
        raise EditorTrouble(trouble)
    text = read_sheet(sheet, before)
    remove_sheet(sheet)
    return text


def put_away(sheet: Path, before: str) -> bool:
    """Remove the file unless there is something new in it. Whether it is gone."""
    with suppress(EditorTrouble):
        if read_sheet(sheet, before) == before:
            remove_sheet(sheet)
            return True
    return False


def remove_sheet(sheet: Path) -> None:
    """The file and what the editor left beside it. Never raises."""
    shutil.rmtree(sheet.parent, ignore_errors=True)


def how_it_ended(command: Sequence[str], code: int) -> str:
    """A sentence for an editor that did not end well; empty for one that did."""
    name = Path(command[0]).name
    if code == 0:
        return ""
    return f"{name} was killed." if code < 0 else f"{name} ended with exit code {code}."
