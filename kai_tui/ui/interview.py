"""An interview about an account as a user goes through it: on, one step back, and through it again.

Knows no Textual. A step back ends the interview and runs it anew: what was answered and checked before is given
back at once, up to the field the user went back to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Literal, TypeVar

from kai_tui.backends.base import BackendError
from kai_tui.backends.system import Field, Guide

T = TypeVar("T")
R = TypeVar("R")

HIDDEN: Final = "•••"
YES_NO: Final = ("yes", "no")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was answered, done or found out. Texts are raw."""

    kind: Literal["answer", "done", "told"]
    text: str
    """The field's label, what was done, or what was told."""
    value: str = ""
    """The answer; of a secret only that there is one."""
    checked: bool = False
    """Whether somebody was asked whether the answer is right."""


@dataclass(slots=True)
class Now:
    """Where the interview is: what the screen draws."""

    question: Field | None = None
    """What is asked; None while something is done."""
    turn: int = 0
    """Counts the questions: another number, another question (or the same one again)."""
    text: str = field(default="", repr=False)
    """What the field begins with. May be a secret."""
    problem: str = ""
    """Why the last answer was not taken: a sentence. Raw."""
    doing: str = ""
    """What is done, in the interview's words."""
    lines: list[Line] = field(default_factory=list[Line])


@dataclass(slots=True)
class _Past:
    """What is given back at once when the interview is run again."""

    kind: Literal["ask", "check"]
    name: str
    result: Any = field(repr=False)
    failure: Exception | None = None
    answer: str = field(default="", repr=False)


@dataclass(slots=True)
class _Tape:
    """What outlives a run."""

    changed: Callable[[], None]
    skips: bool
    past: list[_Past] = field(default_factory=list[_Past])
    typed: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    """What stood last in each field, secrets included: the field gets it back."""
    answers: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    """The last answer to each question that is not for a secret."""
    secrets: set[str] = field(default_factory=set[str])
    """Names of the questions for secrets."""
    waiting: asyncio.Future[str] | None = field(default=None, repr=False)
    now: Now = field(default_factory=Now)


class Interview(Generic[R]):
    """Runs `whole`, as often as the user steps back. The screen reads `now` whenever `changed` is called."""

    def __init__(
        self,
        whole: Callable[[Guide], Awaitable[R]],
        changed: Callable[[], None],
        *,
        skips_known: bool = False,
    ) -> None:
        """`skips_known`: what has an answer already is answered with it; secrets are asked for. Ends when
        something is refused, or the user steps back."""
        self._whole = whole
        self._tape = _Tape(changed, skips_known)
        self._run: _Run | None = None
        self.answered_by_user = False
        """Whether leaving loses anything."""

    @property
    def now(self) -> Now:
        """What to draw."""
        return self._tape.now

    # The program's side

    async def run(self) -> R:
        """One way through, from the beginning; cancelled for a step back. Raises what the interview raises."""
        self._end_run()
        self._run = guide = _Run(self._tape)
        self.now.lines = []
        return await self._whole(guide)

    def failed(self, sentence: str) -> bool:
        """The interview could not go on. Run it again: the last question is asked anew, with this sentence.

        False when nothing was asked yet, so that there is nothing to change.
        """
        self._tape.skips = False
        self.now.problem = sentence
        return self._drop_last()

    def forget(self) -> None:
        """Let go of everything typed; the dialog closes."""
        self._end_run()
        self._tape.past.clear()
        self._tape.typed.clear()
        self._tape.answers.clear()
        self.now.text = ""

    # The user's side

    def answer(self, text: str) -> bool:
        """Take an answer; whether it was taken. Else `now.problem` says why."""
        question, waiting = self.now.question, self._tape.waiting
        if question is None or waiting is None or waiting.done():
            return False
        self._tape.typed[question.name] = text
        problem = why_not(question, text)
        if problem:
            self.now.problem = problem
            self._tape.changed()
            return False
        self.answered_by_user = True
        waiting.set_result(text if question.kind == "lines" else text.strip())
        return True

    def back(self, typed: str | None) -> bool:
        """One step back, keeping what stands in the field; then run again. False at the first question.

        While something is done, that is given up and the question before it asked again.
        """
        self._tape.skips = False
        if self.now.question is not None and typed is not None:
            self._tape.typed[self.now.question.name] = typed
        if not self._drop_last():
            return False
        self.now.problem = ""
        return True

    @property
    def can_go_back(self) -> bool:
        """Whether there is a question before what is asked or done now."""
        checking = self._run is not None and self._run.checking
        return checking or any(each.kind == "ask" for each in self._tape.past)

    def _drop_last(self) -> bool:
        past = self._tape.past
        if self._run is not None and self._run.checking:
            self._end_run()
            return True  # the answer was not taken yet: its own question comes again
        for at in range(len(past) - 1, -1, -1):
            if past[at].kind == "ask":
                del past[at:]
                self._end_run()
                return True
        return False

    def _end_run(self) -> None:
        if self._run is not None:
            self._run.over = True
        self._run = None
        if self._tape.waiting is not None:
            self._tape.waiting.cancel()
            self._tape.waiting = None
        self.now.question, self.now.doing = None, ""


