from __future__ import annotations

import pytest

from kai_tui.backends.addresses import base_address, belongs_to, is_loopback, parse_origin, storage_address
from kai_tui.backends.base import CannotConnect

STACK = "https://connection.keboola.com"


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        (STACK, STACK),
        ("connection.keboola.com", STACK),
        ("  connection.keboola.com/ ", STACK),
        ("HTTPS://Connection.Keboola.COM/", STACK),
        ("http://connection.keboola.com", STACK),
        ("http://connection.keboola.com:80/", STACK),
        ("https://connection.keboola.com:443/v2/storage", STACK),
        ("https://connection.keboola.com/v2/storage/", STACK),
        ("https://connection.keboola.com/admin/projects/1234/dashboard?x=1#/y", STACK),
        (
            "connection.eu-central-1.keboola.com/admin/projects/9",
            "https://connection.eu-central-1.keboola.com",
        ),
        ("<https://connection.keboola.com>", STACK),
        ('"https://connection.keboola.com"', STACK),
        ("https://connection.keboola.com.", STACK),
        ("localhost:8080", "http://localhost:8080"),
        ("127.0.0.1:3000/v2/storage", "http://127.0.0.1:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("https://stack.example:8443", "https://stack.example:8443"),
    ],
)
def test_the_stack_is_found_in_whatever_was_typed(typed: str, address: str):
    assert storage_address(typed) == address


@pytest.mark.parametrize(
    "typed",
    ["", "   ", "https://", "ftp://a.example", "https://a b.example", "https://user:pw@a.example", "https://a:b",
     "https://a.example:99999", "https://a.example\\@b.example", "javascript:alert(1)", "https://\u202ea.example"],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_a_sentence(typed: str):
    with pytest.raises(CannotConnect) as caught:
        storage_address(typed)
    assert caught.value.sentence.endswith(".")
    assert "pw" not in caught.value.sentence


def test_a_token_pasted_as_address_is_not_repeated():
    token = "1234-567890-aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789"
    for typed in (token + " ", f"https://{token} x", f"https://h.example/{token}\n/x"):
        with pytest.raises(CannotConnect) as caught:
            base_address(typed)
        assert token not in caught.value.sentence


@pytest.mark.parametrize(
    "address",
    ["http://kai.keboola.com", "http://10.0.0.1", "http://localhost.evil.example", "http://127.0.0.1.evil.example",
     "http://sandbox.kai-tui.invalid", "https://sandbox.kai-tui.invalid"],
)  # fmt: skip
def test_only_https_or_this_machine(address: str):
    with pytest.raises(CannotConnect):
        base_address(address)


def test_the_built_in_assistant_needs_a_transport():
    url, origin = base_address("http://sandbox.kai-tui.invalid/", in_process=True)
    assert url == "http://sandbox.kai-tui.invalid"
    assert origin.in_process


def test_a_path_stays_and_the_rest_goes():
    assert base_address("https://Kai.example:443/a/b/?q#f")[0] == "https://kai.example/a/b"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback(host: str):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1.nip.io",
        "kai.localhost",
        "127.1",
        "2130706433",
        "localhost.example",
        "0.0.0.0",
        "10.0.0.1",
        "",
        "fe80::1",
    ],
)
def test_not_loopback(host: str):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("stack", "service", "allowed"),
    [
        (STACK, "https://kai-agent.keboola.com", True),
        ("https://connection.eu-central-1.keboola.com", "https://kai.eu-central-1.keboola.com", True),
        ("https://connection.eu-central-1.keboola.com", "https://kai-agent.keboola.com", True),
        ("https://connection.shop.co.uk", "https://kai.shop.co.uk", True),
        ("https://connection.shop.co.uk", "https://kai.evil.co.uk", False),
        ("https://shop.co.uk", "https://evil.co.uk", False),
        (STACK, "http://kai-agent.keboola.com", False),
        (STACK, "https://kai-agent.keboola.com.evil.example", False),
        (STACK, "https://evilkeboola.com", False),
        (STACK, "https://keboola.com.evil.example", False),
        (STACK, "http://127.0.0.1:3000", False),
        (STACK, "https://localhost", False),
        ("https://10.1.2.3", "https://10.1.2.4", False),
        ("https://10.1.2.3", "https://10.1.2.3:8443", True),
        ("https://stack", "https://stack:8443", True),
        ("https://stack", "https://other", False),
        ("http://127.0.0.1:1", "http://127.0.0.1:2", True),
        ("http://127.0.0.1:1", "https://kai.example", False),
        ("http://sandbox.kai-tui.invalid", "http://sandbox.kai-tui.invalid", True),
        ("http://sandbox.kai-tui.invalid", "http://127.0.0.1:2", False),
        ("http://127.0.0.1:2", "http://sandbox.kai-tui.invalid", False),
    ],
)
def test_a_service_must_belong_to_its_stack(stack: str, service: str, allowed: bool):
    assert belongs_to(parse_origin(service), parse_origin(stack)) is allowed
