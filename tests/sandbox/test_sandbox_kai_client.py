"""The official client's command line works against the sandbox (kai-client 0.12, console script `kai`)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.sandbox.chatter import envelope, new_id, user_message

Served = dict[str, str]
KAI = Path(sys.executable).parent / ("kai.exe" if os.name == "nt" else "kai")


def kai(served: Served, *arguments: str, typed: str = "") -> str:
    """What `kai …` printed; it finds the sandbox by discovery alone."""
    env = {name: value for name, value in os.environ.items() if "PROXY" not in name.upper()}
    env |= {"STORAGE_API_TOKEN": served["token"], "STORAGE_API_URL": served["storage_api_url"]}
    env.pop("KAI_BASE_URL", None)
    done = subprocess.run(
        [str(KAI), *arguments], capture_output=True, text=True, input=typed, env=env, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stdout
    return done.stdout


def test_ping_and_info(served: Served) -> None:
    assert kai(served, "ping").startswith("Server is alive: 20")
    assert "App: kai-assistant-sandbox v" in kai(served, "info")


@pytest.mark.slow
def test_chat_history_votes_and_deletion(served: Served) -> None:
    said = kai(served, "chat", "-m", "Which region sold most?")
    match = re.search(r"Chat ID: ([0-9a-f-]{36})", said)
    assert match is not None
    chat_id = match[1]
    assert "[query_data completed]" in said
    assert "**West** sold most" in said

    assert f"{chat_id}  " in kai(served, "history")
    chat = json.loads(kai(served, "get-chat", chat_id, "--json-output"))
    assert [message["role"] for message in chat["messages"]] == ["user", "assistant"]
    assert "Messages: 2" in kai(served, "get-chat", chat_id)

    answer = chat["messages"][1]["id"]
    assert kai(served, "vote", chat_id, answer, "up") == f"Voted up on message {answer}\n"
    assert f"{answer}: " in kai(served, "get-votes", chat_id)

    assert "Deleted" in kai(served, "delete-chat", "--yes", chat_id)


def test_json_output(served: Served) -> None:
    lines = kai(served, "chat", "--json-output", "-m", "What tables do I have?").splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{")]
    assert {"step-start", "text", "tool-call", "finish", "data-usage"} <= {event["type"] for event in events}
    text = "".join(event["text"] for event in events if event["type"] == "text")
    assert "in.c-shop.orders" in text


@pytest.mark.parametrize(
    ("answer", "there"), [("y\n", True), pytest.param("n\n", False, marks=pytest.mark.slow)]
)
def test_an_approval_on_the_command_line(served: Served, answer: str, there: bool) -> None:
    name = f"kai-{'yes' if there else 'no'}"
    said = kai(served, "chat", "-m", f"Create a bucket called {name}", typed=answer)
    assert "Approve this tool call?" in said
    assert bucket_exists(served, f"in.c-{name}") is there


def test_an_automatic_approval(served: Served) -> None:
    kai(served, "chat", "--auto-approve", "-m", "Create a bucket called by-itself")
    assert bucket_exists(served, "in.c-by-itself")


def bucket_exists(served: Served, bucket_id: str) -> bool:
    """Asked without the client, which takes its time to start."""
    headers = {"x-storageapi-token": served["token"], "x-storageapi-url": served["storage_api_url"]}
    with httpx.Client(base_url=served["base_url"], headers=headers, trust_env=False) as client:
        body = envelope(new_id(), user_message("What buckets do I have?"))
        return f"`{bucket_id}`" in client.post("/api/chat", json=body).text
