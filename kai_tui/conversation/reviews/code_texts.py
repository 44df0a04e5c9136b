"""Which texts of an input are code, by the names they stand under."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

_LANGUAGES: Final[Mapping[str, str]] = {
    "sql": "sql",
    "sql_query": "sql",
    "query": "sql",
    "queries": "sql",
    "script": "sql",
    "source_code": "python",
    "code": "python",
}
_LAST: Final = re.compile(r"""([^.\[\]"]+)"?\]?(?:\[\d+\])*$""")
_SQL: Final = re.compile(
    r"(?i)\s*+(?:--|/\*|//|(?:select|with|insert|create|alter|drop|delete|update|merge|truncate|use|set|begin|declare|call)\b)"
)
_PYTHON: Final = re.compile(
    r"(?m)^[ \t]*+(?:import \w|from \w[\w.]* import|def \w+\(|class \w+[(:]|@\w+|if __name__)"
)
_DEEPEST: Final = 100


def language_of(path: str, text: str = "") -> str:
    """`sql`, `python` or nothing, for the text at a path like `blocks[0].codes[1].script`."""
    match = _LAST.search(path[-200:])
    named = _LANGUAGES.get(match[1].lower(), "") if match else ""
    if not named or not text:
        return named
    if _PYTHON.search(text) and not _SQL.match(text):
        return "python"
    return "sql" if _SQL.match(text) else named


def sql_texts(value: Any, key: str = "", depth: int = 0) -> Iterator[str]:
    """Every text below a value that is SQL, by its name or by how it begins."""
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        if (_SQL.match(value) and not _PYTHON.search(value)) or (
            language_of(key) == "sql" and not _PYTHON.search(value)
        ):
            yield value
    elif isinstance(value, Mapping):
        for name, item in cast("Mapping[Any, Any]", value).items():
            yield from sql_texts(item, str(name), depth + 1)
    elif isinstance(value, list | tuple):
        items = cast("Sequence[Any]", value)
        if key.lower() == "script" and items and all(isinstance(item, str) for item in items):
            yield "\n".join(_ended(item) for item in items)
        else:
            for item in items:
                yield from sql_texts(item, key, depth + 1)


def _ended(statement: str) -> str:
    return statement if statement.rstrip().endswith(";") else f"{statement.rstrip()};"


def script_text(script: Any) -> str:
    """A code's script as one text; the Storage API keeps it as a list of statements."""
    if isinstance(script, list | tuple):
        return "\n\n".join(
            item if isinstance(item, str) else repr(item) for item in cast("Sequence[Any]", script)
        )
    return script if isinstance(script, str) else ""
