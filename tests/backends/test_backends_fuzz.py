"""Nothing foreign makes the readers of addresses, headers and error bodies fail in a way of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kai_tui.backends import refusals
from kai_tui.backends.addresses import base_address, belongs_to, parse_origin, storage_address
from kai_tui.backends.base import BackendError, CannotConnect
from kai_tui.backends.kai import wire
from kai_tui.backends.kai.discovery import Discovered
from kai_tui.backends.tolerant import WireModel

URLISH = st.text(alphabet="htps:/@.[]?#%\\ 0189aZ-_\u202e\udcff\x00é", max_size=30)
ADDRESS = st.one_of(st.text(max_size=60), URLISH, URLISH.map(lambda rest: f"https://{rest}"))
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["error", "message", "code", "cause", "detail", "errors", "type", "surface", "id", "tools",
                             "chats", "owner", "services", "url", "suggestions", "exceptionId", "title"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)  # fmt: skip
MODELS = [
    wire.Ping, wire.Info, wire.ChatRow, wire.ChatAnswer, wire.HistoryAnswer, wire.Vote, wire.ApprovalAnswer,
    wire.Usage, wire.Settings, wire.UserSettings, wire.ToolsAnswer, wire.Suggestions, wire.StackIndex,
    wire.TokenAnswer,
]  # fmt: skip


def failure(call: Callable[[], object]) -> BackendError | None:
    """Our error, or None; any other error passes through."""
    try:
        call()
    except BackendError as error:
        return error
    return None


@given(ADDRESS)
def test_addresses(address: str):
    for read in (parse_origin, storage_address, base_address):
        error = failure(lambda read=read: read(address))
        assert error is None or (type(error) is CannotConnect and error.sentence.endswith("."))
    try:
        stack = storage_address(address)
        assert storage_address(stack) == stack
        origin = base_address(stack)[1]
        assert origin.scheme == "https" or origin.loopback
    except CannotConnect:
        pass


@given(ADDRESS)
def test_services_never_get_a_token_outside_the_stack(address: str):
    found = Discovered("https://connection.keboola.com", {"kai-agent": address.strip()})
    error = failure(found.choose)
    if error is not None:
        assert error.delivery == "not-sent"
    else:
        origin = parse_origin(found.choose()[1])
        assert origin.scheme == "https"
        assert origin.host.endswith(".keboola.com")
        assert belongs_to(origin, parse_origin("https://connection.keboola.com"))


@given(st.integers(300, 599), JSON | st.binary(max_size=200), st.text(max_size=30), st.text(max_size=30))
def test_refusals(status: int, body: Any, kind: str, wait: str):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": kind, "retry-after": wait, "location": wait, "date": kind}
    error = refusals.from_answer(status, headers, content, "kai.example")
    assert error.sentence.strip()
    assert len(error.sentence) < 700
    assert error.retry_after is None or 0 <= error.retry_after <= refusals.MAX_RETRY_AFTER
    odd = refusals.not_what_was_asked(200, kind, content, "kai.example", wanted="JSON")
    assert odd.sentence.endswith((".", "!", "?", "…"))


@given(st.sampled_from(MODELS), JSON)
def test_models(model: type[WireModel], body: Any):
    error = failure(lambda: wire.read(model, body, "kai.example"))
    assert error is None or "does not understand" in error.sentence
    wire.read_rows(model, [body, body])
