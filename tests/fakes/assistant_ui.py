"""A fake Assistant UI server on 127.0.0.1 (assistant-ui.md §19). Its streams are written by the vendor's own library.

What it says is chosen by the user's last word (`SCRIPTS`), how it says it by `fmt`. Both can be changed at any time.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Literal

import pytest

from tests.backends.kai_server import Exchange, Hangup, KaiServer, answer

stream = pytest.importorskip(
    "assistant_stream", reason="requirements.lock is newer than this .venv: run make test"
)
from assistant_stream.resumable import context as resumable  # noqa: E402
from assistant_stream.resumable.stores.in_memory import create_in_memory_resumable_stream_store  # noqa: E402
from assistant_stream.serialization.assistant_transport import AssistantTransportEncoder  # noqa: E402
from assistant_stream.serialization.data_stream import DataStreamEncoder  # noqa: E402
from assistant_stream.serialization.openai_stream import OpenAIStreamEncoder  # noqa: E402

Format = Literal["data", "transport", "openai", "ui", "plain", "json"]
ENCODERS: dict[str, Any] = {
    "data": DataStreamEncoder,
    "transport": AssistantTransportEncoder,
    "openai": OpenAIStreamEncoder,
}
TOKEN = "t0ken-of-the-fake"
WEATHER = {"city": "Prague"}

Script = Callable[["FakeAssistantUi", Any, Any], Awaitable[None]]
"""(server, the vendor's controller of the run, the request's body)"""


class FakeAssistantUi(KaiServer):
    """Use with `async with`. `url` is its base address."""

    def __init__(self, fmt: Format = "data", *, cancel: bool = True, keeps_streams: bool = False) -> None:
        super().__init__()
        self.fmt: Format = fmt
        self.mark = False
        """Whether the head names the encoding, as JavaScript servers do."""
        self.token: str | None = TOKEN
        self.same_ids = False
        """Whether every message gets the same id, as some servers do."""
        self.go_on = asyncio.Event()
        """Scripts that wait, wait for this."""
        self.waiting = asyncio.Event()
        """Set when one does."""
        self.cancelled: list[str] = []
        self.stopped: list[str] = []
        """Threads whose run was given up."""
        self.gave_up = asyncio.Event()
        self.results: list[Any] = []
        """Commands with tool results, as they came."""
        self.speech: Sequence[str] | None = None
        """What is said whatever is asked, in these pieces."""
        self.speaks_in_state = False
        """Whether it is said in the state only."""
        self.break_after: int | None = None
        """Bytes of an answer after which the connection is reset; once."""
        self._runs: dict[str, asyncio.Event] = {}
        self._kept = (
            resumable.create_resumable_stream_context(store=create_in_memory_resumable_stream_store())
            if keeps_streams
            else None
        )
        self.on("POST /api/chat", self._chat)
        self.on("GET /health", answer(200, {"status": "healthy", "service": "fake-aui", "version": "1.2"}))
        if cancel:
            self.on("POST /api/cancel", self._cancel)
        else:
            self.on("POST /api/cancel", answer(404, {"detail": "Not Found"}))

    async def _chat(self, exchange: Exchange) -> None:
        body = exchange.seen.body
        if not self._may(exchange):
            await answer(401, {"detail": "Not authenticated"})(exchange)
            return
        wanted = "messages" if self.fmt == "ui" else "commands"
        if not isinstance(body, dict) or wanted not in body:
            wrong = {"type": "missing", "loc": ["body", wanted], "msg": "Field required", "input": body}
            await answer(422, {"detail": [wrong]})(exchange)
            return
        if body.get("threadId") is None:
            wrong = {"type": "missing", "loc": ["body", "threadId"], "msg": "Field required", "input": body}
            await answer(422, {"detail": [wrong]})(exchange)
            return
        await self._answer(exchange, body)

    def _may(self, exchange: Exchange) -> bool:
        return self.token is None or exchange.seen.headers.get("authorization") == f"Bearer {self.token}"

    async def _cancel(self, exchange: Exchange) -> None:
        if not self._may(exchange):
            await answer(401, {"detail": "Not authenticated"})(exchange)
            return
        thread = exchange.seen.body["threadId"]
        self.cancelled.append(thread)
        run = self._runs.get(thread)
        if run is not None:
            run.set()
        await answer(200, {"cancelled": run is not None})(exchange)

    async def _answer(self, exchange: Exchange, body: Any) -> None:
        thread = body["threadId"]
        self._runs[thread] = asyncio.Event()
        chunks = stream.create_run(lambda rc: self._script(rc, body), state=body.get("state"))
        if self.fmt == "json":
            text = "".join([chunk.text_delta async for chunk in chunks if chunk.type == "text-delta"])
            await answer(200, {"message": {"role": "assistant", "content": text}})(exchange)
            return
        if self._kept is not None and self.fmt in ENCODERS:
            await self._kept_answer(exchange, chunks)
            return
        await self._write(exchange, self._encoded(chunks), {}, thread)

    async def _kept_answer(self, exchange: Exchange, chunks: Any) -> None:
        """The vendor's resumable streams: the run goes on without a listener (§15)."""
        assert self._kept is not None
        name = f"run-{uuid.uuid4()}"

        async def frames() -> AsyncIterator[bytes]:
            async for text in ENCODERS[self.fmt]().encode_stream(chunks):
                yield text.encode()

        async def again(exchange: Exchange) -> None:
            assert self._kept is not None
            found = await self._kept.resume(name)
            if found is None or not self._may(exchange):
                await answer(404, {"error": "stream not found"})(exchange)
                return
            await self._write(exchange, found, {"x-resumable-stream-id": name})

        self.on(f"GET /api/resumable/{name}", again)
        await self._write(exchange, await self._kept.run(name, frames), {"x-resumable-stream-id": name})

    async def _write(
        self,
        exchange: Exchange,
        pieces: AsyncIterator[Any],
        headers: dict[str, str],
        thread: str | None = None,
    ) -> None:
        await exchange.start({"content-type": self._kind(), **self._marks(), **headers})
        left = asyncio.create_task(exchange.until_hung_up())
        written = 0
        try:
            while True:
                piece = asyncio.ensure_future(anext(pieces))
                await asyncio.wait({piece, left}, return_when=asyncio.FIRST_COMPLETED)
                if not piece.done():
                    piece.cancel()
                    with suppress(asyncio.CancelledError, StopAsyncIteration):
                        await piece
                    raise Hangup
                data = piece.result()
                data = data.encode() if isinstance(data, str) else data
                if self.break_after is not None and written + len(data) > self.break_after:
                    await exchange.write(data[: self.break_after - written])
                    self.break_after = None
                    raise Hangup
                await exchange.write(data)
                written += len(data)
        except StopAsyncIteration:
            pass
        except (Hangup, ConnectionError):
            if thread is not None:
                self.stopped.append(thread)
                self.gave_up.set()
            raise
        except Exception as error:  # the run crashed: the connection drops, as with the vendor's own host
            raise Hangup from error
        finally:
            left.cancel()
            await asyncio.gather(left, return_exceptions=True)
            close = getattr(pieces, "aclose", None)
            if close is not None:
                await close()

    def _kind(self) -> str:
        return (
            "text/plain; charset=utf-8"
            if self.fmt in ("data", "plain")
            else "text/event-stream; charset=utf-8"
        )

    def _marks(self) -> dict[str, str]:
        marks = {"data": "x-vercel-ai-data-stream", "ui": "x-vercel-ai-ui-message-stream"}
        return {marks[self.fmt]: "v1"} if self.mark and self.fmt in marks else {}

    def _encoded(self, chunks: Any) -> AsyncIterator[Any]:
        if self.fmt == "ui":
            return ui_encoded(chunks)
        if self.fmt == "plain":
            return plain_encoded(chunks)
        return ENCODERS[self.fmt]().encode_stream(chunks)

    async def _script(self, rc: Any, body: Any) -> None:
        self.results += [each for each in body.get("commands", ()) if each["type"] == "add-tool-result"]
        script = SCRIPTS.get(_last_word(body), SCRIPTS["hello"])
        if self.speech is not None:
            script = _speech_in_state if self.speaks_in_state else _speech
        rc.cancel_by_post = self._runs[body["threadId"]]
        await script(self, rc, body)

    def message_id(self) -> str:
        return "msg_1" if self.same_ids else f"msg_{uuid.uuid4()}"


