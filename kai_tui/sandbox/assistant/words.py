"""What people type, brought into a form that rules can match."""

from __future__ import annotations

import re

_COURTESY = re.compile(
    r"(?:(?:hey|hi|hello|ok|okay|so|and|now|well|kai|please|pls|kindly|then|also)\b[,!.:]?\s+"
    r"|(?:can|could|would|will) (?:you|u)(?: please)? (?!help)"
    r"|(?:i want|i would like|i'd like|i need)(?: you)? to "
    r"|let's |let us |go ahead and )+",
    re.IGNORECASE,
)
_CLOSING = re.compile(r"(?:[\s,]+(?:please|pls|thanks|thank you|for me|right now|now))+$", re.IGNORECASE)
_QUOTES = "\"'`“”‘’«»„"


def clean(text: str) -> str:
    """One line without courtesies and closing marks; letters keep their case."""
    line = " ".join(text.replace("’", "'").split())
    line = re.sub(r"\s+([?!.,:;])", r"\1", line)
    while True:
        shorter = _CLOSING.sub("", line.rstrip("?!. "))
        match = _COURTESY.match(shorter)
        if match is not None and match.end() < len(shorter):
            shorter = shorter[match.end() :]
        if shorter == line:
            return line
        line = shorter


def bare(text: str) -> str:
    """Letters and digits only, small: for comparing in spite of spaces and punctuation."""
    return re.sub(r"[^a-z0-9]+", "", text.lower())


def unquoted(text: str) -> str:
    """`text` without the quotation marks around it."""
    text = text.strip()
    if len(text) > 1 and text[0] in _QUOTES and text[-1] in _QUOTES:
        return text[1:-1].strip()
    return text


def words(text: str) -> list[str]:
    """The words of a text, small, plurals as they are."""
    return re.findall(r"[a-z0-9_#-]+", text.lower())
