"""Making and changing SQL transformations (keboola-tools.md §2, §4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any, cast

from kai_tui.conversation.reviews import present_configs
from kai_tui.conversation.reviews.call import Call, Fields
from kai_tui.conversation.reviews.code_texts import script_text
from kai_tui.conversation.reviews.config_parts import show_folder, show_name_and_text, show_variables
from kai_tui.conversation.reviews.draft import Draft, count, quoted
from kai_tui.conversation.reviews.objects import (
    PROJECT,
    component_id,
    configuration,
    configuration_id,
    odd_fields,
)
from kai_tui.conversation.reviews.parameter_operations import NotWorkedOut
from kai_tui.conversation.reviews.previews import previewed
from kai_tui.conversation.reviews.review import Code, Grid, Present, TextChange
from kai_tui.conversation.reviews.secret_values import shown_json
from kai_tui.conversation.reviews.sql_dangers import sql_dangers
from kai_tui.conversation.reviews.storage_mapping import show_replaced_storage
from kai_tui.conversation.reviews.transformation_operations import Blocks, CodeText, codes_of


def create_sql_transformation(call: Call, draft: Draft) -> None:
    given = call.arguments
    name = given.text("name")
    codes = given.objects("sql_code_blocks", "sql_statements", "code_blocks")
    draft.touches(PROJECT)
    draft.sentence = f"Create SQL transformation {quoted(name)}" if name else "Create an SQL transformation"
    if codes:
        draft.sentence += f" with {count(len(codes), 'SQL block')}"
    if text := given.text("description"):
        draft.show(Code("Description", text))
    for number, code in enumerate(codes, 1):
        script = script_text(code.value("script", "sql_statements", "sql"))
        draft.show(Code(code.text("name") or f"Block {number}", script, "sql", "good"))
        draft.warn(*sql_dangers(script))
    given.odd.extend(odd_fields(*codes))
    if tables := given.texts("created_table_names"):
        draft.show(Grid("Tables it makes", ("table",), [(table,) for table in tables]))
    storage = given.object("storage")
    if storage:
        show_replaced_storage(draft, storage, None, new=True)
    show_folder(call, draft, new=True)
    show_variables(call, draft, new=True)


def update_sql_transformation(call: Call, draft: Draft) -> None:
    given = call.arguments
    config = configuration_id(call)
    ref = configuration(component_id(call), config)
    draft.touches(ref)
    draft.sentence = f"Change SQL transformation {config or 'that is not named'}"
    present = call.present("configuration", ref)
    preview = previewed(call, draft, ref)
    if present is None and preview is not None:
        present = preview.now
    show_name_and_text(call, draft, present)
    changes = given.objects("parameter_updates")
    whole = given.object("parameters")
    if preview is not None and (changes or whole is not None):
        before, after = (codes_of(part.get("blocks")) for part in preview.parameters)
        _show_changes(draft, before, after, preview.present)
    else:
        if whole is not None:
            draft.warn("Replaces all of the SQL.")
            _show_whole(draft, whole.get("blocks"), present)
        if changes:
            _show_operations(draft, changes, present)
    given.odd.extend(odd_fields(*changes))
    storage = given.object("storage")
    if storage is not None:
        show_replaced_storage(draft, storage, present)
    if given.flag("is_disabled"):
        draft.warn("Disables it: it does not run any more.")
    show_folder(call, draft)
    show_variables(call, draft)


def _show_whole(draft: Draft, blocks: Any, present: Present | None) -> None:
    now = _present_blocks(present)
    after = codes_of(blocks)
    if now is not None and present is not None:
        _show_changes(draft, codes_of(now), after, present)
        return
    for code in after:
        draft.show(Code(_place(code), code.script, "sql", "good"))
        draft.warn(*sql_dangers(code.script))


def _present_blocks(present: Present | None) -> list[Any] | None:
    blocks = present_configs.part(present.value, "blocks") if present is not None else None
    return cast("list[Any]", blocks) if isinstance(blocks, list) else None


def _show_operations(draft: Draft, changes: Sequence[Fields], present: Present | None) -> None:
    now = _present_blocks(present)
    if now is not None and present is not None:
        blocks = Blocks(now)
        before = blocks.codes()
        try:
            for each in changes:
                blocks.apply(each)
        except NotWorkedOut as problem:
            draft.say(f"{problem} What comes out cannot be shown, only what is asked for:", "warning")
        else:
            _show_changes(draft, before, blocks.codes(), present)
            return
    for each in changes:
        _list_operation(draft, each)


def _show_changes(
    draft: Draft, before: Sequence[CodeText], after: Sequence[CodeText], present: Present
) -> None:
    renamed: dict[tuple[str, str], None] = {}
    changed = False
    for old, new in _pairs(before, after):
        if old is None and new is not None:
            draft.show(Code(f"Added: {_place(new)}", new.script, "sql", "good"))
            draft.warn(*sql_dangers(new.script))
        elif new is None and old is not None:
            draft.show(Code(f"Removed: {_place(old)}", old.script, "sql", "bad"))
        elif old is not None and new is not None:
            if old.block != new.block and (old.block, new.block) not in renamed:
                renamed[old.block, new.block] = None
                draft.say(f"Renames block {quoted(old.block)} to {quoted(new.block)}.")
            if old.name != new.name:
                draft.say(f"Renames code {quoted(old.name)} to {quoted(new.name)}.")
            if old.script != new.script:
                draft.show(TextChange(_place(new), old.script, new.script, "sql", present))
                known = sql_dangers(old.script)
                draft.warn(*(danger for danger in sql_dangers(new.script) if danger not in known))
            elif old.block == new.block and old.name == new.name:
                continue
        changed = True
    if not changed:
        draft.say("The SQL stays as it is.", "quiet")


def _pairs(
    before: Sequence[CodeText], after: Sequence[CodeText]
) -> Iterator[tuple[CodeText | None, CodeText | None]]:
    """Which code became which; by their labels, which keep their order."""
    labels = [code.label for code in before], [code.label for code in after]
    for what, low, high, start, end in SequenceMatcher(None, *labels, autojunk=False).get_opcodes():
        if what == "equal":
            yield from zip(before[low:high], after[start:end], strict=True)
            continue
        same = {code.script: code for code in before[low:high] if code.script}
        taken: list[CodeText] = []
        for new in after[start:end]:
            old = same.pop(new.script, None) if "\n" in new.label else None
            if old is not None:
                taken.append(old)
            yield old, new
        for old in before[low:high]:
            if old not in taken:
                yield old, None


def _place(code: CodeText) -> str:
    if not code.name and not code.script:
        return f"{code.block or 'block without a name'}, an empty block"
    return f"{code.block} / {code.name}" if code.block else code.name or "code without a name"


def _list_operation(draft: Draft, given: Fields) -> None:
    """An operation as it stands, where the present SQL is not known."""
    op, block, code = given.text("op"), given.text("block_id"), given.text("code_id")
    place = code or block
    script = script_text(given.value("script"))
    where = "at the start" if given.text("position") == "start" else "at the end"
    if op == "set_code":
        draft.show(TextChange(f"{place}: all of its SQL", None, script, "sql"))
    elif op == "add_script":
        draft.show(Code(f"Added to {place}, {where}", script, "sql", "good"))
    elif op == "add_code":
        new = Fields(given.value("code"))
        script = script_text(new.value("script"))
        draft.show(Code(f"Added to {block}, {where}: {new.text('name')}", script, "sql", "good"))
    elif op == "add_block":
        new = Fields(given.value("block"))
        codes = new.objects("codes")
        if not codes:
            draft.say(f"Adds the empty block {quoted(new.text('name'))} {where}.", "good")
        for each in codes:
            text = script_text(each.value("script"))
            draft.show(
                Code(f"Added block, {where}: {new.text('name')} / {each.text('name')}", text, "sql", "good")
            )
            draft.warn(*sql_dangers(text))
        script = ""
    elif op == "str_replace":
        scope = f"in {place}" if place else "in all blocks"
        script = given.text("replace_with")
        draft.show(TextChange(f"Replaces text {scope}", given.text("search_for"), script, "sql"))
    elif op in ("remove_block", "remove_code"):
        draft.say(
            f"Removes {'block' if op == 'remove_block' else 'code'} {place} with all of its SQL.", "bad"
        )
    elif op in ("rename_block", "rename_code"):
        name = given.text("block_name" if op == "rename_block" else "code_name")
        draft.say(f"Renames {'block' if op == 'rename_block' else 'code'} {place} to {quoted(name)}.")
    else:
        draft.show(
            Code(f"{op or 'An operation without a name'}, not known", shown_json(given.every()), "json")
        )
    draft.warn(*sql_dangers(script))