def _last_word(body: Any) -> str:
    """What the user wants to see; `thanks` after a tool's result."""
    for command in reversed(body.get("commands") or ()):
        if command["type"] == "add-tool-result":
            return "state-thanks" if (body.get("state") or {}).get("messages") else "thanks"
        texts = [part["text"] for part in command["message"]["parts"] if part["type"] == "text"]
        return texts[-1].split()[-1] if texts else "image"
    last = (body.get("messages") or [{"parts": []}])[-1]
    if last.get("role") == "assistant":
        return "thanks"
    texts = [part["text"] for part in last.get("parts", last.get("content", ())) if part["type"] == "text"]
    return texts[-1].split()[-1] if texts else "image"


# What is said


async def _hello(server: FakeAssistantUi, rc: Any, body: Any) -> None:
    rc.add_step_start(server.message_id())
    for word in ("Hello", " from", " the", " fake."):
        rc.append_text(word)
        await asyncio.sleep(0)
    rc.add_step_finish("stop", 12, 34)


async def _reason(server: FakeAssistantUi, rc: Any, body: Any) -> None:
    rc.append_reasoning("First I think. ")
    rc.append_reasoning("Then I answer.")
    rc.append_text("It is 4.")
    rc.add_step_finish("stop", 1, 2)


async def _tool(server: FakeAssistantUi, rc: Any, body: Any) -> None:
    rc.append_text("Let me check. ")
    call = await rc.add_tool_call("get_weather", "call_1")
    call.append_args_text('{"city": ')
    call.append_args_text('"Prague"}')
    await asyncio.sleep(0.01)
    call.set_response({"tempC": 7}, artifact={"icon": "cloud"})
    await asyncio.sleep(0.01)
    rc.append_text("It is 7 degrees.")
    rc.add_step_finish("stop", 1, 2)


