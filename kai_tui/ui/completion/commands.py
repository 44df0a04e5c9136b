"""Slash commands: what a prompt that begins with `/` means. Pure; carrying them out is the screen's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from kai_tui.ui.action import Action
from kai_tui.ui.completion.fuzzy import fit

_FIRST = re.compile(r"/([A-Za-z][A-Za-z0-9_-]*)(?=\s|\Z)")
"""A word that can be meant as a command; `/home/x`, `/3` and `//` cannot."""

_TOGETHER = 100.0
"""A fit better than this has all that was typed in one piece."""

FIRST = (
    "new_chat", "find", "copy_menu", "export_chat", "vote_up", "vote_down", "retry_unsent", "regenerate",
    "toggle_theme", "choose_agent", "choose_branch", "toggle_read_only", "attach_file", "open_editor",
    "search_prompts", "show_help",
)  # fmt: skip
"""What is listed first behind a bare `/`: what people try."""


class Command(NamedTuple):
    """One command as it is offered now."""

    words: str
    """Without the slash; may be two: `vote up`."""
    help: str
    key: str = ""
    """As people write it."""
    argument: str = ""
    """See `Action.argument`."""
    needs_argument: bool = False
    action: Action | None = None
    """None: it is a sentence for the assistant, sent as it stands."""

    @property
    def choices(self) -> tuple[str, ...]:
        """The words that may follow, when those are all there are."""
        return tuple(self.argument.split("|")) if "|" in self.argument else ()


class Typed(NamedTuple):
    """A prompt that is a command."""

    command: Command
    rest: str
    """What stands behind its words, without spaces around it."""


class Unknown(NamedTuple):
    """A prompt that looks like a command and is none."""

    word: str
    nearest: str
    """The command that may have been meant, with its slash; empty when there is none like it."""


def word_of(text: str) -> str | None:
    """The word behind the slash of a text that looks like a command; None for any other text."""
    found = _FIRST.match(text)
    return found[1] if found is not None else None


def understand(text: str, commands: Sequence[Command]) -> Typed | Unknown | None:
    """What a whole prompt means; None when it is a message."""
    word = word_of(text)
    if word is None:
        return None
    said = text[1:].strip()
    known = _longest(said, commands)
    if known is not None:
        return Typed(known, said[len(known.words) :].strip())
    return Unknown(word, nearest(word, commands))


def _longest(said: str, commands: Sequence[Command]) -> Command | None:
    there = " ".join(said.lower().split(" "))
    fits = [
        each
        for each in commands
        if there == each.words or there.startswith((each.words + " ", each.words + "\n"))
    ]
    return max(fits, key=lambda each: len(each.words), default=None)


def nearest(word: str, commands: Sequence[Command]) -> str:
    """The command most like a word, with its slash; empty when none is like it."""
    from difflib import get_close_matches

    names = {each.words: each.words for each in commands} | {
        each.words.split(" ")[0]: each.words for each in reversed(commands)
    }
    begun = [each.words for each in commands if each.words.startswith(word.lower())]
    close = begun or [names[name] for name in get_close_matches(word.lower(), names, 1, 0.6)]
    return f"/{close[0]}" if close else ""


class Ranked(NamedTuple):
    """A command that fits what was typed so far."""

    command: Command
    marks: tuple[int, ...]
    """Characters of `/words` that were typed."""


def ranked(typed: str, commands: Sequence[Command]) -> list[Ranked]:
    """The commands that may be meant, the likeliest first. `typed`: without the slash."""
    typed = typed.strip().lower()
    if not typed:
        order = {name: number for number, name in enumerate(FIRST)}
        by_habit = sorted(
            commands, key=lambda each: order.get(each.action.name, 99) if each.action is not None else -1
        )
        return [Ranked(each, ()) for each in by_habit]
    found: list[tuple[float, Ranked]] = []
    for each in commands:
        exact = fit(typed, each.words)
        # Scattered letters are meant only from the first one on: `/nwe` must not run `/answer`.
        if exact is not None and (exact.score > _TOGETHER or each.words[0] == typed[0]):
            marks = tuple(place + 1 for place in exact.places)
            found.append((exact.score + (100.0 if each.words == typed else 0.0), Ranked(each, marks)))
        elif (
            each.action is not None
            and (meant := fit(typed, each.action.label)) is not None
            and meant.score > _TOGETHER
        ):
            found.append((meant.score - 150.0, Ranked(each, ())))
    found.sort(key=lambda one: -one[0])
    return [one for _, one in found]
