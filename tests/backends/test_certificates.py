"""Certificates of company networks, against real TLS servers on loopback."""

from __future__ import annotations

import asyncio
import datetime
import ssl
import sys
from pathlib import Path

import pytest

from kai_tui.backends import certificates, trust
from kai_tui.backends.base import BackendError, CannotConnect, Waiting
from kai_tui.backends.http import Timeouts
from tests.backends.company_network import authority as authority
from tests.backends.company_network import clean as clean
from tests.backends.company_network import door_to, failing, get, subject_hash
from tests.backends.company_network import server as server
from tests.backends.kai_server import KaiServer
from tests.backends.middlemen import Authority

# Certificates


async def test_an_unknown_issuer_is_named_with_what_to_do(server: KaiServer):
    waits: list[Waiting | None] = []
    error = await failing(server.url, waits=waits)
    assert (type(error), error.code, error.delivery) == (CannotConnect, "tls", "not-sent")
    assert error.sentence == (
        f"Secure connection failed: 127.0.0.1:{server.port}'s certificate is signed by Corp Security & Co, which this "
        f"computer does not know. In a company network ask for its root certificate and set SSL_CERT_FILE."
    )
    assert server.seen == []
    assert waits == []  # not tried again


async def test_ssl_cert_file_is_believed(
    server: KaiServer, authority: Authority, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    assert await get(server.url) == {"ok": 1}


async def test_ssl_cert_dir_is_believed(
    server: KaiServer, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    certificate = ssl.PEM_cert_to_DER_cert(authority.pem.read_text())
    (tmp_path / f"{subject_hash(certificate)}.0").write_text(authority.pem.read_text())
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert await get(server.url) == {"ok": 1}


async def test_an_issuer_that_ssl_cert_file_does_not_have(
    server: KaiServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("SSL_CERT_FILE", str(Authority(tmp_path, "Another").pem))
    error = await failing(server.url)
    assert "signed by Corp Security & Co, who is not in the file SSL_CERT_FILE names." in error.sentence
    assert "add it there" in error.sentence


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "SSL_CERT_FILE",
            "/no/such/file.pem",
            "SSL_CERT_FILE names /no/such/file.pem, which is no readable file",
        ),
        ("SSL_CERT_FILE", __file__, "which is no readable file of certificates (PEM). Correct or unset it."),
        ("SSL_CERT_DIR", "/no/such/dir", "SSL_CERT_DIR names /no/such/dir, which is no folder."),
    ],
)
async def test_variables_that_name_nothing(
    server: KaiServer, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
):
    monkeypatch.setenv(variable, value)
    error = await failing(server.url)
    assert (type(error), error.code) == (CannotConnect, "tls")
    assert said in error.sentence
    assert server.connections == 0


async def certificate_error(context: ssl.SSLContext, url: str = "https://127.0.0.1:{}") -> BackendError:
    async with KaiServer(context) as server:
        waits: list[Waiting | None] = []
        error = await failing(url.format(server.port), waits=waits)
        assert (server.seen, waits) == ([], [])
    assert (type(error), error.code, error.delivery) == (CannotConnect, "tls", "not-sent")
    return error


async def test_an_expired_certificate(authority: Authority, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    old = datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC)
    error = await certificate_error(
        authority.server("127.0.0.1", not_before=old, not_after=old.replace(month=5))
    )
    assert "certificate expired on 2 May 2020. Check this computer's clock" in error.sentence


