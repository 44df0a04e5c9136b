"""`make bench` or `python -m benchmarks [startup] [stream] [big_table] [long_chat]`: a table of figures against floors.

Exit code 1 where a bar is missed. `--write` puts the table into benchmarks/README.md.
"""

from __future__ import annotations

import platform
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks import big_table, composer, long_chat, startup, stream
from benchmarks.table import markdown

_ALL = {
    "startup": startup.run,
    "stream": stream.run,
    "big_table": big_table.run,
    "composer": composer.run,
    "long_chat": long_chat.run,
}
_MARK = "<!-- figures -->"


def main(arguments: list[str]) -> int:
    chosen = [name for name in arguments if name in _ALL] or list(_ALL)
    rows = [row for name in chosen for row in _ALL[name]()]
    versions = ", ".join(f"{name} {version(name)}" for name in ("textual", "httpx", "httpx-sse", "pydantic"))
    text = (
        f"{date.today().isoformat()}, kai-tui {version('kai-tui')}, Python {platform.python_version()}, "
        f"{versions}, {platform.system()} {platform.machine()}\n\n{markdown(rows)}\n"
    )
    print(text)
    if "--write" in arguments:
        page = Path(__file__).with_name("README.md")
        page.write_text(page.read_text().split(_MARK)[0] + f"{_MARK}\n\n{text}")
    return 1 if any(row.met is False for row in rows) else 0


sys.exit(main(sys.argv[1:]))
