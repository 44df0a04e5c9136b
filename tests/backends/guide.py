"""A guide that answers the fields of an interview by name, and remembers what the user would have seen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from kai_tui.backends.base import BackendError
from kai_tui.backends.system import Field

T = TypeVar("T")


class ScriptedGuide:
    """Implements `Guide`. A field without an answer here gets its default, as a user who presses Enter.

    Several answers for one field are given one after the other while its check refuses them. Run again with the
    same guide it gives back at once what was answered and checked before, as the screen does for a step back;
    `go_back_to` forgets what was answered from a field on.
    """

    def __init__(self, answers: Mapping[str, str | Sequence[str]] | None = None) -> None:
        self.answers: dict[str, str | Sequence[str]] = dict(answers or {})
        self.asked: list[Field] = []
        """Every question, in order; one that was refused is in it once."""
        self.checked: list[str] = []
        """What was said to be done, each time it really was done."""
        self.told: list[str] = []
        self.refusals: list[tuple[str, str]] = []
        """Field name and sentence of each answer that was not taken."""
        self._done: list[tuple[str, Any]] = []
        """Of the last run: (field name or what was done, answer or result)."""
        self._at = 0

    def begin_again(self) -> None:
        """The interview is run anew; what was answered is known."""
        self._at = 0
        self.asked, self.told = [], []

    def go_back_to(self, name: str, **answers: str | Sequence[str]) -> None:
        """As `begin_again`, but from this field on everything is asked again."""
        self.answers.update(answers)
        del self._done[next(at for at, (key, _) in enumerate(self._done) if key == f"field {name}") :]
        self.begin_again()

    def field(self, name: str) -> Field:
        """A question that was asked."""
        (found,) = [each for each in self.asked if each.name == name]
        return found

    @property
    def names(self) -> list[str]:
        """Of the fields, in the order they were asked."""
        return [each.name for each in self.asked]

    async def ask(self, question: Field) -> str:
        self._seen(question)
        known = self._known(f"field {question.name}")
        if known is not None:
            return known[0]
        answer = self._answers_to(question)[0]
        return self._keep(f"field {question.name}", answer)

    async def ask_until(self, question: Field, doing: str, check: Callable[[str], Awaitable[T]]) -> T:
        self._seen(question)
        known = self._known(f"field {question.name}")
        if known is not None:
            return known[0]
        for answer in self._answers_to(question):
            self.checked.append(doing)
            try:
                return self._keep(f"field {question.name}", await check(answer))
            except BackendError as error:
                self.refusals.append((question.name, error.sentence))
        raise AssertionError(f"no answer for {question.name!r} was taken: {self.refusals}")

    async def check(self, doing: str, work: Callable[[], Awaitable[T]]) -> T:
        known = self._known(f"check {doing}")
        if known is not None:
            return known[0]
        self.checked.append(doing)
        return self._keep(f"check {doing}", await work())

    def tell(self, line: str) -> None:
        self.told.append(line)

    def _seen(self, question: Field) -> None:
        assert question.name not in self.names, f"{question.name!r} is asked twice"
        assert question.label, question
        assert question.kind != "secret" or not question.default, "a secret never stands in a field"
        if question.kind == "choice":
            values = [each.value for each in question.choices]
            assert len(values) == len(set(values)) > 0, question
            assert not question.default or question.default in values, question
        if question.kind == "switch":
            assert question.default in ("yes", "no"), question
        self.asked.append(question)

    def _answers_to(self, question: Field) -> list[str]:
        given = self.answers.get(question.name)
        found = [question.default] if given is None else [given] if isinstance(given, str) else list(given)
        for answer in found:
            if question.required or answer:
                assert answer.strip(), f"{question.name!r} needs an answer"
            if question.kind == "choice":
                assert answer in [each.value for each in question.choices], (answer, question)
            if question.kind == "switch":
                assert answer in ("yes", "no")
        return [answer if question.kind == "lines" else answer.strip() for answer in found]

    def _known(self, key: str) -> tuple[Any] | None:
        if self._at >= len(self._done):
            return None
        known, value = self._done[self._at]
        assert known == key, f"an interview that is run again asks the same: {known!r}, not {key!r}"
        self._at += 1
        return (value,)

    def _keep(self, key: str, value: Any) -> Any:
        self._done.append((key, value))
        self._at = len(self._done)
        return value
