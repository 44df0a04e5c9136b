"""Logs hold no secret, whoever writes them (C7)."""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from kai_tui.cli.logs import set_up_logging

TOKEN = "4321-987654-ZyXwVuTsRqPoNmLkJiHgFeDcBa987654321098"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """Logging as the program sets it up; put back after the test."""
    root = logging.getLogger()
    before = logging.getLogRecordFactory(), root.level, list(root.handlers)
    file = tmp_path / "logs" / "debug.log"
    set_up_logging(lambda: [TOKEN], file)
    yield file
    logging.setLogRecordFactory(before[0])
    root.setLevel(before[1])
    for handler in set(root.handlers) - set(before[2]):
        root.removeHandler(handler)
        handler.close()


def test_no_token_in_messages_arguments_or_tracebacks(log: Path) -> None:
    logger = logging.getLogger("some.library")
    logger.info("sent %s to %s", {"x-storageapi-token": TOKEN}, f"https://h/?token={TOKEN}")
    logger.info(TOKEN[20:])
    logger.warning("100% %s \x1b[2J", TOKEN)
    logger.warning("wrong %d", TOKEN)
    try:
        secret = TOKEN
        raise ValueError(secret)
    except ValueError:
        logger.exception("failed")
        logger.error("with stack", stack_info=True)
    text = log.read_text(encoding="utf-8")
    assert "sent {'x-storageapi-token': '•••'}" in text
    assert "ValueError: •••" in text
    assert "test_logs.py" in text
    assert not any(TOKEN[at : at + 12] in text for at in range(len(TOKEN) - 11))
    assert "\x1b" not in text
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700


def test_libraries_that_log_addresses_are_quiet(log: Path) -> None:
    logging.getLogger("httpx").info("GET https://h/x")
    logging.getLogger("httpcore.http11").debug("send_request_headers")
    logging.getLogger("httpx").warning("careful")
    text = log.read_text(encoding="utf-8")
    assert "GET" not in text
    assert "send_request" not in text
    assert "careful" in text


def test_set_up_twice_redacts_once(log: Path) -> None:
    set_up_logging(list, None)
    logging.getLogger("x").warning("plain words")
    assert "plain words" in log.read_text(encoding="utf-8")


def test_nothing_is_printed_without_a_file(capfd: pytest.CaptureFixture[str], log: Path) -> None:
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    set_up_logging()
    logging.getLogger("x").error("to no one")
    assert "to no one" not in "".join(capfd.readouterr())
