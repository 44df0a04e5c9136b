"""Where an address really leads, read as browsers read it, and what about it misleads (rule D6)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from itertools import islice
from typing import Final
from urllib.parse import unquote

_START: Final = re.compile(r":[/\\]{2}")
_SLOPPY_START: Final = re.compile(r"(?i)(?<![a-z0-9+.-])(?:https?|wss?|ftp):[/\\](?![/\\])")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,31}\Z")
_AUTHORITY_END: Final = re.compile(r"""[/\\?#\s"<>`]""")
_SHARE: Final = re.compile(r"""(?:^|(?<=[\s"'=(]))\\\\[^\s\\"']+""")
_LOOSE_END: Final = "'),.;]}>|!*"
_DOTS: Final = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})
_IGNORED_IN_HOSTS: Final = re.compile("[\xad\u034f\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff\u180b-\u180f]")
_LONGEST_AUTHORITY: Final = 2_000
_PARTS_OF_IP: Final = 4
MAX_ADDRESSES: Final = 2_000
"""More in one text are not looked at; who shows them says so."""


@dataclass(frozen=True, slots=True)
class WebAddress:
    """One address found in a text. Its texts are raw: they pass `safe_exact` before they are shown."""

    scheme: str
    written_host: str
    """As it stands in the text."""
    host: str
    """As it is looked up: lower case, other scripts as punycode, numbers as a dotted IP address."""
    reads_as: str
    """The host with punycode decoded; equal to `host` for plain names."""
    port: str = ""
    user: str = ""
    """What stands before an @."""
    tricks: tuple[str, ...] = field(default=())
    """What misleads, each one of: `user`, `backslash`, `punycode`, `letters`, `number`, `percent`, `slashes`."""


def addresses_in(text: str) -> list[WebAddress]:
    """The addresses with a host in `text`, in order, at most MAX_ADDRESSES. Never raises."""
    found: list[tuple[int, WebAddress]] = []
    for match in islice(_START.finditer(text), MAX_ADDRESSES):
        scheme = _SCHEME.search(text, max(0, match.start() - 32), match.start())
        if scheme is not None:
            slashes = ("backslash",) if "\\" in match.group() else ()
            found.append((match.start(), _parsed(scheme.group(), text, match.end(), slashes)))
    for match in islice(_SLOPPY_START.finditer(text), MAX_ADDRESSES):
        scheme_name = match.group().partition(":")[0]
        found.append((match.start(), _parsed(scheme_name, text, match.end(), ("slashes",))))
    found.sort(key=lambda pair: pair[0])
    return [address for _, address in found if address.written_host][:MAX_ADDRESSES]


def shares_in(text: str) -> list[str]:
    r"""Windows network paths (`\\host\share`): opening one hands the user's password hash to the host."""
    return [match.group() for match in islice(_SHARE.finditer(text), MAX_ADDRESSES)] if "\\\\" in text else []


def _parsed(scheme: str, text: str, start: int, tricks: tuple[str, ...]) -> WebAddress:
    while start < len(text) and text[start] in "/\\":
        start += 1
    limit = min(len(text), start + _LONGEST_AUTHORITY)
    end_match = _AUTHORITY_END.search(text, start, limit)
    end = end_match.start() if end_match is not None else limit
    authority = text[start:end]
    names = list(tricks)
    if text[end : end + 1] == "\\":
        names.append("backslash")
    user, at, rest = authority.rpartition("@")
    if at:
        names.append("user")
    host, port = _host_and_port(rest if user or at else authority.rstrip(_LOOSE_END))
    looked_up, reads_as, more = _looked_up(host.rstrip(_LOOSE_END) if not host.startswith("[") else host)
    return WebAddress(
        scheme=scheme.lower(),
        written_host=host,
        host=looked_up,
        reads_as=reads_as,
        port=port,
        user=user,
        tricks=tuple(dict.fromkeys((*names, *more))),
    )


def _host_and_port(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, bracket, rest = text.partition("]")
        return host + bracket, rest.lstrip(":")
    host, _, port = text.partition(":")
    return host, port


def _looked_up(written: str) -> tuple[str, str, list[str]]:
    """The host as looked up, as it reads, and what misleads about it."""
    tricks: list[str] = []
    host = written
    if "%" in host:
        tricks.append("percent")
        host = unquote(host)
    if not host.isascii():
        tricks.append("letters")
        host = unicodedata.normalize("NFKC", _IGNORED_IN_HOSTS.sub("", host)).translate(_DOTS)
    host = host.lower().rstrip(".")
    number = _dotted(host)
    if number is not None:
        return number, number, [*tricks, "number"] if number != host else tricks
    labels = host.split(".")
    ascii_host = ".".join(map(_to_ascii, labels))
    reads_as = ".".join(map(_to_unicode, labels))
    if any(label.startswith("xn--") for label in labels):
        tricks.append("punycode")
    return ascii_host, reads_as, tricks


def _to_ascii(label: str) -> str:
    if label.isascii():
        return label
    try:
        return "xn--" + label.encode("punycode").decode("ascii")
    except UnicodeError:
        return label


def _to_unicode(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return label


def _dotted(host: str) -> str | None:
    """An IPv4 address in any form browsers take (2130706433, 0x7f.1, 0177.0.0.1), as four numbers."""
    parts = host.split(".")
    if not 1 <= len(parts) <= _PARTS_OF_IP:
        return None
    numbers = [_number(part) for part in parts]
    if any(number is None for number in numbers):
        return None
    values = [number for number in numbers if number is not None]
    if any(value > 255 for value in values[:-1]) or values[-1] >= 256 ** (5 - len(values)):
        return None
    total = values[-1]
    for place, value in enumerate(values[:-1]):
        total += value << (8 * (3 - place))
    return ".".join(str(total >> shift & 255) for shift in (24, 16, 8, 0))


def _number(text: str) -> int | None:
    if not text.isascii() or len(text) > 40:
        return None
    try:
        if text.startswith(("0x", "0X")):
            return int(text[2:] or "0", 16)
        if len(text) > 1 and text.startswith("0") and text.isdigit():
            return int(text, 8)
        return int(text) if text.isdigit() else None
    except ValueError:
        return None
