"""Parts that configurations, transformations, flows and data apps have in common."""

from __future__ import annotations

from typing import Any

from kai_tui.conversation.redact import MASK
from kai_tui.conversation.reviews import present_configs
from kai_tui.conversation.reviews.call import Call, Fields
from kai_tui.conversation.reviews.draft import Draft
from kai_tui.conversation.reviews.json_changes import change_blocks, json_changes
from kai_tui.conversation.reviews.review import Code, Grid, Present, TextChange
from kai_tui.conversation.reviews.secret_values import is_secret, shown_json


def show_name_and_text(call: Call, draft: Draft, present: Present | None) -> None:
    """A new name and description; empty ones keep what is there."""
    body = present_configs.body(present.value) if present is not None else {}
    called = body.get("name")
    if isinstance(called, str) and called and call.arguments.text("name") in ("", called):
        draft.called = called
    for field, title in (("name", "Name"), ("description", "Description")):
        text = call.arguments.text(field)
        if not text:
            continue
        before = body.get(field)
        known = isinstance(before, str)
        if before == text:
            if field != "name":
                draft.say(f"{title} stays as it is.", "quiet")
        else:
            draft.show(TextChange(title, before if known else None, text, "", present if known else None))


def show_processors(call: Call, draft: Draft, present: Present | None = None) -> None:
    """The steps before and after; each given list takes the place of the present one."""
    body = present_configs.body(present.value) if present is not None else {}
    now = Fields(body.get("processors"))
    for name, title in (("processors_before", "Processors before"), ("processors_after", "Processors after")):
        given: Any = call.arguments.value(name)
        if given is None:
            continue
        if present is not None and "parameters" in body:
            before: Any = now.list(name.removeprefix("processors_")) or []
            changes = json_changes(before, call.arguments.list(name) or [])
            draft.show(*change_blocks(title, changes, present))
            if not changes:
                draft.say(f"{title} stay as they are.", "quiet")
        elif given == []:
            draft.say(f"{title}: none any more.", "warning")
        else:
            draft.show(Code(title, shown_json(given), "json"))


def show_folder(call: Call, draft: Draft, *, new: bool = False) -> None:
    given: Any = call.arguments.value("folder")
    if isinstance(given, str) and (given or not new):
        draft.say(f"Puts it into the folder {given}." if given else "Takes it out of its folder.")


def show_variables(call: Call, draft: Draft, *, new: bool = False) -> None:
    """Variables with their default values; those of the vault are hidden."""
    given: Any = call.arguments.value("variables")
    if given is None:
        return
    if given == []:
        if not new:
            draft.warn("Removes all variables.")
        return
    rows: list[tuple[str, str, str]] = []
    for each in call.arguments.objects("variables"):
        kind, value = each.text("type") or "string", each.text("default_value", "value")
        hidden = bool(value) and (kind == "vault" or is_secret(each.text("name"), value))
        rows.append((each.text("name"), kind, MASK if hidden else value))
    draft.show(Grid("Variables", ("name", "type", "default"), rows))
    if not new:
        draft.say("These variables take the place of the present ones.")
