"""Random streams that keep the SDK's rules, the same ones for the same seed: chunks, and what a model says."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Json: TypeAlias = dict[str, Any]
Sdk: TypeAlias = Literal[6, 7]

TEXTS = (
    "Hello", " world", "", "\n", "a\ud83d", "\ude00b", "\U0001f600", "**x** `y`", "\u2028", "\u0000", "\u202e", "é",
    "e\u0301", '"\\', "```next_actions\n- a\n```", "x" * 300,
)  # fmt: skip
KEYS = ("a", "b", "name", "sql_query", "", "0", "ключ", "id", "type", "toolName", "constructor")
TOOLS = ("get_tables", "create_bucket", "tool-x", "run_job", "ünï", "a b")


def value(chance: random.Random, depth: int = 3) -> Any:
    """Any JSON."""
    kind = chance.randrange(9 if depth else 6)
    if kind == 6 or kind == 7:
        return {chance.choice(KEYS): value(chance, depth - 1) for _ in range(chance.randrange(4))}
    if kind == 8:
        return [value(chance, depth - 1) for _ in range(chance.randrange(4))]
    return (
        chance.choice(TEXTS), chance.choice(TEXTS), chance.randint(-5, 10**6), chance.choice((0.5, -1.25, 1e21)),
        chance.choice((True, False)), None,
    )[kind]  # fmt: skip


def some_object(chance: random.Random) -> Json:
    return {chance.choice(KEYS): value(chance) for _ in range(chance.randrange(1, 4))}


@dataclass
class _Call:
    id: str
    tool: str
    dynamic: bool
    state: str = "input"
    buffer: str = ""
    approval: str | None = None


@dataclass
class Writer:
    """Writes one answer, chunk by chunk; every chunk is one the SDK would take at this place."""

    chance: random.Random
    sdk: Sdk
    chunks: list[Json] = field(default_factory=list[Json])
    open: dict[str, list[str]] = field(default_factory=lambda: {"text": [], "reasoning": []})
    calls: list[_Call] = field(default_factory=list[_Call])
    refused: list[_Call] = field(default_factory=list[_Call])
    """Inputs that SDK 6 still reports as failed calls in this step."""
    in_step: bool = False
    made: int = 0

    def answer(self, length: int, message_id: str = "m1") -> list[Json]:
        """A whole answer of about so many chunks."""
        if self.maybe(0.2):
            self.data()
        if self.maybe(0.95):
            self.put("start", **self.rarely(messageId=message_id, share=0.9), **self.metadata(0.3))
        for _ in range(length):
            self.one()
        self.end_step()
        ending = self.chance.random()
        if ending < 0.7:
            self.put("finish", **self.rarely(finishReason="stop", share=0.8), **self.metadata(0.3))
        elif ending < 0.8:
            self.put("abort", **self.rarely(reason="user"))
        elif ending < 0.9:
            self.put("error", errorText="Overloaded")
        if self.maybe(0.2):
            self.data()
        return self.chunks

    def one(self) -> None:
        if not self.in_step and self.maybe(0.9):
            self.finish_inputs()
            self.put("start-step")
            self.in_step = True
            return
        kinds: list[tuple[int, Callable[[], None]]] = [
            (6, lambda: self.block("text")), (3, lambda: self.block("reasoning")), (8, self.call), (1, self.whole),
            (2, self.data), (1, self.end_step), (1, lambda: self.put("message-metadata", **self.metadata(1))),
        ]  # fmt: skip
        if self.sdk == 7:
            kinds += [(1, self.newer), (1, self.reset_step)]
        weights, makers = zip(*kinds, strict=True)
        self.chance.choices(makers, weights)[0]()

    def block(self, kind: str) -> None:
        ids = self.open[kind]
        if not ids or self.maybe(0.15):
            block_id = self.chance.choice(("0", "1", self.new("b")))
            self.put(f"{kind}-start", id=block_id, **self.provider(0.2))
            if block_id not in ids:
                ids.append(block_id)
            return
        block_id = self.chance.choice(ids)
        if self.maybe(0.7):
            self.put(f"{kind}-delta", id=block_id, delta=self.chance.choice(TEXTS), **self.provider(0.1))
            return
        ids.remove(block_id)
        more = {"citations": [some_object(self.chance)]} if self.sdk == 7 and self.maybe(0.2) else {}
        self.put(f"{kind}-end", id=block_id, **self.provider(0.2), **(more if kind == "text" else {}))

    def call(self) -> None:
        live = [each for each in self.calls if each.state != "done"]
        if not live or self.maybe(0.2):
            self.begin_call()
            return
        each = self.chance.choice(live)
        match each.state:
            case "streaming":
                self.stream_input(each)
            case "input":
                self.whole_input(each)
            case "asked" if self.sdk == 7 and self.maybe(0.4):
                self.put(
                    "tool-approval-response", approvalId=each.approval, approved=self.maybe(0.5),
                    **self.rarely(reason="no"), **self.rarely(providerExecuted=True, share=0.1), **self.provider(0.1),
                )  # fmt: skip
            case _:
                self.outcome(each)

    def begin_call(self) -> None:
        each = _Call(self.new("c"), self.chance.choice(TOOLS), self.maybe(0.3))
        self.calls.append(each)
        if self.maybe(0.7):
            text = self.maybe(0.1)
            each.state = "streaming"
            each.buffer = json.dumps(value(self.chance), ensure_ascii=self.maybe(0.5))
            # An array that so far is "[-" cannot be read by SDK 6, and can by 7; ours is as 6.
            each.buffer = each.buffer.replace("[-", "[")
            encoding = {"inputEncoding": "text" if text else "json"} if text or self.maybe(0.1) else {}
            self.put("tool-input-start", **self.about(each), **encoding)

    def stream_input(self, each: _Call) -> None:
        if each.buffer and self.maybe(0.8):
            cut = self.chance.randint(1, 9)
            self.put("tool-input-delta", toolCallId=each.id, inputTextDelta=each.buffer[:cut])
            each.buffer = each.buffer[cut:]
        else:
            self.whole_input(each)

    def whole_input(self, each: _Call) -> None:
        if self.maybe(0.85):
            each.state = "running"
            self.put("tool-input-available", **self.about(each), input=value(self.chance))
            return
        each.state = "done"
        self.put("tool-input-error", **self.about(each), input=value(self.chance), errorText="Invalid input")
        self.refused.append(each)

    def outcome(self, each: _Call) -> None:
        what = self.chance.random()
        common = {"toolCallId": each.id, **({"dynamic": True} if each.dynamic and self.maybe(0.7) else {})}
        if what < 0.25 and each.state == "running":
            each.state, each.approval = "asked", self.new("a")
            newer = (
                {**self.rarely(reason="why"), **self.rarely(isAutomatic=self.maybe(0.5))}
                if self.sdk == 7
                else {}
            )
            self.put(
                "tool-approval-request", approvalId=each.approval, toolCallId=each.id,
                **self.rarely(signature="c2ln"), **self.rarely(inputSchemaInput=value(self.chance)),
                **self.rarely(approvalDescriptor=some_object(self.chance)), **newer,
            )  # fmt: skip
        elif what < 0.4:
            self.put(
                "tool-output-available",
                **common,
                output=value(self.chance),
                preliminary=True,
                **self.result_extras(),
            )
        elif what < 0.8:
            each.state = "done"
            self.put("tool-output-available", **common, output=value(self.chance), **self.result_extras())
        elif what < 0.93 or each.approval is None:
            each.state = "done"
            self.put(
                "tool-output-error", **common, errorText=self.chance.choice(TEXTS), **self.result_extras()
            )
        else:
            each.state = "done"
            self.put("tool-output-denied", toolCallId=each.id)

    def whole(self) -> None:
        kind = self.chance.randrange(3)
        if kind == 0:
            self.put(
                "source-url",
                sourceId="s",
                url="https://x.example",
                **self.rarely(title="X"),
                **self.provider(0.2),
            )
        elif kind == 1:
            self.put(
                "source-document", sourceId="s", mediaType="text/plain", title="T", **self.rarely(filename="f"),
                **self.provider(0.2),
            )  # fmt: skip
        else:
            self.put("file", url="data:text/csv;base64,YQ==", mediaType="text/csv", **self.provider(0.2))

    def data(self) -> None:
        self.put(
            f"data-{self.chance.choice('xyz')}", data=value(self.chance), **self.rarely(id=self.chance.choice("12")),
            **self.rarely(transient=self.maybe(0.5), share=0.2), **self.rarely(novel=value(self.chance), share=0.2),
        )  # fmt: skip

    def newer(self) -> None:
        kind = self.chance.randrange(3)
        if kind == 0:
            self.put("custom", kind="mock.thing", **self.provider(0.3))
        elif kind == 1:
            self.put("reasoning-file", url="data:,x", mediaType="text/plain", **self.provider(0.3))
        else:
            self.put("steering-message", id=self.new("s"), parts=[{"type": "text", "text": "turn left"}])

    def reset_step(self) -> None:
        if not self.in_step or self.maybe(0.7):
            return
        self.put("reset-step")
        self.open = {"text": [], "reasoning": []}
        self.calls = []
        self.refused = []

    def end_step(self) -> None:
        if not self.in_step and not self.refused:
            return
        self.finish_inputs()
        if self.sdk == 6:
            for each in self.refused:
                self.put("tool-output-error", toolCallId=each.id, errorText="Invalid input")
        self.refused = []
        self.put("finish-step")
        self.in_step = False
        if self.sdk == 6:
            self.open = {"text": [], "reasoning": []}

    def finish_inputs(self) -> None:
        """No server goes on with an input in the next step. The SDK would make a second part of it, which in a
        hostile stream costs the square of its length; ours goes on with the first."""
        for each in self.calls:
            if each.state == "streaming":
                self.whole_input(each)

    def about(self, each: _Call) -> Json:
        return {
            "toolCallId": each.id, "toolName": each.tool, **({"dynamic": True} if each.dynamic else {}),
            **self.rarely(title="In words", share=0.2), **self.rarely(toolMetadata={"k": [1]}, share=0.2),
            **self.rarely(providerExecuted=self.maybe(0.5), share=0.2), **self.provider(0.2),
        }  # fmt: skip

    def result_extras(self) -> Json:
        return {
            **self.provider(0.2), **self.rarely(toolMetadata={"r": 1}, share=0.1),
            **self.rarely(providerExecuted=self.maybe(0.5), share=0.1),
        }  # fmt: skip

    def provider(self, share: float) -> Json:
        return {"providerMetadata": {"mock": some_object(self.chance)}} if self.maybe(share) else {}

    def metadata(self, share: float) -> Json:
        return {"messageMetadata": some_object(self.chance)} if self.maybe(share) else {}

    def rarely(self, *, share: float = 0.3, **fields: Any) -> Json:
        return fields if self.maybe(share) else {}

    def maybe(self, share: float) -> bool:
        return self.chance.random() < share

    def new(self, kind: str) -> str:
        self.made += 1
        return f"{kind}{self.made}"

    def put(self, type: str, **fields: Any) -> None:
        self.chunks.append({"type": type, **fields})


def random_answer(seed: int, sdk: Sdk) -> list[Json]:
    """The chunks of one answer."""
    chance = random.Random(f"{sdk} {seed}")
    return Writer(chance, sdk).answer(chance.choice((3, 10, 30, 80)))


def random_continuation(seed: int, sdk: Sdk, message: Json) -> list[Json]:
    """The chunks that go on with a message whose requests were answered: outcomes first, then new steps."""
    chance = random.Random(f"on {sdk} {seed}")
    writer = Writer(chance, sdk, made=1000)
    for part in message["parts"]:
        if part.get("state") in ("approval-responded", "input-available") and part.get("toolCallId"):
            dynamic = part["type"] == "dynamic-tool"
            tool = part["toolName"] if dynamic else part["type"].removeprefix("tool-")
            approval = (part.get("approval") or {}).get("id")
            writer.calls.append(_Call(part["toolCallId"], tool, dynamic, "going-on", approval=approval))
    return writer.answer(chance.choice((3, 10, 30)), message["id"])
