"""Instructions: read, saved, and never over a text nobody here has seen."""

from __future__ import annotations

import pytest

from kai_tui.backends.base import ConnectionLost, NotAllowed
from kai_tui.services.instructions import ChangedElsewhere, Instructions
from tests.services.scripted_backend import ScriptedBackend


class Notes:
    """A keeper that remembers over the end of the program."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, object]] = {}

    async def keep_note(self, place: str, kind: str, value: object) -> None:
        self.kept[place] = {} if value is None else {kind: value}

    async def notes(self, place: str) -> dict[str, object]:
        return self.kept.get(place, {})


def over(backend: ScriptedBackend, keeper: Notes | None = None) -> Instructions:
    async def provide() -> ScriptedBackend:
        return backend

    return Instructions(provide, keeper or Notes(), "project")  # type: ignore[arg-type]


async def test_what_is_saved_is_what_the_server_keeps() -> None:
    backend = ScriptedBackend(instructions_now={"project": "Old."})
    instructions = over(backend)
    assert await instructions.load() == "Old."
    assert await instructions.save("New.") == "New."
    assert await instructions.save("") == ""
    assert backend.instructions_now == {"project": ""}


async def test_a_text_of_somebody_else_is_not_replaced_unseen() -> None:
    backend = ScriptedBackend(instructions_now={"project": "Old."})
    instructions = over(backend)
    await instructions.load()
    backend.instructions_now["project"] = "Theirs."
    with pytest.raises(ChangedElsewhere) as caught:
        await instructions.save("Mine.")
    assert caught.value.theirs == "Theirs."
    assert backend.instructions_now["project"] == "Theirs."
    backend.instructions_now["project"] = "Theirs again."
    with pytest.raises(ChangedElsewhere):
        await instructions.save("Mine.", over="Theirs.")
    assert await instructions.save("Mine.", over="Theirs again.") == "Mine."


async def test_a_save_that_did_arrive_is_not_sent_again() -> None:
    backend = ScriptedBackend(instructions_now={"project": "Old."})
    instructions = over(backend)
    await instructions.load()
    sent: list[str] = []

    async def arrives_but(whose, text):
        sent.append(text)
        backend.instructions_now[whose] = text
        raise ConnectionLost("Lost.")

    backend.set_instructions = arrives_but  # type: ignore[method-assign]
    with pytest.raises(ConnectionLost):
        await instructions.save("Mine.")
    assert await instructions.save("Mine.") == "Mine."
    assert sent == ["Mine."]


async def test_a_refusal_changes_nothing() -> None:
    backend = ScriptedBackend(
        instructions_now={"project": "Old."}, instructions_error=NotAllowed("Not allowed.")
    )
    instructions = over(backend)
    await instructions.load()
    with pytest.raises(NotAllowed):
        await instructions.save("Mine.")
    assert backend.instructions_now["project"] == "Old."


async def test_what_was_typed_is_taken_up_and_still_asks_before_it_replaces_another_text() -> None:
    backend, keeper = ScriptedBackend(instructions_now={"project": "Old."}), Notes()
    first = over(backend, keeper)
    await first.load()
    await first.keep_typed("Typed.")
    backend.instructions_now["project"] = "Theirs."
    second = over(backend, keeper)
    await second.load()
    assert await second.take_up_typed() == "Typed."
    with pytest.raises(ChangedElsewhere):
        await second.save("Typed.")
    await second.keep_typed(None)
    assert await over(backend, keeper).take_up_typed() is None


@pytest.mark.parametrize("junk", ["text", {"text": 5}, {"seen": "x"}, None])
async def test_junk_on_disk_is_nothing(junk: object) -> None:
    keeper = Notes()
    instructions = over(ScriptedBackend(), keeper)
    await keeper.keep_note("instructions of the project", "unsaved", junk)
    assert await instructions.take_up_typed() is None
