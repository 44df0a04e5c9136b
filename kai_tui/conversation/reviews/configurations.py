"""Making and changing configurations and their rows (keboola-tools.md §2, §4)."""

from __future__ import annotations

from typing import Any, TypeAlias

from kai_tui.conversation.reviews import present_configs
from kai_tui.conversation.reviews.call import Call, Fields
from kai_tui.conversation.reviews.code_texts import sql_texts
from kai_tui.conversation.reviews.config_parts import (
    show_folder,
    show_name_and_text,
    show_processors,
    show_variables,
)
from kai_tui.conversation.reviews.draft import Draft, quoted
from kai_tui.conversation.reviews.json_changes import change_blocks, json_changes
from kai_tui.conversation.reviews.objects import (
    component_id,
    configuration,
    configuration_id,
    configuration_words,
)
from kai_tui.conversation.reviews.parameter_operations import (
    NotWorkedOut,
    Operation,
    applied,
    listed,
    operations,
)
from kai_tui.conversation.reviews.previews import Previewed, previewed
from kai_tui.conversation.reviews.review import Code, ObjectRef, PathChanges, Present
from kai_tui.conversation.reviews.secret_values import shown_json
from kai_tui.conversation.reviews.sql_dangers import sql_dangers
from kai_tui.conversation.reviews.storage_mapping import show_replaced_storage, show_storage
from kai_tui.conversation.reviews.value_warnings import warn_of_values

JsonObject: TypeAlias = dict[str, Any]


def create_config(call: Call, draft: Draft) -> None:
    component, name = component_id(call), call.arguments.text("name")
    draft.touches(ObjectRef("component", component))
    draft.sentence = f"Create configuration {quoted(name)}" if name else "Create a configuration"
    draft.sentence += f" of {component}" if component else ""
    _show_new(call, draft)
    show_variables(call, draft, new=True)


def add_config_row(call: Call, draft: Draft) -> None:
    component, config = component_id(call), configuration_id(call)
    name = call.arguments.text("name")
    draft.touches(configuration(component, config))
    draft.sentence = f"Add row {quoted(name)}" if name else "Add a row"
    draft.sentence += f" to {configuration_words(component, config)}"
    _show_new(call, draft)


def update_config(call: Call, draft: Draft) -> None:
    _update(call, draft, None)


def update_config_row(call: Call, draft: Draft) -> None:
    _update(call, draft, call.arguments.text("configuration_row_id", "row_id", "config_row_id"))


def _update(call: Call, draft: Draft, row: str | None) -> None:
    component, config = component_id(call), configuration_id(call)
    ref, whole = configuration(component, config, row or ""), configuration(component, config)
    draft.touches(ref)
    draft.sentence = f"Change {configuration_words(component, config)}"
    if row is not None:
        draft.sentence = (
            f"Change row {row or 'that is not named'} of {configuration_words(component, config)}"
        )
    present = call.present("configuration", whole)
    if row and present is not None:
        found = present_configs.row(present.value, row)
        present = Present(found, present.source, present.seen) if found is not None else None
    preview = previewed(call, draft, ref)
    if present is None and preview is not None:
        present = preview.now
    show_name_and_text(call, draft, present)
    _disabling(call, draft, present)
    show_parameters(call, draft, present, preview)
    storage = call.arguments.object("storage")
    if storage is not None:
        show_replaced_storage(draft, storage, present)
    show_processors(call, draft, present)
    show_folder(call, draft)
    show_variables(call, draft)


def _show_new(call: Call, draft: Draft) -> None:
    given = call.arguments
    if text := given.text("description"):
        draft.show(Code("Description", text))
    parameters = given.object("parameters")
    if parameters is None:
        parameters = given.object("configuration")
    if parameters is not None:
        draft.show(Code("Parameters", shown_json(parameters), "json"))
        warn_of_values(draft, parameters)
    storage = given.object("storage")
    if storage:
        show_storage(draft, storage)
    show_processors(call, draft)


def show_parameters(call: Call, draft: Draft, present: Present | None, preview: Previewed | None) -> None:
    """What becomes of the parameters: by the server's preview, worked out here, or as a list of operations."""
    given = call.arguments
    changes = operations(given.objects("parameter_updates"))
    replaced = given.object("parameters")
    if replaced is None:
        replaced = given.object("configuration")
    for each in changes:
        _warn_of(draft, each)
    if replaced is not None:
        warn_of_values(draft, replaced)
    if preview is not None and (changes or replaced is not None):
        before, after = preview.parameters
        _show_difference(draft, before, after, preview.present)
        return
    before = present_configs.parameters(present.value) if present is not None else None
    if replaced is not None:
        draft.warn("Replaces all of the parameters.")
        if before is None:
            draft.show(Code("Parameters", shown_json(replaced), "json"))
        else:
            _show_difference(draft, before, replaced, present)
    if changes:
        _show_operations(draft, changes, before, present)


def _show_operations(
    draft: Draft, changes: list[Operation], before: JsonObject | None, present: Present | None
) -> None:
    if before is not None:
        try:
            after = applied(before, changes)
        except NotWorkedOut as problem:
            draft.say(f"{problem} What comes out cannot be shown, only what is asked for:", "warning")
        else:
            _show_difference(draft, before, after, present)
            return
    draft.show(PathChanges("Parameters", tuple(listed(each, "") for each in changes)))


def _show_difference(draft: Draft, before: Any, after: Any, present: Present | None) -> None:
    changes = json_changes(before, after)
    draft.show(*change_blocks("Parameters", changes, present))
    if not changes:
        draft.say("The parameters stay as they are.", "quiet")


def _warn_of(draft: Draft, each: Operation) -> None:
    last = listed(each, "").path.rsplit(".", 1)[-1]
    if each.op in ("set", "list_append"):
        warn_of_values(draft, {last: each.value})
    elif each.op == "str_replace":
        for sql in sql_texts({last: each.replace_with}):
            draft.warn(*sql_dangers(sql))


def _disabling(call: Call, draft: Draft, present: Present | None) -> None:
    flag = call.arguments.flag("is_disabled")
    if flag is None:
        return
    now = Fields(present.value).flag("is_disabled") if present is not None else None
    if now == flag:
        draft.say("It stays disabled." if flag else "It stays enabled.", "quiet")
    elif flag:
        draft.warn("Disables it: it does not run any more.")
    else:
        draft.say("Enables it.")
