"""What is said about a server: uptime, MCP servers in every shape, unknown fields, no token."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.backends.base import Quota, ServerFailed, ServerInfo
from kai_tui.services.account import SANDBOX, Account
from kai_tui.services.health import Pulse
from kai_tui.services.server_facts import (
    LONGEST_VALUE,
    clock_words,
    duration_words,
    facts_text,
    health_words,
    mcp_servers,
    server_facts,
)

ACCOUNT = Account(
    "a",
    "kai",
    "My project",
    "https://kai.test",
    "https://connection.test",
    project_id="42",
    token_from="keyring",
    branch_id=7,
    branch_name="feature",
    workspace_id="99",
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def table(account: Account, **details: object) -> dict[str, list[str]]:
    info = ServerInfo(
        "kai.test", "kai-agent", "kai-backend", "1.0.0", dict(details), address="https://kai.test/base"
    )
    rows: dict[str, list[str]] = {}
    for fact in server_facts(account, info, Quota(42, 150)):
        rows.setdefault(fact.label, []).append(fact.value)
    return rows


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "less than a second"),
        (1, "1 second"),
        (61, "1 minute 1 second"),
        (3600, "1 hour"),
        (12345.67, "3 hours 25 minutes"),
        (86400 * 3 + 59, "3 days"),
        (86400 * 1234 + 3600 * 2, "1,234 days 2 hours"),
        (-1, ""),
        (float("inf"), ""),
        (float("nan"), ""),
    ],
)
def test_an_uptime_in_words(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (None, []),
        ([], []),
        ([{"name": "keboola-mcp", "status": "connected"}], ["keboola-mcp · connected"]),
        ({"url": "https://mcp.test", "status": "down"}, ["https://mcp.test · down"]),
        ({"keboola": {"status": "connected"}, "other": {}}, ["keboola · connected", "other"]),
        (
            [{"name": "m", "url": "https://m.test", "tools": 3}, "plain", 5, {}],
            ["m · https://m.test · tools: 3", "plain", "5", "(it says nothing about itself)"],
        ),
        ("connected", ["connected"]),
    ],
)
def test_mcp_servers_in_every_shape(value: object, lines: list[str]) -> None:
    assert mcp_servers(value) == lines


@given(JSON, JSON)
def test_nothing_a_server_says_breaks_the_panel(mcp: object, other: object) -> None:
    table(ACCOUNT, connectedMcp=mcp, uptime=other, appVersion=other, serverVersion=mcp, more=other)


def test_all_that_is_known_is_a_row() -> None:
    rows = table(ACCOUNT, uptime=60, appVersion="1.0.0", serverVersion="2.0.0", region={"name": "eu"})
    assert rows["Assistant"] == ["kai-backend (kai-agent)"]
    assert rows["Version"] == ["1.0.0 (server 2.0.0)"]
    assert rows["Running for"] == ["1 minute"]
    assert rows["Address"] == ["https://kai.test/base"]
    assert rows["Stack"] == ["https://connection.test"]
    assert rows["Project"] == ["My project (42)"]
    assert rows["Branch"] == ["feature (7)"]
    assert rows["Workspace"] == ["99"]
    assert rows["Token"] == ["from the keyring of this computer"]
    assert rows["Quota"] == ["42 of 150 messages"]
    assert rows["region"] == ['{"name": "eu"}'], "what nobody has heard of is shown too"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("environment", "from the environment (STORAGE_API_TOKEN)"),
        ("file", "from a file only you can read"),
        ("memory", "typed in for this session, kept nowhere"),
    ],
)
def test_where_the_token_is(source, words: str) -> None:
    assert table(ACCOUNT._replace(token_from=source))["Token"] == [words]


def test_before_anything_answered_the_account_is_known() -> None:
    labels = {fact.label for fact in server_facts(ACCOUNT, None, None)}
    assert labels == {"Address", "Stack", "Project", "Branch", "Workspace", "Token"}
    assert {fact.label for fact in server_facts(SANDBOX, None, None)} == {"Address", "Token"}


def test_an_endless_value_is_cut_and_says_so() -> None:
    (value,) = table(ACCOUNT, blob="x" * (LONGEST_VALUE + 5))["blob"]
    assert value.endswith("… (5 characters more)")


def test_health_and_clock_in_words() -> None:
    assert health_words("kai.test", Pulse(0.0384)) == "kai.test answers in 38 ms."
    assert health_words("kai.test", Pulse(0.0001)) == "kai.test answers in less than a millisecond."
    assert health_words("kai.test", Pulse(12.3)) == "kai.test answers in 12 s."
    assert health_words("kai.test", Pulse(failure=ServerFailed("Server error."))) == "Server error."
    assert clock_words(Pulse(0.1, 59.0)) == ""
    assert clock_words(Pulse(0.1, 200.0)) == (
        "This computer's clock is 3 minutes 20 seconds ahead of the server's."
    )
    assert clock_words(Pulse(0.1, -7200.0)) == "This computer's clock is 2 hours behind the server's."


def test_as_text() -> None:
    facts = server_facts(SANDBOX, None, None)
    assert facts_text("0.1.0", "Fine.", facts) == (
        "kai-tui 0.1.0\nFine.\nAddress: in this program; nothing goes over a network\nToken: none is needed"
    )
