"""The stand of the parrot."""

from __future__ import annotations

from collections.abc import Sequence

from kai_tui.backends.base import Backend
from kai_tui.backends.http import Timeouts
from kai_tui.backends.secret import Secret
from tests.backends.kai_server import Seen
from tests.contract.sixth.client import ParrotBackend
from tests.contract.sixth.fake import FakeParrot
from tests.contract.stand import CANARY, Stand


class Parrot(Stand):
    name = "parrot"
    kind = "parrot"
    service = "parrot"
    server: FakeParrot

    async def start(self) -> None:
        self.server = await self.stack.enter_async_context(FakeParrot(CANARY))

    def make(self, url: str | None, credential: str | None, timeouts: Timeouts, silence: float) -> Backend:
        token = Secret(credential or CANARY)
        return ParrotBackend(
            url or self.server.url, token, chats=self.chats, timeouts=timeouts, silence=silence
        )

    def is_message(self, seen: Seen) -> bool:
        return seen.call == "POST /say"

    def text_of(self, seen: Seen) -> str:
        return seen.body["text"]

    def speak(self, pieces: Sequence[str]) -> None:
        self.server.speech = pieces

    def accept(self, credential: str) -> None:
        self.server.words.add(credential)

    def secrets(self) -> Sequence[str]:
        return [CANARY]
