"""The answers under a question about a call, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from textual.message import Message
from textual.widgets import Static

Answer: TypeAlias = Literal["deny", "approve", "edit", "allow", "reason"]

ANSWERS: tuple[Answer, ...] = ("deny", "approve", "edit", "allow", "reason")
"""In their order on the screen: → from Deny leads to Approve, ← to the reason, so that one stray move away
from Deny is never the yes that goes furthest."""


class Choice(Static):
    """One answer. Has no focus of its own; the dialog moves the mark."""

    DEFAULT_CSS = """
    Choice {
        width: auto;
        height: 1;
        padding: 0 2;
        margin-right: 2;
        background: $panel;
        color: $text;
    }
    Choice.-hidden { display: none; }
    Choice.-off { color: $text-disabled; }
    Choice.-chosen { background: $text; color: $background; text-style: bold; }
    Choice.-chosen.-approve, Choice.-chosen.-allow { background: $text-warning; color: $background; }
    Choice.-chosen.-off { background: $panel; color: $text-disabled; text-style: bold underline; }
    """

    @dataclass
    class Clicked(Message):
        answer: Answer

    def __init__(self, answer: Answer, label: str) -> None:
        super().__init__(label, id=f"answer-{answer}", classes=f"-{answer}", markup=False)
        self.answer: Answer = answer

    def on_click(self) -> None:
        self.post_message(self.Clicked(self.answer))
