"""iMBRACE: an agent that streams, one that answers in plain text, and a bare model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kai_tui.backends.base import Backend
from kai_tui.backends.http import Timeouts
from kai_tui.backends.imbrace.client import ImbraceBackend
from kai_tui.backends.imbrace.places import places
from kai_tui.backends.secret import Secret
from tests.backends.kai_server import Handler, Seen, answer
from tests.contract.stand import CANARY, Stand
from tests.fakes.imbrace import ORGANIZATION, USER, ImbraceFake

KEY = f"api_{CANARY}"


class Imbrace(Stand):
    name = "imbrace"
    kind = "imbrace"
    service = "imbrace"
    asks = "please approve a new board"
    speaks_ui_messages = True
    agent: ClassVar[str] = "asst_stream"
    server: ImbraceFake

    async def start(self) -> None:
        self.server = await self.stack.enter_async_context(ImbraceFake())
        self.server.credentials[KEY] = USER

    def make(self, url: str | None, credential: str | None, timeouts: Timeouts, silence: float) -> Backend:
        return ImbraceBackend(
            places(url or self.server.url),
            Secret(credential or KEY),
            organization=ORGANIZATION,
            agent=self.agent,
            chats=self.chats,
            timeouts=timeouts,
            silence=silence,
        )

    def is_message(self, seen: Seen) -> bool:
        return seen.call == "POST /ai-agent/v2/chat" and not seen.body.get("is_tool_approval")

    def text_of(self, seen: Seen) -> str:
        sent = next(each for each in seen.body["messages"] if each["role"] == "user")
        return "".join(part["text"] for part in sent["parts"] if part["type"] == "text")

    def speak(self, pieces: Sequence[str]) -> None:
        self.server.speech = pieces

    def secrets(self) -> Sequence[str]:
        return [KEY]

    def accept(self, credential: str) -> None:
        self.server.credentials[credential] = USER

    def refusal(self) -> Handler:
        return answer(401, {"code": "unauthorized:auth", "message": "Invalid or expired access token"})


class ImbracePlain(Imbrace):
    name = "imbrace-plain"
    speaks_ui_messages = False
    asks = None
    agent = "asst_plain"


class ImbraceModel(Imbrace):
    name = "imbrace-model"
    speaks_ui_messages = False
    asks = None
    agent = "model:gpt-stub"

    def is_message(self, seen: Seen) -> bool:
        return seen.call == "POST /v3/ai/completions"

    def text_of(self, seen: Seen) -> str:
        return seen.body["messages"][-1]["content"]
