"""Why a certificate is not believed, in words (reliability.md §3): who signed it, until when, for which names.

Python does not tell whose certificate it refused. So it is fetched once more over a connection that
believes anything, on which not a byte is sent after the handshake.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpcore

from kai_tui.backends.base import CannotConnect
from kai_tui.backends.failures import TRANSPORT_ERRORS
from kai_tui.backends.network import Network
from kai_tui.backends.refusals import one_line
from kai_tui.backends.trust import FILE_VARIABLE, FOLDER_VARIABLE

_FETCH_SECONDS: Final = 5.0
_ORGANISATION, _COMMON_NAME, _ALT_NAMES = b"\x55\x04\x0a", b"\x55\x04\x03", b"\x55\x1d\x11"
_TEXTS: Final[Mapping[int, str]] = {
    0x0C: "utf-8",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}

# Codes of OpenSSL, of Windows' CryptoAPI, of macOS' Security framework.
_EXPIRED: Final = frozenset({10, 0x800B0101, 0x800B0101 - (1 << 32), -67818})
_TOO_EARLY: Final = frozenset({9})
_OTHER_NAME: Final = frozenset({62, 64, 0x800B010F, 0x800B010F - (1 << 32), -67602})
_SELF_SIGNED: Final = frozenset({18})
_UNKNOWN_ISSUER: Final = frozenset(
    {2, 18, 19, 20, 21, 0x800B0109, 0x800B0109 - (1 << 32), 0x800B010A, 0x800B010A - (1 << 32), -67843}
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a person needs of a certificate; foreign text, raw."""

    issuer: str
    subject: str
    self_signed: bool
    begins: datetime
    ends: datetime
    names: tuple[str, ...]


async def fetch(network: Network, host: str, port: int) -> Certificate | None:
    """The certificate a server shows, believed or not; None when it cannot be had. Takes 5 s at most."""
    anything = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anything.check_hostname = False
    anything.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(_FETCH_SECONDS):
            plain = await network.connect_tcp(host, port)
            secured = await plain.start_tls(anything, host)
            try:
                found = secured.get_extra_info("ssl_object").getpeercert(True)
            finally:
                await secured.aclose()
    except (*TRANSPORT_ERRORS, httpcore.NetworkError, httpcore.TimeoutException, CannotConnect):
        return None
    return read(found or b"")


def untrusted(
    error: ssl.SSLCertVerificationError,
    host: str,
    certificate: Certificate | None,
    environ: Mapping[str, str] = os.environ,
) -> CannotConnect:
    """The error for a certificate that was refused."""
    return CannotConnect(
        f"Secure connection failed: {_why(error, host, certificate, environ)}",
        code="tls",
        detail=one_line(error.verify_message or "") or None,
    )


def _why(
    error: ssl.SSLCertVerificationError,
    host: str,
    found: Certificate | None,
    environ: Mapping[str, str],
) -> str:
    code = error.verify_code
    if code in _EXPIRED or code in _TOO_EARLY:
        clock = "Check this computer's clock; if it is right, the server needs a new certificate."
        if found is not None and code in _TOO_EARLY and found.begins > datetime.now(UTC):
            return f"{host}'s certificate is not valid before {_day(found.begins)}. {clock}"
        if found is not None and code in _EXPIRED and found.ends < datetime.now(UTC):
            return f"{host}'s certificate expired on {_day(found.ends)}. {clock}"
        state = "has expired" if code in _EXPIRED else "is not valid yet"
        return f"{host}'s certificate, or one it depends on, {state}. {clock}"
    if code in _OTHER_NAME:
        names = ", ".join(one_line(name, 60) for name in found.names[:3]) if found is not None else ""
        made_for = f"for {names}" if names else "for another name"
        return (
            f"{host}'s certificate is {made_for}, not for {host}. Check the address; a login page or a proxy "
            f"may be answering in its place."
        )
    if code in _SELF_SIGNED or (code in _UNKNOWN_ISSUER and found is not None and found.self_signed):
        return (
            f"{host}'s certificate is self-signed: nobody but {host} vouches for it. If that is your own server, "
            f"set {FILE_VARIABLE} to its certificate."
        )
    if code in _UNKNOWN_ISSUER:
        return _unknown_issuer(host, found.issuer if found is not None else "", environ)
    return f"{host}'s certificate is not valid: {one_line(error.verify_message or 'no reason given')}."


def _unknown_issuer(host: str, issuer: str, environ: Mapping[str, str]) -> str:
    signed = f"is signed by {one_line(issuer, 80)}" if issuer else "is signed by somebody"
    if environ.get(FILE_VARIABLE):
        return (
            f"{host}'s certificate {signed}, who is not in the file {FILE_VARIABLE} names. "
            f"In a company network ask for its root certificate and add it there."
        )
    if environ.get(FOLDER_VARIABLE):
        return (
            f"{host}'s certificate {signed}, who is not in the folder {FOLDER_VARIABLE} names. "
            f"Files in it need hashed names (openssl rehash); or set {FILE_VARIABLE}."
        )
    return (
        f"{host}'s certificate {signed}, which this computer does not know. "
        f"In a company network ask for its root certificate and set {FILE_VARIABLE}."
    )


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


# Reading DER, as much as is needed (RFC 5280 §4.1)


def read(der: bytes) -> Certificate | None:
    """What a certificate says; None for what cannot be read."""
    try:
        ((_, whole),) = _items(der)
        body = next(_items(whole))[1]
        fields = [item for item in _items(body) if item[0] != 0xA0]  # without the version
        issuer, validity, subject = fields[2][1], fields[3][1], fields[4][1]
        begins, ends = (_moment(tag, value) for tag, value in _items(validity))
        extensions = next((value for tag, value in fields if tag == 0xA3), b"")
        return Certificate(
            _name(issuer),
            _name(subject),
            issuer == subject,
            begins,
            ends,
            tuple(_alternative_names(extensions)),
        )
    except (ValueError, IndexError, StopIteration):
        return None


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        if at + length > len(data):
            raise ValueError
        yield tag, data[at : at + length]
        at += length


def _name(data: bytes) -> str:
    """Common name, and the organisation when that says more."""
    found: dict[bytes, str] = {}
    for _, group in _items(data):
        for _, pair in _items(group):
            (_, kind), (tag, value) = _items(pair)
            found.setdefault(kind, value.decode(_TEXTS.get(tag, "latin-1"), "replace"))
    common, organisation = found.get(_COMMON_NAME, ""), found.get(_ORGANISATION, "")
    if common and organisation and organisation not in common:
        return f"{common} ({organisation})"
    return common or organisation


def _moment(tag: int, value: bytes) -> datetime:
    text = value.decode("ascii")
    if tag == 0x17:  # two digits of the year
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _alternative_names(extensions: bytes) -> Iterator[str]:
    for _, row in _items(extensions):
        for _, extension in _items(row):
            parts = [value for _, value in _items(extension)]
            if parts[0] == _ALT_NAMES:
                for _, names in _items(parts[-1]):
                    yield from (value.decode("latin-1") for tag, value in _items(names) if tag == 0x82)
