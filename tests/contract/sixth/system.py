"""Parrot as a system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kai_tui.backends.system import Field, Guide, Memory, NewAccount, System

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend
    from kai_tui.backends.secret import Secret


async def _interview(guide: Guide, settings: Mapping[str, str], secret: Secret | None = None) -> NewAccount:
    from kai_tui.backends.secret import Secret
    from tests.contract.sixth.client import ParrotBackend

    address = await guide.ask(Field("address", "Address of the parrot", default=settings.get("address", "")))

    async def check(word: str) -> Secret:
        token = Secret(word)
        backend = ParrotBackend(address, token)
        try:
            await backend.connect()
        finally:
            await backend.aclose()
        return token

    token = await guide.ask_until(Field("word", "The magic word", "secret"), "Asking the parrot", check)
    return NewAccount("Parrot", address, {"address": address}, token)


async def _open(settings: Mapping[str, str], secret: Secret | None, memory: Memory) -> Backend:
    from kai_tui.backends.secret import Secret
    from tests.contract.sixth.client import ParrotBackend

    return ParrotBackend(settings["address"], secret or Secret(""), chats=memory.chats)


SYSTEM = System(
    kind="parrot",
    title="Parrot",
    about="Says what it heard. Needs a magic word.",
    interview=_interview,
    identity=lambda settings: (settings["address"],),
    open=_open,
    lacks=("It remembers nothing.",),
)
