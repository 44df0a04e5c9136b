"""Assistant UI: six encodings, servers that stream a state, and the older form with the whole conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from kai_tui.backends.assistant_ui.client import AssistantUiBackend
from kai_tui.backends.assistant_ui.config import AssistantUiConfig, RequestForm
from kai_tui.backends.base import Backend, ToolAnswer, ToolValue
from kai_tui.backends.http import Timeouts
from kai_tui.backends.secret import SecretLine
from tests.backends.kai_server import Handler, Seen, answer
from tests.contract.stand import CANARY, Stand
from tests.fakes.assistant_ui import FakeAssistantUi, Format


def _results(seen: Seen) -> bool:
    return any(each["type"] == "add-tool-result" for each in seen.body.get("commands") or ())


class AssistantUi(Stand):
    kind = "assistant-ui"
    service = "assistant-ui"
    asks = "please ask"
    fmt: ClassVar[Format]
    form: ClassVar[RequestForm] = "commands"
    server: FakeAssistantUi

    async def start(self) -> None:
        self.server = await self.stack.enter_async_context(FakeAssistantUi(self.fmt))
        self.server.token = CANARY

    def make(self, url: str | None, credential: str | None, timeouts: Timeouts, silence: float) -> Backend:
        headers = {"authorization": SecretLine(f"Bearer {credential or CANARY}")}
        config = AssistantUiConfig(url or self.server.url, headers=headers, form=self.form)
        return AssistantUiBackend(config, chats=self.chats, timeouts=timeouts, silence=silence)

    def is_message(self, seen: Seen) -> bool:
        if seen.call != "POST /api/chat":
            return False
        if "messages" in seen.body:
            return seen.body["messages"][-1]["role"] == "user" and not _results(seen)
        return not _results(seen)

    def text_of(self, seen: Seen) -> str:
        if "messages" in seen.body:
            parts = seen.body["messages"][-1].get("parts") or seen.body["messages"][-1]["content"]
        else:
            parts = seen.body["commands"][-1]["message"]["parts"]
        return "".join(part["text"] for part in parts if part["type"] == "text")

    def speak(self, pieces: Sequence[str]) -> None:
        self.server.speech = pieces

    def secrets(self) -> Sequence[str]:
        return [CANARY]

    def accept(self, credential: str) -> None:
        self.server.token = credential

    def refusal(self) -> Handler:
        return answer(401, {"detail": "Not authenticated"})

    def decision(self, yes: bool, answer: ToolAnswer) -> ToolAnswer:
        if not yes:
            return super().decision(yes, answer)
        return ToolValue(answer.tool_call_id, True, answer.approval_id, value="as you wish")


class Data(AssistantUi):
    name = "aui-data"
    fmt = "data"


class Transport(AssistantUi):
    name = "aui-transport"
    fmt = "transport"


class OpenAi(AssistantUi):
    name = "aui-openai"
    fmt = "openai"
    asks = None  # the vendor's writer leaves tool calls out


class UiMessages(AssistantUi):
    name = "aui-ui"
    fmt = "ui"
    form = "ui-messages"
    speaks_ui_messages = True


class Plain(AssistantUi):
    name = "aui-plain"
    fmt = "plain"
    asks = None


class Json(AssistantUi):
    name = "aui-json"
    fmt = "json"
    asks = None


class State(AssistantUi):
    """The vendor's servers that say everything in the state."""

    name = "aui-state"
    fmt = "data"
    asks = "please langchain"

    async def start(self) -> None:
        await super().start()
        self.server.speaks_in_state = True

    def make(self, url: str | None, credential: str | None, timeouts: Timeouts, silence: float) -> Backend:
        headers = {"authorization": SecretLine(f"Bearer {credential or CANARY}")}
        config = AssistantUiConfig(url or self.server.url, headers=headers)
        config = replace(config, asks_user=frozenset({"get_weather"}))
        return AssistantUiBackend(config, chats=self.chats, timeouts=timeouts, silence=silence)


class Messages(AssistantUi):
    name = "aui-messages"
    fmt = "data"
    form = "messages"


AUI_STANDS = (Data, Transport, OpenAi, UiMessages, Plain, Json, State, Messages)
