"""Reviews of flows and schedules."""

from typing import Any

import pytest

from kai_tui.conversation.reviews.cron_words import cron_words
from kai_tui.conversation.reviews.review import ObjectRef, Present, Wanted
from kai_tui.conversation.reviews.reviewing import review, wanted
from tests.conversation.reviews.seen import grids, known, texts, words

FLOW = ObjectRef("flow", "keboola.orchestrator/5")
PHASES = [
    {"id": 2, "name": "Transform", "dependsOn": [1]},
    {"id": 1, "name": "Extract", "description": "Night"},
]
TASKS: list[dict[str, Any]] = [
    {
        "id": 10,
        "name": "Shop",
        "phase": 1,
        "task": {"componentId": "keboola.ex-db-mysql", "configId": "7001", "mode": "run"},
    },
    {
        "id": 11,
        "name": "Revenue",
        "phase": 2,
        "enabled": False,
        "continueOnFailure": True,
        "task": {"componentId": "keboola.snowflake-transformation", "configId": "900", "mode": "debug"},
    },
]


def update(**arguments: Any) -> dict[str, Any]:
    return {
        "configuration_id": "5",
        "flow_type": "keboola.orchestrator",
        "change_description": "why",
        **arguments,
    }


def test_a_new_flow_lists_phases_in_the_order_they_run() -> None:
    seen = review("create_flow", {"name": "Night", "description": "All", "phases": PHASES, "tasks": TASKS})
    assert seen.sentence == "Create flow “Night” with 2 phases and 2 tasks"
    assert (seen.effects, seen.objects) == (("creates",), (ObjectRef("component", "keboola.orchestrator"),))
    assert grids(seen)["Phases and tasks"].rows == [
        ("Extract", "", "", "description Night"),
        ("", "Shop", "keboola.ex-db-mysql / 7001", ""),
        ("Transform", "", "", "after Extract"),
        (
            "",
            "Revenue",
            "keboola.snowflake-transformation / 900",
            "disabled · goes on after a failure · mode debug",
        ),
    ]


def test_a_conditional_flow_says_its_conditions_and_whom_it_writes_to() -> None:
    condition = {
        "type": "operator",
        "operator": "AND",
        "operands": [
            {
                "type": "operator",
                "operator": "EQUALS",
                "operands": [
                    {"type": "task", "task": "t1", "value": "job.status"},
                    {"type": "const", "value": "success"},
                ],
            },
            {"type": "variable", "value": "go"},
        ],
    }
    phases = [
        {
            "id": "a",
            "name": "A",
            "next": [{"id": "x", "goto": "b", "condition": condition}, {"id": "y", "goto": None}],
        },
        {"id": "b", "name": "B", "next": []},
    ]
    tasks = [
        {
            "id": "t1",
            "name": "Run",
            "phase": "a",
            "task": {"type": "job", "componentId": "c", "configId": "1", "mode": "run"},
        },
        {
            "id": "t2",
            "name": "Tell",
            "phase": "b",
            "task": {
                "type": "notification",
                "title": "Done",
                "recipients": [{"channel": "email", "address": "x@y.z"}],
            },
        },
        {"id": "t3", "name": "Lost", "phase": "zzz", "task": {"type": "variable", "name": "v", "value": "1"}},
    ]
    seen = review(
        "create_conditional_flow", {"name": "N", "description": "", "phases": phases, "tasks": tasks}
    )
    assert seen.sentence == "Create conditional flow “N” with 2 phases and 3 tasks"
    assert seen.objects == (ObjectRef("component", "keboola.flow"),)
    assert grids(seen)["Phases and tasks"].rows == [
        ("A", "", "", "then B if job.status of task t1 = success and variable go · then the end"),
        ("", "Run", "c / 1", ""),
        ("B", "", "", ""),
        ("", "Tell", "notifies x@y.z: Done", ""),
        ("(zzz)", "Lost", "sets v to 1", ""),
    ]
    assert seen.cautions == (
        "Task Lost is in phase zzz, which is not listed.",
        "Sends notifications to x@y.z.",
    )


def test_given_lists_are_compared_with_the_present_ones() -> None:
    phases = [{"id": 1, "name": "Extract", "description": "Day"}, {"id": 3, "name": "Load", "dependsOn": [1]}]
    tasks = [TASKS[0], {**TASKS[1], "id": 12, "phase": 3}]
    present = {"name": "Night", "configuration": {"phases": PHASES, "tasks": TASKS}}
    seen = review(
        "update_flow", update(phases=phases, tasks=tasks), presents=known(FLOW, configuration=present)
    )
    assert seen.sentence == "Change flow 5"
    assert (seen.effects, seen.objects) == (("changes",), (FLOW,))
    grid = grids(seen)["Phases and tasks as they will be"]
    assert [(row[0], row[1] or row[2]) for row in grid.rows] == [
        ("~", "Extract"),
        ("", "Shop"),
        ("+", "Load"),
        ("+", "Revenue"),
        ("−", "Transform"),
        ("−", "Revenue"),
    ]
    assert grid.rows[0][4] == "description Day (now: description Night)"
    assert grid.tones == ["warning", "plain", "good", "good", "bad", "bad"]
    assert seen.cautions == (
        "Replaces all phases and tasks: what is not listed here is gone afterwards.",
        "1 phase is gone: Transform.",
        "1 task is gone: Revenue.",
    )


