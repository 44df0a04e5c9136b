"""Making and changing flows and their schedules (keboola-tools.md §2, §4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from kai_tui.conversation.reviews import present_configs
from kai_tui.conversation.reviews.call import Call, Fields
from kai_tui.conversation.reviews.config_parts import show_folder, show_name_and_text
from kai_tui.conversation.reviews.cron_words import cron_words
from kai_tui.conversation.reviews.draft import Draft, count, quoted
from kai_tui.conversation.reviews.flow_rows import FlowRow, flow_rows, recipients
from kai_tui.conversation.reviews.objects import configuration_id, flow_of, odd_fields
from kai_tui.conversation.reviews.previews import previewed
from kai_tui.conversation.reviews.review import Code, Grid, ObjectRef, Present, Tone

_COLUMNS: Final = ("phase", "task", "runs", "how")


def create_flow(call: Call, draft: Draft) -> None:
    given = call.arguments
    name = given.text("name")
    conditional = call.tool == "create_conditional_flow"
    draft.touches(ObjectRef("component", "keboola.flow" if conditional else "keboola.orchestrator"))
    draft.sentence = f"Create {'conditional ' if conditional else ''}flow {quoted(name)}"
    if text := given.text("description"):
        draft.show(Code("Description", text))
    phases, tasks = given.objects("phases"), given.objects("tasks")
    if phases or tasks:
        draft.sentence += f" with {count(len(phases), 'phase')} and {count(len(tasks), 'task')}"
    _show_rows(draft, phases, tasks, None, "Phases and tasks")
    given.odd.extend(odd_fields(*phases, *tasks))
    show_folder(call, draft, new=True)
    _show_schedules(call, draft)


def update_flow(call: Call, draft: Draft) -> None:
    given = call.arguments
    flow, kind = configuration_id(call) or given.text("flow_id"), given.text("flow_type", "component_id")
    ref = flow_of(kind, flow)
    draft.touches(ref)
    has_lists = given.has("phases") or given.has("tasks")
    only_schedules = given.has("schedules") and not has_lists
    what = f"flow {flow or 'that is not named'}"
    draft.sentence = f"Change the schedules of {what}" if only_schedules else f"Change {what}"
    present = call.present("configuration", ref)
    preview = previewed(call, draft, ref)
    if present is None and preview is not None:
        present = preview.now
    show_name_and_text(call, draft, present)
    if has_lists:
        if preview is not None:
            _show_lists(
                draft,
                _items(preview.updated, "phases"),
                _items(preview.updated, "tasks"),
                preview.now,
            )
            given.value("phases")
            given.value("tasks")
        else:
            _show_given_lists(call, draft, present)
    _show_disabling(call, draft, present)
    show_folder(call, draft)
    _show_schedules(call, draft)


def _show_given_lists(call: Call, draft: Draft, present: Present | None) -> None:
    given = call.arguments
    phases = given.objects("phases") if given.has("phases") else None
    tasks = given.objects("tasks") if given.has("tasks") else None
    given.odd.extend(odd_fields(*(phases or []), *(tasks or [])))
    replaced = " and ".join(
        name for name, found in (("phases", phases), ("tasks", tasks)) if found is not None
    )
    draft.warn(f"Replaces all {replaced}: what is not listed here is gone afterwards.")
    now = present.value if present is not None else None
    if phases is None:
        phases = _items(now, "phases")
    if tasks is None:
        tasks = _items(now, "tasks")
    _show_lists(draft, phases, tasks, present)


def _show_lists(
    draft: Draft, phases: Sequence[Fields], tasks: Sequence[Fields], present: Present | None
) -> None:
    before: list[FlowRow] | None = None
    if present is not None and (_has(present.value, "phases") or _has(present.value, "tasks")):
        before, _ = flow_rows(_items(present.value, "phases"), _items(present.value, "tasks"))
    _show_rows(draft, phases, tasks, before, "Phases and tasks as they will be")


def _show_rows(
    draft: Draft, phases: Sequence[Fields], tasks: Sequence[Fields], before: list[FlowRow] | None, title: str
) -> None:
    rows, problems = flow_rows(phases, tasks)
    draft.warn(*problems)
    for task in tasks:
        for address in recipients(task):
            draft.warn(f"Sends notifications to {address or 'nobody that is named'}.")
    if not rows and before is None:
        draft.say("It has no phases and no tasks.", "warning")
    elif before is None:
        draft.show(Grid(title, _COLUMNS, [row.cells for row in rows]))
    else:
        _show_difference(draft, rows, before, title)


def _show_difference(draft: Draft, rows: list[FlowRow], before: list[FlowRow], title: str) -> None:
    old = {row.key: row for row in before}
    shown: list[tuple[str, ...]] = []
    tones: list[Tone] = []
    for row in rows:
        was = old.pop(row.key, None)
        if was is None:
            mark, tone, cells = "+", "good", row.cells
        elif was.cells == row.cells:
            mark, tone, cells = "", "plain", row.cells
        else:
            mark, tone = "~", "warning"
            cells = tuple(
                new if new == former else f"{new or 'nothing'} (now: {former or 'nothing'})"
                for new, former in zip(row.cells, was.cells, strict=True)
            )
        shown.append((mark, *cells))
        tones.append(tone)
    for row in old.values():
        shown.append(("−", *row.cells))
        tones.append("bad")
    draft.show(Grid(title, ("", *_COLUMNS), shown, tones))
    for kind in ("phase", "task"):
        gone = [row.cells[0] or row.cells[1] for row in old.values() if row.key[0] == kind]
        if gone:
            draft.warn(
                f"{count(len(gone), kind)} {'is' if len(gone) == 1 else 'are'} gone: {', '.join(gone)}."
            )
    if [row.key for row in rows] != [row.key for row in before] and not old and len(rows) == len(before):
        draft.say("The order changes.", "warning")


def _has(value: Any, name: str) -> bool:
    return isinstance(present_configs.part(value, name), list)


def _items(value: Any, name: str) -> list[Fields]:
    items = present_configs.part(value, name)
    return Fields({"items": items}).objects("items") if isinstance(items, list) else []


def _show_disabling(call: Call, draft: Draft, present: Present | None) -> None:
    flag = call.arguments.flag("is_disabled")
    now = Fields(present.value).flag("is_disabled") if present is not None else None
    if flag and not now:
        draft.warn("Disables the flow: it does not run any more.")
    elif flag is False and now is not False:
        draft.say("Enables the flow.")


def _show_schedules(call: Call, draft: Draft) -> None:
    schedules = call.arguments.objects("schedules")
    rows: list[tuple[str, ...]] = []
    tones: list[Tone] = []
    for each in schedules:
        action, id, cron = each.text("action"), each.text("schedule_id", "id"), each.text("cron_tab", "cron")
        words, zone, state = cron_words(cron), each.text("timezone", "time_zone"), each.text("state")
        rows.append((action, words or ("not understood" if cron else ""), cron, zone, state, id))
        tones.append("bad" if action in ("remove", "delete") else "plain")
        if action in ("remove", "delete"):
            draft.warn(f"Removes the schedule {id or 'that is not named'}.")
        elif state in ("disabled", "disable") or action == "disable":
            draft.warn(f"Switches the schedule {id} off.".replace("  ", " "))
        elif cron or action in ("add", "create", "enable"):
            when = words or cron or "as it was set"
            draft.warn(
                f"Starts the flow by itself from then on: {when}{f', time zone {zone}' if zone else ''}."
            )
            draft.also("costs")
    if rows:
        draft.show(Grid("Schedules", ("action", "when", "cron", "time zone", "state", "id"), rows, tones))
    call.arguments.odd.extend(odd_fields(*schedules))