class _Run(Guide):
    """The guide of one way through."""

    def __init__(self, tape: _Tape) -> None:
        self._tape = tape
        self._at = 0
        """How much of the past was given back, or added to it."""
        self.over = False
        self.checking = False
        """Whether an answer is being checked."""

    async def ask(self, question: Field) -> str:
        known = self._known("ask", question.name)
        if known is None:
            text = await self._answer_to(question)
            known = self._add(_Past("ask", question.name, text, answer=text))
            self._answered(question, text)
        self._line(question, known.answer, checked=False)
        return known.answer

    async def ask_until(self, question: Field, doing: str, check: Callable[[str], Awaitable[T]]) -> T:
        known = self._known("ask", question.name)
        while known is None:
            text = await self._answer_to(question)
            self.checking = True
            self._do(doing)
            try:
                result = await check(text)
            except BackendError as error:
                self._alive()
                self._tape.skips = False
                self._tape.now.problem = error.sentence
            else:
                self._alive()
                known = self._add(_Past("ask", question.name, result, answer=text))
                self._answered(question, text)
            finally:
                self.checking = False
        self._line(question, known.answer, checked=True)
        return known.result

    async def check(self, doing: str, work: Callable[[], Awaitable[T]]) -> T:
        known = self._known("check", doing)
        if known is None:
            self._do(doing)
            try:
                result = await work()
            except Exception as error:
                self._alive()
                self._tape.now.doing = ""
                self._add(_Past("check", doing, None, error))
                raise
            self._alive()
            known = self._add(_Past("check", doing, result))
        if known.failure is not None:
            raise known.failure
        self._show(Line("done", doing))
        return known.result

    def tell(self, line: str) -> None:
        if not self.over:
            self._show(Line("told", line))

    def _answered(self, question: Field, text: str) -> None:
        """Another answer than before: a secret typed for what came of the old one, an address above all, is not
        offered for the new one (T14)."""
        tape = self._tape
        if question.kind == "secret":
            return
        if tape.answers.get(question.name, text) != text:
            asked = {each.name for each in tape.past if each.kind == "ask"}
            for name in tape.secrets - asked:
                tape.typed.pop(name, None)
        tape.answers[question.name] = text

    # Live

    async def _answer_to(self, question: Field) -> str:
        tape = self._tape
        now = tape.now
        text = tape.typed.get(question.name, question.default)
        if question.kind == "choice" and text not in [each.value for each in question.choices]:
            text = question.default
        if tape.skips and question.kind != "secret" and not why_not(question, text):
            return text if question.kind == "lines" else text.strip()
        if question.kind == "secret":
            tape.secrets.add(question.name)
        now.doing, now.question, now.text = "", question, text
        now.turn += 1
        tape.waiting = waiting = asyncio.get_running_loop().create_future()
        tape.changed()
        answer = await waiting
        self._alive()
        now.question, now.text, now.problem = None, "", ""
        tape.waiting = None
        return answer

    def _do(self, doing: str) -> None:
        self._alive()
        self._tape.now.doing = doing
        self._tape.changed()

    def _line(self, question: Field, text: str, *, checked: bool) -> None:
        self._show(Line("answer", question.label, shown(question, text), checked))

    def _show(self, line: Line) -> None:
        self._tape.now.doing = ""
        self._tape.now.lines.append(line)
        self._tape.changed()

    # The past

    def _known(self, kind: Literal["ask", "check"], name: str) -> _Past | None:
        self._alive()
        past = self._tape.past
        if self._at >= len(past):
            return None
        if (past[self._at].kind, past[self._at].name) != (kind, name):
            del past[self._at :]  # another way than before: what follows is not the answer to this
            return None
        self._at += 1
        return past[self._at - 1]

    def _add(self, past: _Past) -> _Past:
        self._tape.past.append(past)
        self._at = len(self._tape.past)
        return past

    def _alive(self) -> None:
        if self.over:
            raise asyncio.CancelledError


def why_not(question: Field, text: str) -> str:
    """Why a text is no answer to a question; empty when it is one."""
    if question.kind == "choice":
        return "" if text in [each.value for each in question.choices] else "Choose one of these."
    if question.kind == "switch":
        return "" if text in YES_NO else "Say yes or no."
    if question.required and not text.strip():
        return "Paste it here." if question.kind == "secret" else "This is needed."
    return ""


def shown(question: Field, text: str) -> str:
    """How an answer is shown in the lines. Raw."""
    if question.kind == "secret":
        return HIDDEN if text else "left empty"
    if question.kind == "choice":
        return next((each.label for each in question.choices if each.value == text), text)
    if question.kind == "lines":
        lines = text.strip().splitlines()
        return "none" if not lines else lines[0] if len(lines) == 1 else f"{len(lines)} lines"
    return text or "none"
