"""Floor of streaming: httpx + httpx-sse + json read the same bytes and show nothing.

Prints the CPU seconds that reading took.
"""

import asyncio
import json
import sys
import time

import httpx
from httpx_sse import aconnect_sse


async def main(port: str) -> None:
    began = time.process_time()
    length = 0
    async with (
        httpx.AsyncClient(timeout=60, trust_env=False) as client,
        aconnect_sse(client, "POST", f"http://127.0.0.1:{port}/api/chat", json={}) as source,
    ):
        async for event in source.aiter_sse():
            if event.data != "[DONE]":
                length += len(json.loads(event.data).get("delta", ""))
    print(time.process_time() - began)


asyncio.run(main(sys.argv[1]))
