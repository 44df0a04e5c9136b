"""Tokens as entries of the system keyring. Blocking: called in a thread only (C1-C3).

A long token is split, because Windows takes 1,280 characters per entry: the numbered parts first,
the first entry, which names their number, last. So a half-written token is never read as a whole one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TypeVar, cast

from kai_tui.storage.credential_errors import CredentialsUnavailable

T = TypeVar("T")

ENTRY_CHARACTERS = 1200
_PART = 1100
_MOST_PARTS = 20
_MARK = "kai-tui-parts:"

ALLOWED_MODULES = (
    "keyring.backends.macOS",
    "keyring.backends.Windows",
    "keyring.backends.SecretService",
    "keyring.backends.kwallet",
    "keyring.backends.libsecret",
)
"""Backends that ask the operating system. Others write plain files or nothing at all (T16)."""
_CHAINER = "keyring.backends.chainer"
_USER = "token"


class _Keyring(Protocol):
    """What we use of `keyring.backend.KeyringBackend`, which is not typed."""

    def get_password(self, service: str, username: str) -> str | None: ...
    def set_password(self, service: str, username: str, password: str) -> None: ...
    def delete_password(self, service: str, username: str) -> None: ...


def read(account_id: str) -> str | None:
    """The token, or None. Raises CredentialsUnavailable."""
    return _spoken(lambda: _read(_backend(), account_id))


def write(account_id: str, token: str, wanted: Callable[[], bool]) -> None:
    """Keep a token and make sure that it can be read again. Raises CredentialsUnavailable.

    `wanted` is asked at the end: the caller may have given up on a slow keyring meanwhile, and the
    user may have chosen not to keep the token at all.
    """

    def work() -> None:
        backend = _backend()
        parts = _parts(token)
        for number in range(len(parts) - 1, -1, -1):
            backend.set_password(_service(account_id, number), _USER, parts[number])
        if _read(backend, account_id) != token:
            with suppress(Exception):
                _remove(backend, account_id)
            raise CredentialsUnavailable(
                "Your keyring said that it kept the token, but does not give it back."
            )
        with suppress(Exception):
            _remove(backend, account_id, start=len(parts))  # of a longer token before
        if not wanted():
            _remove(backend, account_id)

    _spoken(work)


def _parts(token: str) -> list[str]:
    if len(token) <= ENTRY_CHARACTERS and not token.startswith(_MARK):
        return [token]
    parts = [token[start : start + _PART] for start in range(0, len(token), _PART)]
    if len(parts) > _MOST_PARTS:
        raise CredentialsUnavailable("The token is too long to be kept.")
    parts[0] = f"{_MARK}{len(parts)}:{_digest(token)}:{parts[0]}"
    return parts


def remove(account_id: str) -> None:
    """Remove every part; fine when there is none. Raises CredentialsUnavailable."""
    _spoken(lambda: _remove(_backend(), account_id))


def _read(backend: _Keyring, account_id: str) -> str | None:
    first = backend.get_password(_service(account_id, 0), _USER)
    if first is None or not first.startswith(_MARK):
        return first
    count, _, rest = first.removeprefix(_MARK).partition(":")
    digest, _, token = rest.partition(":")
    if not (count.isascii() and count.isdecimal()) or not 1 <= int(count) <= _MOST_PARTS:
        return None
    for number in range(1, int(count)):
        token += backend.get_password(_service(account_id, number), _USER) or ""
    # A part of an older token, left by a crash while writing: as good as none, sign in again.
    return token if _digest(token) == digest else None


def _remove(backend: _Keyring, account_id: str, start: int = 0) -> None:
    from keyring.errors import PasswordDeleteError

    for number in range(start, _MOST_PARTS):
        try:
            backend.delete_password(_service(account_id, number), _USER)
        except PasswordDeleteError:
            # "Not there" and "not allowed" look the same.
            if backend.get_password(_service(account_id, number), _USER) is not None:
                raise
            if number > 0:
                return


def _service(account_id: str, number: int) -> str:
    """One name per entry: on Windows the user name alone does not tell entries apart reliably."""
    return f"kai-tui:{account_id}" if number == 0 else f"kai-tui:{account_id}#{number + 1}"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _backend() -> _Keyring:
    """The keyring to use. Raises CredentialsUnavailable."""
    import keyring

    try:
        chosen = keyring.get_keyring()
    except (ImportError, AttributeError, ValueError, RuntimeError) as error:
        # A wrong PYTHON_KEYRING_BACKEND or keyringrc.cfg.
        raise CredentialsUnavailable(f"The configured keyring cannot be loaded ({error}).", "none") from error
    candidates: list[Any] = [chosen]
    if type(chosen).__module__ == _CHAINER:
        # A chain may write to a plain file: take its best allowed link instead.
        candidates = list(cast(Any, chosen).backends)
    for candidate in candidates:
        if type(candidate).__module__ in ALLOWED_MODULES and candidate.priority >= 1:
            return cast(_Keyring, candidate)
    name = f"{type(chosen).__module__}.{type(chosen).__qualname__}"
    if name.startswith(("keyring.backends.fail.", _CHAINER)):
        raise CredentialsUnavailable("This system has no keyring that could keep the token.", "none")
    raise CredentialsUnavailable(
        f"The keyring configured here ({name}) is not one that kai-tui trusts.", "refused"
    )


def _spoken(work: Callable[[], T]) -> T:
    """Whatever a keyring raises becomes a sentence; it must not hold the token."""
    try:
        return work()
    except CredentialsUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - D-Bus, COM and macOS errors share no base class
        from keyring.errors import KeyringLocked, NoKeyringError

        if isinstance(error, KeyringLocked):
            raise CredentialsUnavailable(
                "Your keyring is locked. Unlock it and try again.", "locked"
            ) from None
        if isinstance(error, NoKeyringError):
            raise CredentialsUnavailable(
                "This system has no keyring that could keep the token.", "none"
            ) from None
        raise CredentialsUnavailable(f"Your keyring failed ({type(error).__name__}).") from None
