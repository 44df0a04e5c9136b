"""Descriptions of buckets, tables, columns and of the project (keboola-tools.md §4)."""

from __future__ import annotations

from collections import Counter

from kai_tui.conversation.reviews.call import Call
from kai_tui.conversation.reviews.draft import Draft, count
from kai_tui.conversation.reviews.objects import PROJECT, item_words, odd_fields, storage_item
from kai_tui.conversation.reviews.review import ObjectRef, TextChange


def update_descriptions(call: Call, draft: Draft) -> None:
    updates = call.arguments.objects("updates")
    refs: list[ObjectRef] = []
    for update in updates:
        item = update.text("item_id", "id")
        if not item:
            update.odd.append("item_id")
            continue
        ref = storage_item(item)
        refs.append(ref)
        _show(call, draft, item_words(ref), ref, update.text("description"))
    call.arguments.odd.extend(odd_fields(*updates))
    if alone := _alone(call):
        refs.append(alone)
        _show(call, draft, item_words(alone), alone, call.arguments.text("description"))
    draft.touches(*refs)
    draft.sentence = _sentence(refs)
    twice = [item for item, times in Counter(ref.id for ref in refs).items() if times > 1]
    if twice:
        draft.warn(f"More than one description for {', '.join(twice)}: the last one stays.")


def _alone(call: Call) -> ObjectRef | None:
    """What the older tools name, which describe one thing each."""
    bucket, table, column = (call.arguments.text(name) for name in ("bucket_id", "table_id", "column_name"))
    item = f"{table}.{column}" if table and column else table or bucket
    return storage_item(item) if item else None


def update_project_description(call: Call, draft: Draft) -> None:
    draft.sentence = "Update the description of the project"
    draft.touches(PROJECT)
    _show(call, draft, "project", PROJECT, call.arguments.text("description"))


def _show(call: Call, draft: Draft, title: str, ref: ObjectRef, text: str) -> None:
    present = call.present("description", ref)
    before = present.value if present is not None else None
    known = isinstance(before, str) or (present is not None and before is None)
    draft.show(TextChange(title, (before or "") if known else None, text, "", present if known else None))
    if not text.strip() and before != text:
        draft.warn(f"The description of {title} is emptied.")


def _sentence(refs: list[ObjectRef]) -> str:
    if not refs:
        return "Update descriptions"
    if len(refs) == 1:
        return f"Update the description of {item_words(refs[0])}"
    kinds = Counter(ref.kind for ref in refs)
    words = [count(times, kind if kind != "other" else "item") for kind, times in kinds.items()]
    listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    return f"Update the descriptions of {listed}"
