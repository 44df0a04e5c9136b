"""Why a keyring does not help."""

from __future__ import annotations

from typing import Literal, TypeAlias

Unavailable: TypeAlias = Literal["none", "refused", "locked", "slow", "failed"]


class CredentialsUnavailable(Exception):
    """The system keyring cannot be used. `sentence` is for the user; foreign text inside is raw."""

    def __init__(self, sentence: str, why: Unavailable = "failed") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.why: Unavailable = why
        """`none`: there is no keyring. `refused`: the one configured is not on our list."""
