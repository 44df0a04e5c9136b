"""Recorded AI SDK streams with what the SDK's own reader makes of them (fixtures/ai-sdk/README.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from httpx_sse._decoders import SSEDecoder, SSELineDecoder

from tests.fixture_cases import case_id, cases


@dataclass(frozen=True)
class Recording:
    """One `*.sse` and the files beside it; only `*.message.json` is needed."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name.removesuffix(".sse")

    @cached_property
    def body(self) -> bytes:
        return self.path.read_bytes()

    @cached_property
    def reference(self) -> Any:
        return json.loads(self._beside("message").read_text("utf-8"))

    @property
    def expected(self) -> Any:
        """What the SDK stores and shows."""
        return self.reference.get("persisted") or self.reference["message"]

    @cached_property
    def continued(self) -> Any:
        """The assistant message a continuation goes on with, None for a new answer."""
        request = self._beside("request")
        if not request.exists():
            return None
        message = json.loads(request.read_text("utf-8")).get("message") or {}
        return message if message.get("role") == "assistant" else None

    @cached_property
    def snapshots(self) -> Any:
        return json.loads(self._beside("snapshots").read_text("utf-8"))

    @cached_property
    def chunks(self) -> list[Any]:
        """The stream decoded without any code of ours; data that is no JSON stays text."""
        chunks: list[Any] = []
        for data in plain_data(self.body):
            if data == "[DONE]":
                continue
            try:
                chunks.append(json.loads(data))
            except ValueError:
                chunks.append(data)
        return chunks

    @property
    def reference_stopped(self) -> bool:
        """Whether the SDK's reader gave up at a broken rule, where ours goes on (kai.md §7)."""
        said = [chunk.get("errorText") for chunk in self.chunks if isinstance(chunk, dict)]
        violations = [error for error in self.reference.get("errors", ()) if error not in said]
        return bool(violations or self.reference.get("parseErrors"))

    def _beside(self, what: str) -> Path:
        return self.path.with_name(f"{self.name}.{what}.json")


def recordings(*kinds: str) -> list[Recording]:
    """All recordings of these kinds (`"ai-sdk"`) that have a reference."""
    found = [Recording(path) for kind in kinds for path in cases(kind, "*.sse")]
    return [each for each in found if each.path.with_name(f"{each.name}.message.json").exists()]


def recording_id(recording: Recording) -> str:
    """For pytest."""
    return f"{recording.path.parent.name}:{case_id(recording.path).removesuffix('.sse')}"


def plain_data(body: bytes) -> Iterator[str]:
    """The data of the events in a body, by httpx-sse's decoders alone."""
    lines, events = SSELineDecoder(), SSEDecoder()
    for line in (*lines.decode(body.decode("utf-8-sig", "replace") or "\n"), *lines.flush()):
        event = events.decode(line)
        if event is not None and event.data:
            yield event.data


def response_of(
    pieces: list[bytes], *, status: int = 200, content_type: str | None = "text/event-stream"
) -> httpx.Response:
    """A streamed answer that arrives in these pieces."""

    class Body(httpx.AsyncByteStream):
        async def __aiter__(self):  # type: ignore[no-untyped-def]
            for piece in pieces:
                yield piece

    headers = {} if content_type is None else {"content-type": content_type}
    request = httpx.Request("POST", "https://kai.example/api/chat")
    return httpx.Response(status, headers=headers, stream=Body(), request=request)
