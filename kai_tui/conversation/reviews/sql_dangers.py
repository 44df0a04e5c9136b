"""Statements in SQL that take something away: DROP, TRUNCATE, DELETE, UPDATE of every row, overwriting.

Comments, texts and quoted names count for nothing. Dialects disagree about where those end: whether a backslash
escapes a quote, whether `#` and `//` begin a comment. Each text is therefore read in every way; what is found in
all of them is said plainly, what only some dialects see is said with a "may".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice, product
from typing import Final, NamedTuple

_LOOKED_FOR: Final = re.compile(r"(?i)drop|truncate|delete|update|overwrite|immediate")
_REST: Final = r"""|/\*|'{3}|"{3}|\$\$|[^\W\d][\w$]*|\S"""
_TOKEN: Final = re.compile(r"--[^\n]*" + _REST)
_TOKEN_OR_HASH: Final = re.compile(r"--[^\n]*|\#[^\n]*|//[^\n]*" + _REST)
_HASHES: Final = ("#", "//")
_TRIPLE: Final = ("'''", '"""')
_ENDS: Final[Mapping[str, re.Pattern[str]]] = {
    "/*": re.compile(r"(?s).*?\*/"),
    "$$": re.compile(r"(?s).*?\$\$"),
    "`": re.compile(r"[^`]*+`"),
    "'": re.compile(r"(?:[^']++|'')*+'"),
    '"': re.compile(r'(?:[^"]++|"")*+"'),
    "'''": re.compile(r"(?s).*?'{3}"),
    '"""': re.compile(r'(?s).*?"{3}'),
}
_ESCAPED_ENDS: Final[Mapping[str, re.Pattern[str]]] = {
    **_ENDS,
    "'": re.compile(r"(?s)(?:[^'\\]++|\\.|'')*+'"),
    '"': re.compile(r'(?s)(?:[^"\\]++|\\.|"")*+"'),
}
_MOST_LOOKS: Final = 100
_FARTHEST: Final = 10_000
"""How many tokens behind an UPDATE or DELETE its WHERE is looked for."""
_DROPPED: Final = frozenset(
    [
        "TABLE",
        "VIEW",
        "SCHEMA",
        "DATABASE",
        "COLUMN",
        "COLUMNS",
        "SEQUENCE",
        "STAGE",
        "FUNCTION",
        "PROCEDURE",
        "TASK",
        "STREAM",
        "PIPE",
        "ROLE",
        "USER",
        "WAREHOUSE",
        "INDEX",
        "CONSTRAINT",
        "PRIMARY",
        "PARTITION",
        "MATERIALIZED",
        "EXTERNAL",
        "TEMPORARY",
        "TRANSIENT",
        "DYNAMIC",
        "FILE",
        "TAG",
        "MASKING",
        "ROW",
        "SNAPSHOT",
        "CAPACITY",
        "MODEL",
        "ALL",
        "SEARCH",
    ]
)
_NOT_A_NAME: Final = frozenset(["IF", "EXISTS", "ONLY", "FROM", "INTO", "TABLE"])
_ALWAYS_TRUE: Final = re.compile(
    r"(?i)^(?:\(*\s*)(?:true|(\d+)\s*=\s*\1|'([^']*)'\s*=\s*'\2'|not\s+false)(?:\s*\)*)$"
)
_DANGEROUS: Final = frozenset(["DROP", "TRUNCATE", "DELETE", "UPDATE", "OVERWRITE", "EXECUTE"])
_MOST: Final = 200_000
"""Longest SQL, in characters, that is looked at."""


class _Token(NamedTuple):
    text: str
    depth: int
    word: str = ""
    """In capitals; empty where it is no word."""
    is_name: bool = False


@lru_cache(maxsize=64)
def sql_dangers(sql: str) -> tuple[str, ...]:
    """Sentences about what the SQL takes away, in the order of the text. Empty when nothing was found."""
    if len(sql) > _MOST:
        return (f"The SQL is too long to be looked through ({len(sql):,} characters).",)
    if _LOOKED_FOR.search(sql) is None:
        return ()
    escapes = (False, True) if "\\" in sql or any(each in sql for each in _TRIPLE) else (False,)
    hashes = (False, True) if any(each in sql for each in _HASHES) else (False,)
    found = [dict.fromkeys(_dangers(sql, *how)) for how in product(escapes, hashes)]
    said: dict[str, None] = {}
    for sentence in dict.fromkeys(sentence for each in found for sentence in each):
        sure = all(sentence in each for each in found)
        said[
            sentence
            if sure
            else f"May be more than a comment or a text, depending on the database: {sentence}"
        ] = None
    return tuple(said)


def _dangers(sql: str, escapes: bool, hashes: bool) -> Iterator[str]:
    looks = 0
    for statement in _statements(sql, escapes, hashes):
        for at, token in enumerate(statement):
            if token.word in _DANGEROUS:
                looks += 1
                if looks > _MOST_LOOKS:
                    yield "There is more of this kind than is listed here."
                    return
                sentence = _danger(statement, at)
                if sentence:
                    yield sentence


