"""SQL laid out anew, for reading: line ends and indents differ, nothing else.

sqlparse does the work. What it made is compared with what it got before anybody sees it: every string,
quoted name and comment must be there as it was, and the rest token for token. SQL dialects do not agree
on what a string or a comment is, so the comparison is made in every reading the text allows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import product

LONGEST = 200_000
"""Characters; more takes seconds, and nobody reads it."""
LANGUAGES = frozenset(
    {"sql", "mysql", "postgresql", "postgres", "psql", "plpgsql", "plsql", "tsql", "sqlite", "sqlite3",
     "snowflake", "bigquery", "redshift", "duckdb", "mariadb", "oracle", "hive", "sparksql"}
)  # fmt: skip

_BEGINS = re.compile(
    r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*(?:SELECT|WITH|INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|ALTER\s+TABLE|"
    r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:TABLE|VIEW|TEMP))\b",
    re.IGNORECASE | re.DOTALL,
)


class NotLaidOut(Exception):
    """Why it stays as it is, a sentence."""


def is_sql(code: str, language: str) -> bool:
    """Whether a block is SQL: its label says so, or it has none and begins like it."""
    return language.lower() in LANGUAGES if language else _BEGINS.match(code) is not None


def laid_out(code: str) -> str:
    """The same statements with a line for each clause.

    Takes about 0.1 s for 5,000 characters.

    Raises:
        NotLaidOut: it is too long, cannot be read, or would come out changed.
    """
    if len(code) > LONGEST:
        raise NotLaidOut("This SQL is too long to be laid out.")
    import sqlparse
    from sqlparse.exceptions import SQLParseError

    try:
        made = str(sqlparse.format(code, reindent=True)).strip("\n")
    except (SQLParseError, RecursionError, ValueError) as error:
        raise NotLaidOut("This SQL could not be read, so it stays as it is.") from error
    if not same_tokens(code, made):
        raise NotLaidOut("Laid out, this SQL would not be the same any more, so it stays as it is.")
    return made


def same_tokens(one: str, other: str) -> bool:
    """Whether two texts differ in nothing but the white space between tokens, in whichever dialect."""
    both = one + other
    readings = product(
        (False, True) if "\\" in both else (False,),
        (False, True) if "#" in both else (False,),
        (False, True) if "--" in both else (False,),
        (False, True) if "[" in both else (False,),
        (False, True) if "'''" in both or '"""' in both else (False,),
    )
    return all(_tokens(one, *reading) == _tokens(other, *reading) for reading in readings)


@lru_cache(maxsize=32)
def _pattern(backslash: bool, hashes: bool, spaced: bool, brackets: bool, triple: bool) -> re.Pattern[str]:
    inside = r"(?:\\.|{0}{0}|[^{0}\\])*+" if backslash else r"(?:{0}{0}|[^{0}])*+"
    whole = [r"/\*.*?(?:\*/|$)", r"\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)"]
    if triple:
        whole += [r"'''.*?(?:'''|\Z)", r'""".*?(?:"""|\Z)']
    whole += [f"{quote}{inside.format(quote)}(?:{quote}|\\Z)" for quote in ("'", '"', "`")]
    # MySQL reads `5--3` as 5 minus -3.
    whole.append(r"--(?=\s|\Z)[^\n]*" if spaced else r"--[^\n]*")
    if hashes:
        whole.append(r"\#[^\n]*")
    if brackets:
        whole.append(r"\[[^\]]*(?:\]|\Z)")
    return re.compile(rf"(?P<kept>{'|'.join(whole)})|(?P<plain>\w+|[<>=!|&^%:~@?+\-*/]+|\S)", re.DOTALL)


def _tokens(text: str, *reading: bool) -> list[str]:
    return list(_read(text, _pattern(*reading)))


def _read(text: str, pattern: re.Pattern[str]) -> Iterator[str]:
    for match in pattern.finditer(text):
        kept = match["kept"]
        # White space at the end of a line comment means nothing.
        yield match["plain"] if kept is None else kept.rstrip() if kept[:1] in "-#" else kept
