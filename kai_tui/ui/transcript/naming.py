"""What blocks are called: when they are copied, in file names, and what can be done with them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kai_tui.conversation.sql_layout import LANGUAGES, is_sql

if TYPE_CHECKING:
    from kai_tui.ui.transcript.stops import Stop

_ENDINGS = {
    "python": "py", "py": "py", "python3": "py", "javascript": "js", "js": "js", "typescript": "ts", "ts": "ts",
    "jsx": "jsx", "tsx": "tsx", "json": "json", "json5": "json", "yaml": "yaml", "yml": "yaml", "toml": "toml",
    "bash": "sh", "sh": "sh", "shell": "sh", "zsh": "sh", "console": "txt", "html": "html", "css": "css",
    "xml": "xml", "csv": "csv", "tsv": "tsv", "r": "r", "go": "go", "rust": "rs", "java": "java", "c": "c",
    "cpp": "cpp", "c++": "cpp", "csharp": "cs", "ruby": "rb", "php": "php", "kotlin": "kt", "swift": "swift",
    "scala": "scala", "diff": "diff", "patch": "diff", "markdown": "md", "md": "md", "dockerfile": "dockerfile",
    "hcl": "tf", "terraform": "tf", "ini": "ini", "text": "txt", "txt": "txt", "jinja": "j2", "graphql": "graphql",
}  # fmt: skip
_STEMS = {
    "py": "script",
    "sh": "script",
    "js": "script",
    "ts": "script",
    "sql": "query",
    "json": "data",
    "csv": "data",
}
_LOOKED_AT = 500
"""Characters of a block without a label that tell what it is."""
_COMMENT = re.compile(r"\s*(?:--|#(?!!)|//|/\*+)\s*(.{1,80})")
_FILE = re.compile(r"(?:^|[\s:/\\\"'`])([\w-][\w.-]{0,60}\.[A-Za-z][A-Za-z0-9]{0,8})\b")
_WORDS = re.compile(r"[^\W_]+")

_WHAT = {
    "question": "question", "list": "list", "quote": "quote", "code": "code", "table": "table", "card": "tool call",
    "thought": "thought", "raw": "markdown",
}  # fmt: skip


def ending_of(stop: Stop, text: str) -> str:
    """The file name ending of a block, with its dot."""
    if stop.kind == "code":
        language = stop.language.lower()
        if language in LANGUAGES or is_sql(text, language):
            return ".sql"
        return "." + _ENDINGS.get(language, "txt")
    return ".txt" if stop.kind in ("text", "question", "links", "card", "note") else ".md"


def suggested_name(stop: Stop, text: str) -> str:
    """What a file of it may be called: by a name or the words in the first comment, else by its language. Raw."""
    ending = ending_of(stop, text)
    if stop.kind != "code":
        return {"table": "table", "list": "list", "raw": "answer"}.get(stop.kind, "text") + ending
    comment = _COMMENT.match(text)
    if comment is not None:
        named = _FILE.search(comment[1])
        if named is not None:
            return named[1]
        words = _WORDS.findall(comment[1].lower())[:5]
        if words:
            return "-".join(words) + ending
    return _STEMS.get(ending[1:], "code") + ending


def what_is_copied(stop: Stop) -> str:
    """What was copied, for the sentence that says so."""
    if stop.kind == "code" and is_laid_out(stop):
        return "the code as it is laid out here"
    return f"the {_WHAT.get(stop.kind, 'block')}"


def is_laid_out(stop: Stop) -> bool:
    """Whether a block of code is drawn laid out anew."""
    if stop.kind != "code" or stop.unit.items[stop.first.item].instead is None:
        return False
    from kai_tui.ui.transcript.laid_out import text_of

    return text_of(stop) is not None


def hint_on(stop: Stop) -> str:
    """What stands at the right of a block under the cursor."""
    if stop.kind == "table":
        return "Enter opens · c copy · s save"
    words = "c copy · s save"
    if is_laid_out(stop):
        return f"{words} · p as it was"
    return f"{words} · p lay out" if may_be_laid_out(stop) else words


def may_be_laid_out(stop: Stop) -> bool:
    """Whether a block is SQL."""
    if stop.kind != "code":
        return False
    return is_sql("" if stop.language else stop.beginning(_LOOKED_AT)[:_LOOKED_AT], stop.language)