async def test_a_certificate_of_tomorrow(authority: Authority, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    later = datetime.datetime(2060, 1, 2, tzinfo=datetime.UTC)
    error = await certificate_error(
        authority.server("127.0.0.1", not_before=later, not_after=later.replace(month=5))
    )
    assert "certificate is not valid before 2 January 2060" in error.sentence


async def test_a_certificate_for_another_name(authority: Authority, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    error = await certificate_error(
        authority.server("login.corp.example", "b.example"), "https://localhost:{}"
    )
    assert "certificate is for login.corp.example, b.example, not for localhost:" in error.sentence
    assert "Check the address" in error.sentence


async def test_a_self_signed_certificate(authority: Authority):
    error = await certificate_error(authority.itself())
    assert "certificate is self-signed: nobody but 127.0.0.1:" in error.sentence


async def test_hostile_names_in_a_certificate_stay_one_short_line(tmp_path: Path):
    hostile = Authority(tmp_path, "Corp\n\n" + "x" * 63)
    error = await certificate_error(hostile.server("127.0.0.1"))
    assert "\n" not in error.sentence
    assert len(error.sentence) < 350


async def test_tls_to_a_plain_port():
    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answers, "127.0.0.1", 0) as plain:
        port = plain.sockets[0].getsockname()[1]
        error = await failing(f"https://127.0.0.1:{port}")
        assert (type(error), error.code) == (CannotConnect, "tls")
        assert error.sentence == f"Secure connection failed: 127.0.0.1:{port} does not speak https there."


async def test_tls_to_a_plain_port_that_waits_for_more():
    async with KaiServer() as plain:
        error = await failing(plain.url.replace("http", "https"), Timeouts(connect=0.1, pauses=()))
        assert (type(error), error.code) == (CannotConnect, "timeout")
        assert error.sentence.startswith(f"No answer from 127.0.0.1:{plain.port} in 0.1 s.")
        assert plain.seen == []


def test_any_broken_certificate_is_only_unreadable(authority: Authority):
    whole = authority.certificate("a.example")
    found = certificates.read(whole)
    assert found is not None
    assert found.names == ("a.example",)
    assert found.issuer == "Corp Security & Co"
    for at in range(len(whole)):
        certificates.read(whole[:at])
        certificates.read(whole[:at] + b"\xff" + whole[at + 1 :])


# Whose certificates are believed


def test_the_system_is_asked_through_truststore_where_it_keeps_no_file(monkeypatch: pytest.MonkeyPatch):
    truststore = pytest.importorskip("truststore")
    for platform in ("darwin", "win32"):
        monkeypatch.setattr(sys, "platform", platform)
        assert isinstance(trust.trusted_context({}), truststore.SSLContext)


def test_where_truststore_does_not_work_certificates_are_still_checked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setitem(sys.modules, "truststore", None)
    context = trust.trusted_context({})
    assert type(context) is ssl.SSLContext
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_without_any_store_certifis_is_believed(monkeypatch: pytest.MonkeyPatch):
    nowhere = ssl.DefaultVerifyPaths(None, None, "SSL_CERT_FILE", "", "SSL_CERT_DIR", "")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)
    monkeypatch.setattr(trust, "_STORES", ("/no/such/store.pem",))
    assert trust.trusted_context({}).cert_store_stats()["x509_ca"] > 50


def test_a_store_in_another_systems_place_is_found(monkeypatch: pytest.MonkeyPatch, authority: Authority):
    nowhere = ssl.DefaultVerifyPaths(None, None, "SSL_CERT_FILE", "", "SSL_CERT_DIR", "")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)
    monkeypatch.setattr(trust, "_STORES", ("/no/such/store.pem", str(authority.pem)))
    assert trust.trusted_context({}).cert_store_stats()["x509_ca"] == 1


async def test_the_certificates_are_read_off_the_event_loop(
    server: KaiServer, monkeypatch: pytest.MonkeyPatch
):
    import threading

    main, seen = threading.get_ident(), []
    reading = trust.trusted_context

    def watched() -> ssl.SSLContext:
        seen.append(threading.get_ident())
        return reading()

    monkeypatch.setattr("kai_tui.backends.connections.trusted_context", watched)
    door = door_to(server.url)
    for _ in range(2):
        with pytest.raises(CannotConnect):
            await door.request("GET", "/x")
        await door.hang_up()
    assert len(seen) == 1
    assert main not in seen
    await door.aclose()
