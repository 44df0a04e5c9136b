"""Jobs and sync actions: what runs, with what, and how it went the last times."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from kai_tui.conversation.reviews import present_configs
from kai_tui.conversation.reviews.call import Call, Fields
from kai_tui.conversation.reviews.draft import Draft, count
from kai_tui.conversation.reviews.objects import (
    component_id,
    configuration,
    configuration_id,
    configuration_words,
)
from kai_tui.conversation.reviews.review import Grid, ObjectRef, Tone

_ISO = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)T(?P<time>\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(?P<zone>Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_UTC = frozenset({"Z", "+0000", "+00:00"})
_BAD = frozenset({"error", "terminated", "cancelled", "terminating"})


def run_job(call: Call, draft: Draft) -> None:
    component, config = component_id(call), configuration_id(call)
    rows = call.arguments.texts("configuration_row_ids", "row_ids", "config_row_ids")
    ref = configuration(component, config)
    draft.touches(ref, *(configuration(component, config, row) for row in rows))
    draft.sentence = f"Run {configuration_words(component, config)}"
    if rows:
        draft.sentence += f", {count(len(rows), 'row')} of it" if len(rows) > 1 else f", row {rows[0]} of it"
    present = call.present("configuration", ref)
    facts = [("component", component), ("configuration", _named(config, present and present.value))]
    if draft.objects[0].kind not in ("flow", "data app"):
        value = present.value if present is not None else None
        named = [_named(row, present_configs.row(value, row)) for row in rows]
        facts.append(("rows", ", ".join(named) if rows else "all that are not disabled"))
    draft.show(Grid("What runs", ("", ""), [fact for fact in facts if fact[1]]))
    draft.say("A job takes time, costs credits and may write data.", "warning")
    if ref.kind != "data app":  # the queue knows their deployments by other names
        _last_runs(call, draft, ref)


def run_sync_action(call: Call, draft: Draft) -> None:
    component, config = component_id(call), configuration_id(call)
    row = call.arguments.text("configuration_row_id", "row_id")
    action = call.arguments.text("action_name", "action")
    draft.touches(configuration(component, config, row))
    draft.sentence = (
        f"Run the action {action or 'that is not named'} of {configuration_words(component, config)}"
    )
    if row:
        draft.sentence += f", row {row}"
    draft.warn(
        "Contacts the outside system with the stored credentials, though the server marks it as reading only."
    )


def _named(config: str, present: Any) -> str:
    name = present_configs.body(present).get("name")
    return f"{config} · {name}" if isinstance(name, str) and name else config


def _last_runs(call: Call, draft: Draft, ref: ObjectRef) -> None:
    present = call.present("jobs", ref)
    if present is None:
        return
    jobs = [_job(each) for each in cast("Sequence[Any]", present.value)] if _is_list(present.value) else []
    if not jobs:
        draft.say("It has not run yet, as far as is known.", "quiet")
        return
    tones: list[Tone] = ["bad" if job[1] in _BAD else "plain" for job in jobs]
    draft.show(Grid("Last runs", ("started", "status", "took", "job", "says"), jobs, tones))


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _job(value: Any) -> tuple[str, ...]:
    """One run; `value` is a job as a tool shows it, or `backends.project.Job`."""
    if not isinstance(value, Mapping):
        names = ("id", "status", "started", "created", "seconds", "message")
        value = {name: getattr(value, name, None) for name in names}
    fields = Fields(value)
    result = Fields(fields.value("result"))
    seconds = fields.value("seconds", "duration_seconds")
    return (
        _moment(fields.text("started", "start_time") or fields.text("created", "created_time")),
        fields.text("status"),
        duration(seconds),
        fields.text("id", "job_id"),
        fields.text("message") or result.text("message"),
    )


def _moment(at: str) -> str:
    """`2026-11-20 10:00 UTC`; what is no such moment stays as it is."""
    found = _ISO.fullmatch(at)
    if found is None:
        return at
    zone = found["zone"] or ""
    return f"{found['day']} {found['time']} {'UTC' if zone in _UTC else zone}".rstrip()


def duration(seconds: Any) -> str:
    """`45 s`, `3 min 05 s`, `2 h 10 min`; empty where it is not known."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 1e9:
        return ""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
