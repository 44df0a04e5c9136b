"""The other floor: Textual's own `Markdown.get_stream`, one write per token, with a prompt under it.

Reads the same loopback server after Enter, as kai-tui does.
"""

import json
import sys

import httpx
from httpx_sse import aconnect_sse
from textual import work
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input, Markdown


class Stream(App[None]):
    def compose(self) -> ComposeResult:
        with VerticalScroll() as self.scroll:
            yield Markdown()
        yield Input()

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self.scroll.anchor()

    def on_input_submitted(self) -> None:
        self.query_one(Input).clear()
        self.read()

    @work
    async def read(self) -> None:
        stream = Markdown.get_stream(self.query_one(Markdown))
        async with (
            httpx.AsyncClient(timeout=600, trust_env=False) as client,
            aconnect_sse(client, "POST", f"http://127.0.0.1:{sys.argv[1]}/api/chat", json={}) as source,
        ):
            async for event in source.aiter_sse():
                if event.data != "[DONE]" and (delta := json.loads(event.data).get("delta")):
                    await stream.write(delta)
        await stream.stop()


if __name__ == "__main__":
    Stream().run()
