"""The tool that answers questions about Keboola: a small handbook of our own, with what it was taken from."""

from __future__ import annotations

import re
from typing import Any

from kai_tui.sandbox.project import Project
from kai_tui.sandbox.tools.base import Argument, JsonObject, Tool

HANDBOOK = (
    (
        "bucket storage table stage column",
        "**Storage** keeps data in tables, and tables in buckets. Buckets of the stage *in* hold what was loaded, "
        "those of *out* hold results. A table is named by its bucket: `in.c-shop.orders`.",
        "https://help.keboola.com/storage/",
    ),
    (
        "extractor writer component connector source configuration config",
        "A **component** does one kind of work: an extractor loads data from a source, a writer sends data away, "
        "a transformation changes data. What exactly it does is said by a **configuration**; a configuration "
        "can have **rows**, for instance one per table.",
        "https://help.keboola.com/components/",
    ),
    (
        "transformation sql snowflake query code block",
        "A **transformation** runs SQL or Python on copies of tables and writes its results back. Its input and "
        "output mapping say which tables it gets and which ones it makes.",
        "https://help.keboola.com/transformations/",
    ),
    (
        "flow orchestration schedule phase task automate conditional",
        "A **flow** runs configurations in phases. Tasks of one phase run side by side; the next phase begins "
        "when all have ended. A schedule starts it by itself.",
        "https://help.keboola.com/flows/",
    ),
    (
        "job run queue status error failed log",
        "Each run of a configuration is a **job**. It waits, processes and ends with success, warning or error. "
        "Its log says what happened; a failed job can be run again after its cause is mended.",
        "https://help.keboola.com/management/jobs/",
    ),
    (
        "workspace explore sandbox dialect",
        "A **workspace** is a database of your own with copies of tables, to try out SQL. This sandbox answers "
        "SQL in SQLite's dialect; a real project usually speaks Snowflake or BigQuery.",
        "https://help.keboola.com/workspace/",
    ),
    (
        "token permission access user share security secret password encrypted",
        "A **token** says what a program may do in a project. Values of keys that begin with `#` are stored "
        "encrypted. Kai asks before it changes anything; what needs asking is up to you.",
        "https://help.keboola.com/management/project/tokens/",
    ),
    (
        "branch development merge version",
        "A **development branch** is a copy of the project's configurations to work on without touching the "
        "real ones. Every change of a configuration makes a version that can be brought back.",
        "https://help.keboola.com/components/branches/",
    ),
    (
        "kai assistant approve approval chat agent",
        "**Kai** is Keboola's AI assistant. It reads by itself and asks before it writes. What you talk to here "
        "is a rule-based stand-in for it.",
        "https://help.keboola.com/",
    ),
)


def _docs_query(_project: Project, given: JsonObject) -> Any:
    words = {word.rstrip("s") for word in re.findall(r"[a-z]+", given["query"].lower())}
    scored = [(len(words & set(keys.split())), text, url) for keys, text, url in HANDBOOK]
    best = sorted((each for each in scored if each[0]), key=lambda each: -each[0])[:2]
    if not best:
        return {"text": "The handbook of the sandbox says nothing about that.", "source_urls": []}
    return {
        "text": "\n\n".join(text for _, text, _ in best),
        "source_urls": [url for _, _, url in best],
    }


TOOLS = (
    Tool(
        "docs_query",
        "Looks something up in the handbook.",
        True,
        _docs_query,
        {"query": Argument("string", required=True)},
    ),
)
