"""What can go wrong on disk, in the user's words."""

from __future__ import annotations

from typing import Literal, TypeAlias

StorageFault: TypeAlias = Literal["full", "busy", "unwritable", "damaged", "closed", "failed"]


class StorageError(Exception):
    """Something could not be kept or read. `sentence` is for the user (P24)."""

    def __init__(self, sentence: str, *, fault: StorageFault = "failed") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.fault: StorageFault = fault


def reason(error: OSError) -> str:
    """The operating system's words for what went wrong, without numbers and paths."""
    return error.strerror or type(error).__name__