def _statements(sql: str, escapes: bool, hashes: bool) -> Iterator[list[_Token]]:
    """The tokens of each statement. What is opened and never closed counts as not opened."""
    ends = _ESCAPED_ENDS if escapes else _ENDS
    never_closed: set[str] = set()
    statement: list[_Token] = []
    depth = at = 0
    token = _TOKEN_OR_HASH if hashes else _TOKEN
    while match := token.search(sql, at):
        text, at = match[0], match.end()
        if text.startswith("--") or (hashes and text.startswith(_HASHES)):
            continue
        if text in _TRIPLE and not escapes:
            text, at = text[0], match.start() + 1
        if text in ends and text not in never_closed:
            end = ends[text].match(sql, at)
            if end is None:
                never_closed.add(text)
            else:
                at = end.end()
                if text != "/*":
                    statement.append(_Token(sql[match.start() : at], depth, is_name=True))
                continue
        if text == ";":
            yield statement
            statement, depth = [], 0
            continue
        if text == ")":
            depth = max(0, depth - 1)
        named = text[0].isalpha() or text[0] == "_"
        statement.append(_Token(text, depth, text.upper() if named else "", named))
        if text == "(":
            depth += 1
    yield statement


def _danger(statement: Sequence[_Token], at: int) -> str:
    word = statement[at].word
    after = statement[at + 1].word if at + 1 < len(statement) else ""
    before = statement[at - 1] if at else None
    if before is not None and before.text == ".":
        return ""
    first = statement[0].word
    if word == "DROP" and (at == 0 or after in _DROPPED or first == "ALTER"):
        return f"DROP {_object(statement, at + 1)}: gone once this SQL runs."
    if (
        word == "TRUNCATE"
        and _mark_after(statement, at) != "("
        and (at == 0 or after == "TABLE" or _starts(before))
    ):
        return f"TRUNCATE {_name(statement, at + 1)}: all of its rows are gone once this SQL runs."
    if word == "DELETE":
        return _delete(statement, at, before, after)
    if word == "UPDATE" and (at == 0 or _starts(before)) and after not in ("SET", ""):
        return _update(statement, at)
    if word == "OVERWRITE" and before is not None and before.word == "INSERT":
        return f"INSERT OVERWRITE {_name(statement, at + 1)}: its present rows are gone once this SQL runs."
    if word == "EXECUTE" and after == "IMMEDIATE":
        return "EXECUTE IMMEDIATE runs SQL that is put together while it runs."
    return ""


def _delete(statement: Sequence[_Token], at: int, before: _Token | None, after: str) -> str:
    if before is not None and before.word in ("ON", "FOR", "AFTER", "BEFORE"):
        return ""
    if before is not None and before.word == "THEN" and after != "FROM":
        return "MERGE deletes the rows that match."
    if not (at == 0 or after == "FROM" or _starts(before)):
        return ""
    name = _name(statement, at + 1)
    where = _where(statement, at)
    if where is None:
        return f"DELETE without WHERE: all rows of {name}."
    if _ALWAYS_TRUE.match(where):
        return f"DELETE with a WHERE that is always true: all rows of {name}."
    return f"DELETE: rows of {name}."


def _update(statement: Sequence[_Token], at: int) -> str:
    if not any(token.word == "SET" for token in islice(statement, at, at + _FARTHEST)):
        return ""
    where = _where(statement, at)
    name = _name(statement, at + 1)
    if where is None:
        return f"UPDATE without WHERE: all rows of {name}."
    if _ALWAYS_TRUE.match(where):
        return f"UPDATE with a WHERE that is always true: all rows of {name}."
    return ""


def _starts(before: _Token | None) -> bool:
    """Whether a statement can begin behind this token: blocks, conditions, the end of a WITH."""
    return before is not None and (
        before.text in (")", "{", "}")
        or before.word in ("BEGIN", "THEN", "ELSE", "DO", "LOOP", "EXPLAIN", "AS")
    )


def _where(statement: Sequence[_Token], at: int) -> str | None:
    """What stands behind the WHERE of the statement itself, not of a query inside it."""
    level = statement[at].depth
    for place in range(at + 1, min(len(statement), at + _FARTHEST)):
        if statement[place].word == "WHERE" and statement[place].depth == level:
            return " ".join(token.text for token in statement[place + 1 : place + 20])
        if statement[place].depth < level:
            break
    return None


def _mark_after(statement: Sequence[_Token], at: int) -> str:
    return statement[at + 1].text if at + 1 < len(statement) else ""


def _object(statement: Sequence[_Token], at: int) -> str:
    """`TABLE "a"."b"` of a DROP."""
    kinds: list[str] = []
    while at < len(statement) and statement[at].word in _DROPPED:
        kinds.append(statement[at].word)
        at += 1
    return " ".join([*kinds, _name(statement, at)])


def _name(statement: Sequence[_Token], at: int) -> str:
    """The name that begins here, with its dots and quotes."""
    while at < len(statement) and statement[at].word in _NOT_A_NAME:
        at += 1
    parts: list[str] = []
    while at < len(statement):
        token = statement[at]
        if not token.is_name and token.text not in (".", "-", "@", "{", "}", "$"):
            break
        if parts and token.is_name and statement[at - 1].is_name:
            break
        parts.append(token.text)
        at += 1
    return "".join(parts) or "something"
