"""Inputs in which secrets are sealed: they can be compared and written down, and nobody can read the secrets.

A secret is not only the value of a `#key` (keboola-tools.md §2): operations name the key in `path` and carry its value
beside it, variables of the vault have theirs in `default_value`, and models send objects as JSON text.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from kai_tui.conversation.json_text import BadJson, decode_json
from kai_tui.conversation.redact import MASK

_NAMES: Final = frozenset({"op", "path", "name", "key", "type", "position", "id"})
"""What an object says about itself beside a value."""
_POINTERS: Final = ("path", "name", "key")
_SEAL: Final = re.compile(re.escape(MASK) + "\0[0-9a-f]{64}")
_WRITTEN: Final = re.compile(re.escape(MASK) + r"(?:\0|\\u0000)[0-9a-f]{64}")
_DEEPEST: Final = 150


def hash_key(name: str) -> bool:
    """Whether a key, or a path of keys, is one of a secret: `#password`, `db.#password`."""
    return "#" in name


def sealed(value: Any, secret: Callable[[str], bool] = hash_key) -> Any:
    """A copy in which every secret in clear is a seal: equal for equal secrets only. `secret` tells by the name."""
    return _sealed(value, secret, 0)


def has_seal(value: Any) -> bool:
    """Whether a secret stood in what is sealed now."""
    if isinstance(value, Mapping):
        return any(has_seal(each) for each in cast("Mapping[str, Any]", value).values())
    if isinstance(value, list):
        return any(has_seal(each) for each in cast("list[Any]", value))
    return isinstance(value, str) and _SEAL.search(value) is not None


def seals_as_dots(text: str) -> str:
    """A sealed value as it was written as JSON, fit to be read."""
    return _WRITTEN.sub(MASK, text)


def _sealed(value: Any, secret: Callable[[str], bool], depth: int) -> Any:
    if depth > _DEEPEST:
        return _seal(value)
    if isinstance(value, Mapping):
        return _object(cast("Mapping[str, Any]", value), secret, depth)
    if isinstance(value, list):
        return [_sealed(each, secret, depth + 1) for each in cast("list[Any]", value)]
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            inner: Any = decode_json(value)
        except BadJson:
            return value
        return _seal(value) if has_seal(_sealed(inner, secret, depth + 1)) else value
    return value


def _object(value: Mapping[str, Any], secret: Callable[[str], bool], depth: int) -> dict[str, Any]:
    points = any(isinstance(name := value.get(each), str) and secret(name) for each in _POINTERS)
    vault = value.get("type") == "vault"
    found: dict[str, Any] = {}
    for key, item in value.items():
        hides = secret(key) or (points and key not in _NAMES) or (vault and key in ("value", "default_value"))
        found[key] = _seal(item) if hides and _in_clear(item) else _sealed(item, secret, depth + 1)
    return found


def _in_clear(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value) and not value.startswith("KBC::")
    return value is not None and value is not True and value is not False


def _seal(value: Any) -> str:
    try:
        text = json.dumps(value, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        text = "what has no JSON"
    return f"{MASK}\0{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"
