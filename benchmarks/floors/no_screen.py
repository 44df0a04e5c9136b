"""Floor of streaming: httpx + httpx-sse + json + pydantic read the same bytes and show nothing.

Prints the CPU seconds that reading took: each event is decoded and validated as one of a tagged union
of the stream's event types, the least a typed client does with it.
"""

import asyncio
import json
import sys
import time
from typing import Annotated, Any, Literal

import httpx
from httpx_sse import aconnect_sse
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class Event(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Start(Event):
    type: Literal["start"]
    messageId: str | None = None
    messageMetadata: Any = None


class StartStep(Event):
    type: Literal["start-step"]


class FinishStep(Event):
    type: Literal["finish-step"]


class TextStart(Event):
    type: Literal["text-start"]
    id: str


class TextDelta(Event):
    type: Literal["text-delta"]
    id: str
    delta: str
    providerMetadata: Any = None


class TextEnd(Event):
    type: Literal["text-end"]
    id: str


class ReasoningDelta(Event):
    type: Literal["reasoning-delta"]
    id: str
    delta: str


class ToolInputDelta(Event):
    type: Literal["tool-input-delta"]
    toolCallId: str
    inputTextDelta: str


class ToolOutputAvailable(Event):
    type: Literal["tool-output-available"]
    toolCallId: str
    output: Any


class Finish(Event):
    type: Literal["finish"]
    finishReason: str | None = None


EVENTS: TypeAdapter[Event] = TypeAdapter(
    Annotated[
        Start
        | StartStep
        | FinishStep
        | TextStart
        | TextDelta
        | TextEnd
        | ReasoningDelta
        | ToolInputDelta
        | ToolOutputAvailable
        | Finish,
        Field(discriminator="type"),
    ]
)


async def main(port: str) -> None:
    began = time.process_time()
    length = 0
    async with (
        httpx.AsyncClient(timeout=60, trust_env=False) as client,
        aconnect_sse(client, "POST", f"http://127.0.0.1:{port}/api/chat", json={}) as source,
    ):
        async for event in source.aiter_sse():
            if event.data != "[DONE]":
                read = EVENTS.validate_python(json.loads(event.data))
                if isinstance(read, TextDelta):
                    length += len(read.delta)
    print(time.process_time() - began)


asyncio.run(main(sys.argv[1]))
