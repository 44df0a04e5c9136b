"""Plays a Kai server whose only answer is the result of a query: a table of so many rows of 12 columns.

`python -m benchmarks.big_table_server ROWS` prints its port.
"""

from __future__ import annotations

import asyncio
import json
import sys

from benchmarks.loopback_server import Server

HEAD = "token,id,day,region,amount,pieces,paid,code,share,kind,note,last"
END = "That is all of it."


def token(row: int) -> str:
    """A word that stands in this row only, and has nothing in common with its neighbour's."""
    return f"{(row * 2_654_435_761 + 97) % (1 << 32):08x}"


def line(row: int) -> str:
    """A row of CSV: about 70 characters, so that 100,000 of them are no more than one event may be."""
    region = ("West", "East", "North", "", "South")[row % 5]
    return (
        f"{token(row)},{row},2026-{row % 12 + 1:02}-{row % 28 + 1:02},{region},{row * 37 % 99_991 / 100:.2f},"
        f"{row % 9},{'true' if row % 3 else 'false'},{row % 977:05},{row % 101}.5,{'ab'[row % 2]},n {row % 13},{row % 2}"
    )


def events(rows: int) -> list[bytes]:
    """The stream of the reply."""

    def event(**fields: object) -> bytes:
        return b"data: " + json.dumps(fields).encode() + b"\n\n"

    text = "\n".join([HEAD, *map(line, range(rows))])
    call = {"toolCallId": "call-1", "toolName": "query_data"}
    given = {"sql_query": "SELECT * FROM big", "query_name": "Big"}
    return [
        event(type="start", messageId="5f0c2c1e-0000-4000-8000-000000000001"),
        event(type="start-step"),
        event(type="tool-input-available", input=given, **call),
        event(
            type="tool-output-available",
            toolCallId="call-1",
            output={"csv_data": text, "query_name": "Big", "message": "done"},
        ),
        event(type="finish-step"),
        event(type="start-step"),
        event(type="text-start", id="0"),
        event(type="text-delta", id="0", delta=END),
        event(type="text-end", id="0"),
        event(type="finish-step"),
        event(type="finish", finishReason="stop"),
        b"data: [DONE]\n\n",
    ]


class TableServer(Server):
    """Answers every message with the table."""

    def __init__(self, rows: int) -> None:
        super().__init__(0, 0)
        self.events = events(rows)


async def main() -> None:
    server = TableServer(int(sys.argv[1]))
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
