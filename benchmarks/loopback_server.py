"""Plays a Kai server whose only answer is markdown of a given size and speed.

`python -m benchmarks.loopback_server CHARACTERS TOKENS_PER_SECOND [chunked]` (0: as fast as it goes) prints
its port. `chunked`: each token is a chunk of HTTP/1.1, as Node and uvicorn send it. Runs as a process of its own, so that its CPU time is not the program's.
"""

from __future__ import annotations

import asyncio
import json
import sys

from benchmarks.corpus import document, tokens


def _events(characters: int) -> list[bytes]:
    def event(**fields: object) -> bytes:
        return b"data: " + json.dumps(fields).encode() + b"\n\n"

    return [
        event(type="start", messageId="5f0c2c1e-0000-4000-8000-000000000001"),
        event(type="start-step"),
        event(type="text-start", id="0"),
        *(event(type="text-delta", id="0", delta=token) for token in tokens(document(characters))),
        event(type="text-end", id="0"),
        event(type="finish-step"),
        event(type="finish", finishReason="stop"),
        b"data: [DONE]\n\n",
    ]


def _chunk(event: bytes) -> bytes:
    """An event as a chunk of HTTP/1.1 for itself."""
    return f"{len(event):x}\r\n".encode() + event + b"\r\n"


class Server:
    def __init__(self, characters: int, rate: float, *, chunked: bool = False) -> None:
        events = _events(characters)
        self.events = [_chunk(event) for event in events] if chunked else events
        self.last = b"0\r\n\r\n" if chunked else b""
        self.encoding = b"transfer-encoding: chunked\r\n" if chunked else b""
        self.rate = rate

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            request = head.split("\r\n", 1)[0]
            length = next(
                (
                    int(line.split(":")[1])
                    for line in head.split("\r\n")
                    if line.lower().startswith("content-length")
                ),
                0,
            )
            if length:
                await reader.readexactly(length)
            if request.startswith("POST /api/chat"):
                await self.stream(writer)
            else:
                self.answer(writer, request)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
            b"connection: close\r\n" + self.encoding + b"\r\n"
        )
        if not self.rate:
            for start in range(0, len(self.events), 500):
                writer.write(b"".join(self.events[start : start + 500]))
                await writer.drain()
            writer.write(self.last)
            return
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number, event in enumerate(self.events):
            wait = began + number / self.rate - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            writer.write(event)
            await writer.drain()
        writer.write(self.last)

    def answer(self, writer: asyncio.StreamWriter, request: str) -> None:
        bodies: dict[str, object] = {
            "/ping": {"timestamp": "2026-01-01T00:00:00Z"},
            "/api/history": {"chats": [], "hasMore": False},
            "/api/settings/tools": {"tools": []},
            "/api": {
                "timestamp": "2026-01-01T00:00:00Z",
                "uptime": 1,
                "appName": "bench",
                "appVersion": "1",
                "serverVersion": "1",
            },
        }
        path = request.split(" ")[1].split("?")[0]
        status = b"200 OK" if path in bodies else b"404 Not Found"
        body = json.dumps(bodies.get(path, {"code": "not_found:chat", "message": "not here"})).encode()
        writer.write(
            b"HTTP/1.1 "
            + status
            + b"\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: "
            + str(len(body)).encode()
            + b"\r\n\r\n"
            + body
        )


async def main() -> None:
    server = Server(int(sys.argv[1]), float(sys.argv[2]), chunked="chunked" in sys.argv)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
