"""Reviews of jobs and sync actions."""

import pytest

from kai_tui.backends.project import Job
from kai_tui.conversation.reviews.review import Grid, ObjectRef, Present, Review, Wanted
from kai_tui.conversation.reviews.reviewing import review, wanted
from kai_tui.conversation.reviews.running import duration

CONFIG = ObjectRef("configuration", "keboola.ex-db-mysql/7001")
RUN = {"component_id": "keboola.ex-db-mysql", "configuration_id": "7001"}


def grid(seen: Review, title: str) -> Grid:
    return next(block for block in seen.blocks if isinstance(block, Grid) and block.title == title)


def test_a_job_runs_and_costs_and_says_what_runs() -> None:
    seen = review("run_job", RUN)
    assert seen.sentence == "Run configuration 7001 of keboola.ex-db-mysql"
    assert (seen.effects, seen.objects) == (("runs", "costs"), (CONFIG,))
    assert grid(seen, "What runs").rows == [
        ("component", "keboola.ex-db-mysql"),
        ("configuration", "7001"),
        ("rows", "all that are not disabled"),
    ]
    assert list(wanted("run_job", RUN)) == [Wanted("configuration", CONFIG), Wanted("jobs", CONFIG)]


def test_the_last_runs_and_the_name_are_shown_when_known() -> None:
    jobs = [
        Job("9", "error", True, created="2026-11-20T10:00:00Z", seconds=61, message="No such host"),
        {"id": 8, "status": "success", "startTime": "2026-11-19T10:00:00Z", "durationSeconds": 4},
    ]
    presents = {
        Wanted("configuration", CONFIG): Present({"name": "Customers"}, "project"),
        Wanted("jobs", CONFIG): Present(jobs, "project"),
    }
    seen = review("run_job", RUN, presents=presents)
    assert ("configuration", "7001 · Customers") in grid(seen, "What runs").rows
    last = grid(seen, "Last runs")
    assert last.rows == [
        ("2026-11-20 10:00 UTC", "error", "1 min 01 s", "9", "No such host"),
        ("2026-11-19 10:00 UTC", "success", "4 s", "8", ""),
    ]
    assert last.tones == ["bad", "plain"]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("2026-11-20T10:00:00.000Z", "2026-11-20 10:00 UTC"),
        ("2026-11-20T10:00:00+0200", "2026-11-20 10:00 +0200"),
        ("2026-11-20T10:00", "2026-11-20 10:00"),
        ("yesterday", "yesterday"),
        ("2026-11-20T10:00:00Z\x1b[2J", "2026-11-20T10:00:00Z\x1b[2J"),
    ],
)
def test_a_moment_is_as_short_as_it_can_be_and_nothing_else_is_touched(said: str, shown: str) -> None:
    presents = {Wanted("jobs", CONFIG): Present([Job("9", "success", True, created=said)], "project")}
    assert grid(review("run_job", RUN, presents=presents), "Last runs").rows[0][0] == shown


def test_rows_and_flows_are_named() -> None:
    rows = review("run_job", RUN | {"configuration_row_ids": ["1", 2]})
    assert rows.sentence == "Run configuration 7001 of keboola.ex-db-mysql, 2 rows of it"
    assert [ref.id for ref in rows.objects] == [
        "keboola.ex-db-mysql/7001",
        "keboola.ex-db-mysql/7001/1",
        "keboola.ex-db-mysql/7001/2",
    ]
    flow = review("run_job", {"componentId": "keboola.flow", "configurationId": 5})
    assert flow.sentence == "Run flow 5"
    assert flow.objects == (ObjectRef("flow", "keboola.flow/5"),)


def test_a_sync_action_is_more_than_reading() -> None:
    given = RUN | {"action_name": "testConnection"}
    seen = review("run_sync_action", given, read_only=True)
    assert seen.sentence == "Run the action testConnection of configuration 7001 of keboola.ex-db-mysql"
    assert seen.effects == ("runs",)
    assert seen.objects == (CONFIG,)
    assert seen.cautions[0].startswith("Contacts the outside system")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min 00 s"),
        (7800, "2 h 10 min"),
        (-1, ""),
        (None, ""),
        (True, ""),
        ("9", ""),
    ],
)
def test_durations_in_words(seconds: object, words: str) -> None:
    assert duration(seconds) == words