async def _no_arguments(server: FakeAssistantUi, rc: Any, body: Any) -> None:
    call = await rc.add_tool_call("now", "call_n")
    await asyncio.sleep(0.01)
    call.set_response("12:00")
    await asyncio.sleep(0.01)
    rc.append_text("It is noon.")


async def _tool_error(server: FakeAssistantUi, rc: Any, body: Any) -> None:
    call = await rc.add_tool_call("get_weather", "call_e")
    call.append_args_text('{"city": "Nowhere"}')
    await asyncio.sleep(0.01)
    call.set_response({"error": "no such city"}, is_error=True)
    await asyncio.sleep(0.01)
    rc.append_text("I could not find it.")


async def _asks(server: FakeAssistantUi, rc: Any, body: Any) -> None:
    rc.append_text("I need your answer.")
    call = await rc.add_tool_call("ask_user", "call_h")
    call.append_args_text('{"question": "Deploy?"}')
    await asyncio.sleep(0.01)
    call.close()
    await asyncio.sleep(0.01)
    rc.add_step_finish("tool-calls", 1, 2)


async def _asks_two(server: FakeAssistantUi, rc: Any, body: Any) -> None:
    for call_id, question in (("call_a", "Where?"), ("call_b", "When?")):
        call = await rc.add_tool_call("ask_user", call_id)
        call.append_args_text(json.dumps({"question": question}))
        await asyncio.sleep(0.01)
        call.close()
    await asyncio.sleep(0.01)
    rc.add_step_finish("tool-calls", 1, 2)


