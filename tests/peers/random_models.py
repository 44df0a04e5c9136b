"""What a random model says in a random number of steps, the same for the same seed."""

from __future__ import annotations

import json
import random
from typing import Any, TypeAlias

from tests.peers.random_streams import TEXTS, some_object, value

Part: TypeAlias = dict[str, Any]

_INPUTS: dict[str, tuple[Any, ...]] = {
    "get_tables": ({}, {"bucket_ids": ["in.c-crm"]}, {"bucket_ids": 3}),
    "query_data": ({"sql_query": "SELECT 1", "query_name": "One"}, {"sql_query": 42}, '{"sql_query": "SEL'),
    "docs_query": ({"query": "flows"}, {"query": []}),
    "broken_tool": ({},),
    "progress": ({"steps": 2},),
    "create_bucket": ({"name": "x"}, {"name": "y", "stage": "out"}, {"name": None}),
    "run_job": ({"component_id": "a", "configuration_id": "b"},),
    "update_descriptions": ({"updates": [{"a": "b"}]},),
    "no_such_tool": ({"a": 1}, "not json"),
}


def random_script(seed: int) -> list[list[Part]]:
    """Steps of model parts; the last one calls no tool."""
    chance = random.Random(f"model {seed}")
    counter = iter(range(1, 1000))
    steps = [_step(chance, counter, True) for _ in range(chance.randrange(4))]
    return [*steps, _step(chance, counter, False)]


def _step(chance: random.Random, counter: Any, calling: bool) -> list[Part]:
    said: list[list[Part]] = []
    for _ in range(chance.randrange(5)):
        said.append(chance.choice((_text, _reasoning, _source, _file))(chance, counter))
    if calling:
        said += [_call(chance, counter) for _ in range(chance.randint(1, 3))]
    if chance.random() < 0.1:
        said.append(_provider_call(chance, counter))
    chance.shuffle(said)
    if chance.random() < 0.05:
        said.append([{"type": "error", "error": "Overloaded"}])
    if chance.random() < 0.3:
        said = _mixed(said, chance)
    parts = [part for each in said for part in each]
    reason = "tool-calls" if calling else chance.choice(("stop", "length", "content-filter", "other"))
    usage = {
        "inputTokens": {"total": chance.choice((None, 3))},
        "outputTokens": {"total": chance.choice((None, 4))},
    }
    return [
        {"type": "stream-start", "warnings": []},
        *parts,
        {"type": "finish", "finishReason": {"unified": reason, "raw": reason}, "usage": usage},
    ]


def _mixed(said: list[list[Part]], chance: random.Random) -> list[list[Part]]:
    """Blocks that come at the same time."""
    queues = [list(each) for each in said if each]
    order: list[list[Part]] = []
    while queues:
        queue = chance.choice(queues)
        order.append([queue.pop(0)])
        queues = [each for each in queues if each]
    return order


def _extras(chance: random.Random) -> Part:
    return {"providerMetadata": {"mock": some_object(chance)}} if chance.random() < 0.2 else {}


def _block(kind: str, block_id: str, chance: random.Random) -> list[Part]:
    deltas = [chance.choice(TEXTS) for _ in range(chance.randrange(6))]
    return [
        {"type": f"{kind}-start", "id": block_id, **_extras(chance)},
        *({"type": f"{kind}-delta", "id": block_id, "delta": delta, **_extras(chance)} for delta in deltas),
        {"type": f"{kind}-end", "id": block_id, **_extras(chance)},
    ]


def _text(chance: random.Random, counter: Any) -> list[Part]:
    return _block("text", f"t{next(counter)}", chance)


def _reasoning(chance: random.Random, counter: Any) -> list[Part]:
    return _block("reasoning", f"r{next(counter)}", chance)


def _source(chance: random.Random, counter: Any) -> list[Part]:
    common = {"type": "source", "id": f"s{next(counter)}", **_extras(chance)}
    if chance.random() < 0.5:
        return [{**common, "sourceType": "url", "url": "https://x.example", "title": "X"}]
    return [{**common, "sourceType": "document", "mediaType": "text/plain", "title": "T", "filename": "f"}]


def _file(chance: random.Random, _: Any) -> list[Part]:
    return [{"type": "file", "mediaType": "text/csv", "data": "YSxiCg==", **_extras(chance)}]


def _call(chance: random.Random, counter: Any) -> list[Part]:
    tool = chance.choice(list(_INPUTS))
    given = chance.choice(_INPUTS[tool])
    return _input(chance, f"c{next(counter)}", tool, given if isinstance(given, str) else json.dumps(given))


def _provider_call(chance: random.Random, counter: Any) -> list[Part]:
    """The provider runs it itself and sends the result."""
    call_id = f"p{next(counter)}"
    call = _input(chance, call_id, "web_search", '{"q":"x"}', providerExecuted=True, dynamic=True)
    result = {"toolCallId": call_id, "toolName": "web_search", "dynamic": True, **_extras(chance)}
    failed = {"isError": True} if chance.random() < 0.3 else {}
    found = value(chance)
    return [
        *call,
        {"type": "tool-result", **result, "result": found if found is not None else "none", **failed},
    ]


def _input(chance: random.Random, call_id: str, tool: str, text: str, **more: Any) -> list[Part]:
    call = {
        "type": "tool-call",
        "toolCallId": call_id,
        "toolName": tool,
        "input": text,
        **more,
        **_extras(chance),
    }
    if chance.random() < 0.3:
        return [call]
    pieces: list[Part] = []
    while text:
        cut = chance.randint(1, 9)
        pieces.append({"type": "tool-input-delta", "id": call_id, "delta": text[:cut]})
        text = text[cut:]
    start = {"type": "tool-input-start", "id": call_id, "toolName": tool, **more}
    return [start, *pieces, {"type": "tool-input-end", "id": call_id}, call]