def test_one_list_alone_is_shown_with_the_other_as_it_is() -> None:
    present = {"phases": PHASES, "tasks": TASKS, "name": "Night"}
    seen = review("update_flow", update(tasks=[TASKS[0]]), presents=known(FLOW, configuration=present))
    assert "Replaces all tasks: what is not listed here is gone afterwards." in seen.cautions
    assert "1 task is gone: Revenue." in seen.cautions
    assert [row[0] for row in grids(seen)["Phases and tasks as they will be"].rows] == ["", "", "", "−"]


def test_without_the_present_flow_the_lists_stand_alone() -> None:
    given = update(phases=PHASES, tasks=TASKS, name="New", is_disabled=True)
    seen = review("update_flow", given)
    assert grids(seen)["Phases and tasks as they will be"].columns == ("phase", "task", "runs", "how")
    assert [text.before for text in texts(seen)] == [None]
    assert "Disables the flow: it does not run any more." in seen.cautions
    assert list(wanted("update_flow", given)) == [Wanted("configuration", FLOW), Wanted("preview", FLOW)]


def test_the_preview_of_a_flow_is_shown_as_a_difference() -> None:
    preview = {
        "originalConfig": {"phases": PHASES, "tasks": TASKS},
        "updatedConfig": {"phases": PHASES, "tasks": TASKS[:1]},
        "isValid": True,
    }
    presents = {Wanted("preview", FLOW): Present(preview, "preview")}
    seen = review("modify_flow", update(tasks=TASKS[:1]), presents=presents)
    assert "1 task is gone: Revenue." in seen.cautions


def test_schedules_are_said_in_words() -> None:
    schedules = [
        {"action": "add", "cronTab": "55 2 * * 6,0", "timezone": "Europe/Prague", "state": "enabled"},
        {"action": "update", "schedule_id": "s1", "cron_tab": "bad", "state": "disabled"},
        {"action": "remove", "scheduleId": "s2"},
    ]
    seen = review("modify_flow", update(schedules=schedules))
    assert seen.sentence == "Change the schedules of flow 5"
    assert seen.effects == ("changes", "costs")
    grid = grids(seen)["Schedules"]
    assert grid.rows == [
        ("add", "every Saturday and Sunday at 02:55", "55 2 * * 6,0", "Europe/Prague", "enabled", ""),
        ("update", "not understood", "bad", "", "disabled", "s1"),
        ("remove", "", "", "", "", "s2"),
    ]
    assert grid.tones == ["plain", "plain", "bad"]
    assert seen.cautions == (
        "Starts the flow by itself from then on: every Saturday and Sunday at 02:55, time zone Europe/Prague.",
        "Switches the schedule s1 off.",
        "Removes the schedule s2.",
    )


def test_phases_that_wait_for_each_other_are_shown_all_the_same() -> None:
    phases = [{"id": 1, "name": "A", "dependsOn": [2]}, {"id": 2, "name": "B", "dependsOn": [1]}]
    seen = review("create_flow", {"name": "N", "description": "", "phases": phases, "tasks": []})
    assert [row[0] for row in grids(seen)["Phases and tasks"].rows] == ["A", "B"]
    empty = review("create_flow", {"name": "N", "description": "", "phases": [], "tasks": []})
    assert "It has no phases and no tasks." in words(empty)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0 6 * * *", "every day at 06:00"),
        ("0 6,18 * * *", "every day at 06:00 and 18:00"),
        ("*/15 * * * *", "every 15 minutes"),
        ("* * * * *", "every minute"),
        ("0 * * * *", "every hour, on the hour"),
        ("5 */2 * * *", "every 2 hours at minute 5"),
        ("*/10 8-17 * * 1-5", "every 10 minutes from 08:00 to 17:59, every Monday to Friday"),
        ("30 7 * * mon", "every Monday at 07:30"),
        ("0 0 1 * *", "on day 1 of every month at 00:00"),
        ("0 0 1 1,7 *", "on day 1 of January and July at 00:00"),
        ("0 0 13 * 5", "on day 13 of every month and every Friday at 00:00"),
        ("0 0 * * 7", "every Sunday at 00:00"),
        ("0 0 * 12 *", "every day in December at 00:00"),
        ("@daily", "every day at 00:00"),
        ("61 * * * *", ""),
        ("*/0 * * * *", ""),
        ("0 0 L * *", ""),
        ("0 0 * * mon#2", ""),
        ("5-1 * * * *", ""),
        ("nonsense", ""),
    ],
)
def test_cron_in_words(line: str, said: str) -> None:
    assert cron_words(line) == said
