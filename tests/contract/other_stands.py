"""Knowrithm over its event stream and by polling, and KISS AI Stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from kai_tui.backends.base import Backend, BackendError, UnexpectedAnswer
from kai_tui.backends.http import Timeouts
from kai_tui.backends.kiss.access import KissClient
from kai_tui.backends.kiss.client import KissBackend
from kai_tui.backends.knowrithm.access import ApiKey
from kai_tui.backends.knowrithm.client import KnowrithmBackend
from kai_tui.backends.knowrithm.tasks import Pace
from kai_tui.backends.secret import Secret
from tests.backends.kai_server import Gate, Handler, Seen, answer
from tests.contract.stand import CANARY, Stand
from tests.fakes.kiss import INVALID_TOKEN, FakeKiss, detail
from tests.fakes.knowrithm import KEY, SECRET, FakeKnowrithm


class Knowrithm(Stand):
    name = "knowrithm"
    kind = "knowrithm"
    otherwise: ClassVar[Mapping[str, type[BackendError]]] = {"404-of-a-proxy": UnexpectedAnswer}
    service = "knowrithm"
    server: FakeKnowrithm

    async def start(self) -> None:
        self.names: dict[str, str] = {}
        self.server = await self.stack.enter_async_context(FakeKnowrithm())
        self.server.noise = False

    def make(self, url: str | None, credential: str | None, timeouts: Timeouts, silence: float) -> Backend:
        pace = Pace(first=0.01, give_up=min(silence, 5.0), messages=0.01, beside_stream=5.0, opening=2.0)
        return KnowrithmBackend(
            f"{url or self.server.url}/api",
            ApiKey(Secret(KEY), Secret(credential or SECRET)),
            pace=pace,
            names=dict(self.names),
            on_name=self.names.__setitem__,
            timeouts=timeouts,
        )

    def is_message(self, seen: Seen) -> bool:
        return seen.method == "POST" and seen.path.startswith("/api/") and seen.path.endswith("/chat")

    def text_of(self, seen: Seen) -> str:
        return seen.body["message"]

    def speak(self, pieces: Sequence[str]) -> None:
        self.server.answer_text = "".join(pieces)

    def secrets(self) -> Sequence[str]:
        return [KEY, SECRET]

    def answers(self, seen: Seen) -> bool:
        return seen.path.endswith("/messages/stream")

    def stand_still(self) -> None:
        self.server.acks = "bare"  # no task that could be asked
        self.server.think = Gate()

    def accept(self, credential: str) -> None:
        self.server.key = (KEY, credential)

    def refusal(self) -> Handler:
        return answer(401, {"error": "Invalid credentials", "code": "AUTH_001"})


class KnowrithmPolling(Knowrithm):
    name = "knowrithm-polling"

    async def start(self) -> None:
        await super().start()
        self.server.stream_status = 503

    def answers(self, seen: Seen) -> bool:
        return seen.method == "GET" and (seen.path.endswith("/messages") or "/tasks/" in seen.path)


class Kiss(Stand):
    name = "kiss"
    kind = "kiss"
    service = "kiss-ai-stack"
    server: FakeKiss

    async def start(self) -> None:
        self.server = await self.stack.enter_async_context(FakeKiss())
        client, _ = self.server.new_client()
        client.secret = f"kiss-{CANARY}"
        self._client = client

    def make(self, url: str | None, credential: str | None, timeouts: Timeouts, silence: float) -> Backend:
        known = KissClient(self._client.client_id, Secret(credential or self._client.secret), "persistent")
        return KissBackend(url or self.server.url, chats=self.chats, known=known, timeouts=timeouts)

    def is_message(self, seen: Seen) -> bool:
        return seen.call == "POST /queries"

    def text_of(self, seen: Seen) -> str:
        return seen.body["query"]

    def speak(self, pieces: Sequence[str]) -> None:
        self.server.speech = "".join(pieces)

    def accept(self, credential: str) -> None:
        """Nobody types one in here."""

    def secrets(self) -> Sequence[str]:
        return [*(client.secret for client in self.server.clients.values()), *self.server.tokens]

    def refusal(self) -> Handler:
        return detail(401, INVALID_TOKEN)
