"""Plays a Kai server that keeps chats of given lengths: `python -m benchmarks.long_server COUNT [COUNT…]` prints its port.

A count of 0 is an empty chat; "1m" is a chat whose only answer is 1 MB of markdown. A process of its own, so that
its CPU time is not the program's.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys

from benchmarks.corpus import document

_TEXT = document(60_000)


def _tool_part(number: int) -> dict[str, object]:
    rows = [{"region": name, "orders": number * 7 % 113} for name in ("West", "East", "North")]
    return {
        "type": "tool-query_data",
        "toolCallId": f"call-{number}",
        "state": "output-available",
        "input": {"sql": f'SELECT region, count(*) FROM "orders" WHERE id > {number} GROUP BY 1'},
        "output": {"rows": rows},
    }


def messages(count: int) -> list[dict[str, object]]:
    """Questions and answers in turn, some 770 bytes each; each says its number, the last one also `END`."""
    random_ = random.Random(count)
    found: list[dict[str, object]] = []
    for number in range(count):
        asks = number % 2 == 0
        size = random_.randint(30, 160) if asks else random_.randint(300, 1_650)
        start = random_.randrange(len(_TEXT) - size)
        text = f"Number {number:05d}. {_TEXT[start : start + size]}"
        if number == count - 1:
            text += f"\n\nEND{count}"
        parts: list[dict[str, object]] = [{"type": "text", "text": text}]
        if not asks and number % 10 == 1:
            parts.insert(0, _tool_part(number))
        found.append(
            {
                "id": f"00000000-0000-4000-8000-{number:012d}",
                "role": "user" if asks else "assistant",
                "parts": parts,
                "metadata": {"createdAt": "2026-01-01T00:00:00.000Z"},
            }
        )
    return found


def _one_big() -> list[dict[str, object]]:
    found = messages(2)
    found[1]["parts"] = [{"type": "text", "text": f"{document(1_000_000)}\n\nEND1m"}]
    return found


class Server:
    """Answers what the program asks when it starts, lists chats and opens one."""

    def __init__(self, counts: list[str]) -> None:
        summaries = [
            {
                "id": f"10000000-0000-4000-8000-{number:012d}",
                "title": f"Chat of {count}",
                "createdAt": f"2026-01-{20 - number:02d}T00:00:00.000Z",
                "updatedAt": f"2026-01-{20 - number:02d}T00:00:00.000Z",
                "visibility": "private",
            }
            for number, count in enumerate(counts)
        ]
        bodies: dict[str, object] = {
            "/ping": {"timestamp": "2026-01-01T00:00:00Z"},
            "/api/history": {"chats": summaries, "hasMore": False},
            "/api/settings/tools": {"tools": []},
            "/api/vote": [],
            "/api": {
                "timestamp": "2026-01-01T00:00:00Z",
                "uptime": 1,
                "appName": "bench",
                "appVersion": "1",
                "serverVersion": "1",
            },
        }
        for count, row in zip(counts, summaries, strict=True):
            content = _one_big() if count == "1m" else messages(int(count))
            bodies[f"/api/chat/{row['id']}"] = {**row, "messages": content}
        self.answers = {path: json.dumps(body).encode() for path, body in bodies.items()}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split(" ", 2)[1].split("?")[0]
            body = self.answers.get(path)
            status = "200 OK" if body is not None else "404 Not Found"
            body = body if body is not None else b'{"code":"not_found:chat","message":"not here"}'
            writer.write(
                f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n"
                f"content-length: {len(body)}\r\n\r\n".encode()
            )
            writer.write(body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def main() -> None:
    """Serve on loopback until killed."""
    server = Server(sys.argv[1:])
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
