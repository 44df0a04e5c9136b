"""The line being written, shown as it will look: marks that are open are closed for the eye.

Without this every bold word flashes its asterisks, and every link its address, until it is complete.
What may still become something else is held back: the end of a mark, an address, half an entity.
"""

from __future__ import annotations

import re

_LINK = re.compile(
    r"""!?\[[^\[\]]{0,200}
    (?:\](?:\((?:[^()\s]|\([^()\s]{0,200}+\)?+){0,2000}+      # an address, perhaps with brackets in it
    (?:\s++(?:"[^"]{0,200}+"?+|'[^']{0,200}+'?+)?+\s*+)?+)?+)?$   # and a title
    | (?:^|(?<=\s))!$ | <https?:[^<>\s]{0,2000}$ | <h?t?t?p?s?$""",
    re.VERBOSE,
)
_TASK = re.compile(r"^\s*(?:[-*+]|\d{1,9}[.)])\s+$")
_BOX = re.compile(r"\[[ xX]?\]?")
_LATE = re.compile(r"(?:(?:&#?\w{0,10}+)+|(?<!\\)\\)$")
"""Half an entity, or a backslash that may escape what comes."""
_ONLY_MARKS = re.compile(r"[ \t]*+(?:[-=*+_~`#>|:]+|\d{1,9}[.)]|[-*+][ \t]+\[[ xX]?\]?)?[ \t]*")
_ROUNDS = 8
"""How often the end of a line is looked at anew; more is nothing anybody writes."""
_RUN = re.compile(r"`+|\*+|_+|~~+|\\.")


def closed(source: str) -> str:
    """`source` with its last line's open marks closed; the rest as it is."""
    head, end, line = source.rpartition("\n")
    if not line.strip():
        # A backslash there would be a line break, and is nothing to see.
        return source[: -len(line) - 2] + "\n" if source.endswith("\\\n" + line) else source
    shown = _closed_line(line)
    if shown != line and _ONLY_MARKS.fullmatch(shown):
        # What is left would be read as something else: `- ` under a paragraph makes it a heading.
        return head + end
    return head + end + shown


def _closed_line(line: str) -> str:
    link = _LINK.search(line)
    if link is not None and not _is_box(line, link):
        line = line[: link.start()]
    marks: list[str] = []
    for _ in range(_ROUNDS):
        found = _open_marks(line)
        if found is None:
            line = line[: line.rindex("`")].rstrip("`")
            continue
        marks, at = found
        if marks and marks[-1].startswith("`"):
            return _closed_code(line, marks, at)
        late = _LATE.search(line)
        if late is None:
            break
        line = line[: late.start()]
    bare = line.rstrip("*_~")
    if bare != line:
        run = line[len(bare) :]
        if not bare or bare[-1] in " \t(" or not marks:
            # The beginning of a mark, if of anything.
            if not bare or bare[-1] in " \t(":
                line = bare
        elif any(mark[0] == run[0] for mark in marks):
            line = bare
        found = _open_marks(line)
        marks = found[0] if found is not None else []
    if not marks:
        return line
    stripped = line.rstrip()
    return stripped + _ends(marks)


def _closed_code(line: str, marks: list[str], at: int) -> str:
    """In code everything is itself, but its end may be half there; empty code is nothing yet."""
    bare = line.rstrip("`") if len(line.rstrip("`")) >= at + len(marks[-1]) else line
    if not bare[at:].strip("`"):
        return line[:at].rstrip() + _ends(marks[:-1])
    return bare + _ends(marks)


def _is_box(line: str, link: re.Match[str]) -> bool:
    return _BOX.fullmatch(link[0]) is not None and _TASK.match(line[: link.start()]) is not None


def _ends(marks: list[str]) -> str:
    return "".join(reversed(marks))


def _open_marks(line: str) -> tuple[list[str], int] | None:
    """The marks that are open at the end, and where the last one begins; None: a lone backtick ends the line."""
    marks: list[tuple[str, int]] = []
    position = 0
    while (match := _RUN.search(line, position)) is not None:
        run, start, end = match[0], match.start(), match.end()
        position = end
        if run[0] == "\\":
            continue
        before = line[start - 1] if start else " "
        after = line[end] if end < len(line) else " "
        if run[0] == "`":
            if end == len(line):
                return None
            close = _code_end(line, run, end)
            if close < 0:
                return [*(mark for mark, _ in marks), run], start
            position = close
            continue
        word_before, word_after = before.isalnum(), after.isalnum()
        closes = not before.isspace() and (run[0] != "_" or not word_after)
        opens = not after.isspace() and not word_before
        if closes:
            left = len(run)
            while left and any(mark[0] == run[0] for mark, _ in marks):
                while marks[-1][0][0] != run[0]:
                    marks.pop()
                mark, at = marks.pop()
                if len(mark) > left:
                    marks.append((mark[: len(mark) - left], at))
                    left = 0
                else:
                    left -= len(mark)
            if left < len(run):
                continue
        if opens and end < len(line):
            marks.append((run, start))
    return [mark for mark, _ in marks], marks[-1][1] if marks else -1


def _code_end(line: str, run: str, start: int) -> int:
    """Where the code that `run` opens is over; -1 when it is not."""
    for match in re.compile("`+").finditer(line, start):
        if match[0] == run:
            return match.end()
    return -1
