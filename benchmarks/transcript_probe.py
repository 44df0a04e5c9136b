"""What the transcript costs: opening, streaming, scrolling, resizing. Headless: no terminal output is counted.

Run with `python -m benchmarks.transcript_probe`. CPU seconds are the sound figure, wall seconds are noisy.
"""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import time

os.environ.setdefault("TEXTUAL_FPS", "240")

from kai_tui.conversation.messages import GrowingPart, Message, part_from_wire
from kai_tui.services.changes import PartChanged
from kai_tui.services.turn import Turn
from kai_tui.ui.transcript.view import Transcript
from tests.ui.transcript.chat_source import ChatSource, TranscriptApp, answer, text
from tests.ui.transcript.corpus import document


def settle_gc() -> None:
    """The collector as the program sets it after its first paint (shared textual-notes §1)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def many(count: int) -> list[Message]:
    found: list[Message] = []
    for number in range(count // 2):
        found.append(Message.user(f"u{number}", f"Question {number}: which region sold most?"))
        found.append(answer(text(document(1_400, number % 50)), id=f"a{number}"))
    return found


async def open_many(count: int) -> None:
    source = ChatSource(*many(count))
    app = TranscriptApp()
    async with app.run_test(size=(120, 40)) as pilot:
        app.transcript.show(ChatSource(*many(4)))
        await pilot.pause(0)
        settle_gc()
        took: list[float] = []
        for _ in range(5):
            start = time.process_time()
            app.transcript.show(source)
            took.append(time.process_time() - start)
        print(f"open {count:,} messages: {statistics.median(took) * 1000:.0f} ms CPU")
        pages: list[float] = []
        for _ in range(200):
            start = time.process_time()
            app.transcript.action_page_up()
            pages.append(time.process_time() - start)
        pages.sort()
        print(
            f"page up: p50 {pages[100] * 1000:.1f}, p95 {pages[190] * 1000:.1f}, max {pages[-1] * 1000:.1f} ms CPU"
        )
        for width in (100, 120):
            start = time.process_time()
            await pilot.resize_terminal(width, 40)
            print(
                f"resize to {width} in the middle: {(time.process_time() - start) * 1000:.0f} ms CPU (with Textual)"
            )


async def stream(content: str, rate: int, name: str) -> None:
    """Feed `content` at `rate` characters a second, token by token."""
    source = ChatSource(Message.user("u1", "Go"), answer(text("", streaming=True)))
    source.turn = Turn("streaming", started=99.0, last_event=100.0)
    app = TranscriptApp(source)
    async with app.run_test(size=(120, 40)):
        settle_gc()
        transcript = app.transcript
        part = source.messages[-1].parts[0]
        assert isinstance(part, GrowingPart)
        change = PartChanged("a1", 0)
        wall, cpu = time.perf_counter(), time.process_time()
        at = 0
        worst = 0.0
        while at < len(content):
            due = int((time.perf_counter() - wall) * rate)
            while at < min(due, len(content)):
                part.append(content[at : at + 4])
                transcript.apply(change)
                at += 4
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            worst = max(worst, time.perf_counter() - before - 0.005)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        # What feeding alone costs, without a transcript.
        other = part_from_wire({"type": "text", "text": ""})
        assert isinstance(other, GrowingPart)
        start = time.process_time()
        for position in range(0, len(content), 4):
            other.append(content[position : position + 4])
        feeding = time.process_time() - start
        print(
            f"{name}: {len(content):,} characters in {wall:.1f} s: {cpu:.2f} s CPU = {cpu / wall:.0%} of a core "
            f"(feeding {feeding:.2f} s), longest hold of the loop {worst * 1000:.0f} ms"
        )


def apply_cost() -> None:
    transcript = Transcript()
    change = PartChanged("a1", 0)
    start = time.perf_counter()
    for _ in range(1_000_000):
        transcript.apply(change)
    print(f"apply of a delta: {time.perf_counter() - start:.2f} µs")


async def main() -> None:
    await open_many(10_000)
    await stream(document(1_000_000, 7), 100_000, "1 MB at 100 KB/s")
    await stream(
        document(200_000, 7).replace("```python", "```"), 100_000, "200 KB at 100 KB/s without colours"
    )
    await stream("word " * 40_000, 100_000, "one paragraph of 200 KB")
    await stream(
        "```python\n" + "    x = compute(1, 'two')  # three\n" * 6_000, 100_000, "one fence of 200 KB"
    )
    await stream(
        "| a | b |\n|---|---|\n" + "| cell one | cell two |\n" * 8_000, 100_000, "one table of 200 KB"
    )
    await stream("- item with some words\n" * 8_000, 100_000, "one list of 200 KB")
    await stream(document(20_000, 7), 1_000, "20 KB at 1 KB/s")


if __name__ == "__main__":
    apply_cost()
    asyncio.run(main())