async def _thanks(server: FakeAssistantUi, rc: Any, body: Any) -> None:
    rc.add_step_start(server.message_id())
    results = [each for each in body.get("commands", ()) if each["type"] == "add-tool-result"]
    rc.append_text("Thanks: " + ", ".join(json.dumps(each["result"]) for each in results))
    rc.add_step_finish("stop", 1, 2)


async def _others(server: FakeAssistantUi, rc: Any, body: Any) -> None:
    rc.append_text("See ")
    rc.add_source("s1", "https://example.com/a", "Example A")
    rc.add_file("aGVsbG8=", "text/plain")
    rc.add_data({"type": "status", "status": "searching"})
    rc.add_annotations([{"type": "citation", "id": "a1"}])
    rc.with_parent_id("task-1").append_text("inner")
    rc.append_text("outer")


async def _error(server: FakeAssistantUi, rc: Any, body: Any) -> None:
    rc.append_text("Partial")
    rc.add_error("The model is overloaded")
    rc.add_step_finish("stop", 1, 2)


async def _crash(server: FakeAssistantUi, rc: Any, body: Any) -> None:
    rc.append_text("Partial")
    await asyncio.sleep(0)
    raise RuntimeError("model exploded")


async def _slow(server: FakeAssistantUi, rc: Any, body: Any) -> None:
    """Words until it is cancelled, by POST or by hanging up; after some it waits for `go_on`."""
    for number in range(1000):
        if rc.is_cancelled or rc.cancel_by_post.is_set():
            rc.add_step_finish("stop", 1, 2)
            return
        rc.append_text(f"word{number} ")
        if number == 5:
            server.waiting.set()
            waiters = [asyncio.ensure_future(each.wait()) for each in (server.go_on, rc.cancel_by_post)]
            try:
                await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for waiter in waiters:
                    waiter.cancel()
        if number == 20:
            return
        await asyncio.sleep(0)


async def _state(server: FakeAssistantUi, rc: Any, body: Any) -> None:
    """The vendor's assistant-transport-backend: only the state, and it has to be sent along."""
    for command in body["commands"]:
        if command["type"] == "add-message":
            rc.state["messages"].append(command["message"])
    at = len(body["state"]["messages"]) + 1
    rc.state["messages"].append({"role": "assistant", "parts": [{"type": "text", "text": "Turn"}]})
    await asyncio.sleep(0)
    rc.append_state_text(["messages", at, "parts", 0, "text"], f" {at // 2 + 1}")
    await asyncio.sleep(0)
    rc.state["provider"] = "completed"


async def _lang_chain(server: FakeAssistantUi, rc: Any, body: Any) -> None:
    """The vendor's LangGraph backend: a call that waits for the client."""
    rc.state["messages"].append({"type": "human", "content": "weather", "id": None})
    call = {"name": "get_weather", "args": {"location": "SF"}, "id": "weather_001", "type": "tool_call"}
    rc.state["messages"].append(
        {"type": "ai", "content": "Asking.", "id": str(uuid.uuid4()), "tool_calls": [call]}
    )


async def _state_thanks(server: FakeAssistantUi, rc: Any, body: Any) -> None:
    for command in body["commands"]:
        rc.state["messages"].append(
            {
                "type": "tool",
                "content": json.dumps(command["result"]),
                "tool_call_id": command["toolCallId"],
                "status": "error" if command["isError"] else "success",
            }
        )
    rc.state["messages"].append({"type": "ai", "content": "Done.", "id": str(uuid.uuid4()), "tool_calls": []})


async def _image(server: FakeAssistantUi, rc: Any, body: Any) -> None:
    images = [
        part["image"]
        for each in body["commands"]
        for part in each["message"]["parts"]
        if part["type"] == "image"
    ]
    rc.append_text(f"{len(images)} images")


