"""The answers under a question about a call, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from textual.message import Message
from textual.widgets import Static

Answer: TypeAlias = Literal["deny", "approve", "reason"]

ANSWERS: tuple[Answer, ...] = ("deny", "approve", "reason")


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
    Choice.-off { color: $text-disabled; }
    Choice.-chosen { background: $text; color: $background; text-style: bold; }
    Choice.-chosen.-approve { background: $text-warning; color: $background; }
    Choice.-chosen.-approve.-off { background: $panel; color: $text-disabled; text-style: bold underline; }
    """

    @dataclass
    class Clicked(Message):
        answer: Answer

    def __init__(self, answer: Answer, label: str) -> None:
        super().__init__(label, id=f"answer-{answer}", classes=f"-{answer}", markup=False)
        self.answer: Answer = answer

    def on_click(self) -> None:
        self.post_message(self.Clicked(self.answer))
