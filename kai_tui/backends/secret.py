"""A value that must not be seen: never in a repr, a log line, a traceback or a pickle (C5)."""

from __future__ import annotations

from typing import NoReturn

_MASK = "••••••••"


class Secret:
    """Holds a token. Only `reveal` gives it away, and only the HTTP door and the keyring call that.

    Comparing takes the same time whatever the values are.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The value itself."""
        return self.__value

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        from hmac import compare_digest

        mine, theirs = (secret.reveal().encode("utf-8", "surrogatepass") for secret in (self, other))
        return compare_digest(mine, theirs)

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __repr__(self) -> str:
        return f"Secret('{_MASK}')"

    def __str__(self) -> str:
        return _MASK

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret cannot be pickled")


class SecretLine(Secret):
    """A whole header value that is secret: unlike a token it may have spaces in it."""

    __slots__ = ()