async def _mirror(server: FakeAssistantUi, rc: Any, body: Any) -> None:
    rc.append_text(f"{len(body.get('messages') or ())} messages, {len(body.get('commands') or ())} commands")


async def _speech(server: FakeAssistantUi, rc: Any, body: Any) -> None:
    rc.add_step_start(server.message_id())
    for piece in server.speech or ():
        rc.append_text(piece)
        await asyncio.sleep(0)
    rc.add_step_finish("stop", 12, 34)


async def _speech_in_state(server: FakeAssistantUi, rc: Any, body: Any) -> None:
    for command in body["commands"]:
        if command["type"] == "add-message":
            rc.state["messages"].append(command["message"])
    at = len(body["state"]["messages"]) + 1
    rc.state["messages"].append({"role": "assistant", "parts": [{"type": "text", "text": ""}]})
    await asyncio.sleep(0)
    for piece in server.speech or ():
        rc.append_state_text(["messages", at, "parts", 0, "text"], piece)
        await asyncio.sleep(0)
    rc.state["provider"] = "completed"


async def _hostile(server: FakeAssistantUi, rc: Any, body: Any) -> None:
    rc.append_text("\x1b]52;c;QUJD\x07[/] \u202e")
    call = await rc.add_tool_call("\x1b[31m[@click=app.quit]x", "call_\x1b")
    call.append_args_text('{"a": "\\u001b[2J"}')
    await asyncio.sleep(0.01)
    call.set_response("\x1b[8m")
    await asyncio.sleep(0.01)


SCRIPTS: dict[str, Script] = {
    "hello": _hello,
    "reason": _reason,
    "tool": _tool,
    "noargs": _no_arguments,
    "toolerror": _tool_error,
    "ask": _asks,
    "ask-two": _asks_two,
    "thanks": _thanks,
    "others": _others,
    "error": _error,
    "crash": _crash,
    "slow": _slow,
    "state": _state,
    "langchain": _lang_chain,
    "state-thanks": _state_thanks,
    "image": _image,
    "mirror": _mirror,
    "hostile": _hostile,
}


# Encodings the Python library has not


async def plain_encoded(chunks: Any) -> AsyncIterator[str]:
    """Only the text."""
    async for chunk in chunks:
        if chunk.type == "text-delta":
            yield chunk.text_delta


async def ui_encoded(chunks: Any) -> AsyncIterator[str]:
    """A UI message stream as the AI SDK writes it (fixtures js-library/ui-*)."""

    def event(**fields: Any) -> str:
        return f"data: {json.dumps(fields)}\n\n"

    reason, open_text, arguments = "stop", False, ""
    yield event(type="start") + event(type="start-step")
    async for chunk in chunks:
        match chunk.type:
            case "text-delta":
                if not open_text:
                    yield event(type="text-start", id="t1")
                open_text = True
                yield event(type="text-delta", id="t1", delta=chunk.text_delta)
            case "tool-call-begin":
                arguments, name = "", chunk.tool_name
                yield event(type="tool-input-start", toolCallId=chunk.tool_call_id, toolName=name)
            case "tool-call-delta":
                arguments += chunk.args_text_delta
                if arguments.endswith("}"):
                    value = json.loads(arguments)
                    call = {"toolCallId": chunk.tool_call_id, "toolName": name, "input": value}
                    yield event(type="tool-input-available", **call)
            case "tool-result":
                kind = "tool-output-error" if chunk.is_error else "tool-output-available"
                outcome = {"errorText": str(chunk.result)} if chunk.is_error else {"output": chunk.result}
                yield event(type=kind, toolCallId=chunk.tool_call_id, **outcome)
            case "step-finish":
                reason = chunk.finish_reason
            case "error":
                yield event(type="error", errorText=chunk.error)
            case _:
                pass
    if open_text:
        yield event(type="text-end", id="t1")
    yield event(type="finish-step") + event(type="finish", finishReason=reason) + "data: [DONE]\n\n"
