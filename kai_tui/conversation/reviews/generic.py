"""A call of a tool nothing special is known of: its name in words, the objects it seems to name, its arguments."""

from __future__ import annotations

import re
from typing import Any, Final

from kai_tui.conversation.reviews.call import Call, plain_name
from kai_tui.conversation.reviews.code_texts import language_of
from kai_tui.conversation.reviews.draft import Draft
from kai_tui.conversation.reviews.objects import component_id, configuration, storage_item
from kai_tui.conversation.reviews.review import Code, ObjectRef
from kai_tui.conversation.reviews.secret_values import shown_json
from kai_tui.conversation.reviews.value_warnings import warn_of_values
from kai_tui.conversation.tools import headline, title

_LONGEST_SUBJECT: Final = 120
_STORAGE: Final = re.compile(r"(?:in|out|sys)\.[^\s]+")


def generic(call: Call, draft: Draft) -> None:
    draft.touches(*_objects(call))
    subject = _subject(call, draft)
    draft.sentence = f"{draft.sentence}: {subject}" if subject else draft.sentence
    if call.arguments.is_object:
        show_arguments(draft, call.arguments.every(), "Arguments")
        warn_of_values(draft, call.arguments.every())
        call.arguments.odd.clear()
    elif call.input is not None and call.input != "":
        draft.show(Code("Input", call.input if isinstance(call.input, str) else shown_json(call.input)))


def known_as(draft: Draft, call: Call, title_given: str) -> None:
    """The tool's name in words, or what the server calls it."""
    draft.sentence = title_given.strip() or title(call.tool) or "A tool without a name"


def show_arguments(draft: Draft, arguments: dict[str, Any], heading: str) -> None:
    """Texts of several lines and code as blocks of their own, the rest as JSON."""
    short: dict[str, Any] = {}
    long: list[Code] = []
    for key, value in arguments.items():
        if isinstance(value, str) and not key.startswith("#") and "\n" in value:
            long.append(Code(key, value, language_of(key, value)))
        else:
            short[key] = value
    if short:
        draft.show(Code(heading, shown_json(short), "json"))
    draft.show(*long)


def _subject(call: Call, draft: Draft) -> str:
    if draft.objects:
        return ", ".join(ref.id.strip("/").replace("/", " / ") for ref in draft.objects[:3])
    said = headline(call.tool, call.input)
    return said if len(said) <= _LONGEST_SUBJECT and "\n" not in said else ""


def _objects(call: Call) -> list[ObjectRef]:
    """What the usual names point to."""
    given = call.arguments
    found: list[ObjectRef] = []
    config = given.text("configuration_id", "config_id")
    if config:
        row = given.text("configuration_row_id", "row_id")
        found.append(configuration(component_id(call), config, row))
    elif component := given.text("component_id"):
        found.append(ObjectRef("component", component))
    for name in ("item_id", "table_id", "bucket_id", "table", "bucket"):
        item = given.text(name)
        if _STORAGE.fullmatch(item):
            found.append(storage_item(item))
    for name in ("item_ids", "table_ids", "bucket_ids"):
        found += [storage_item(item) for item in given.texts(name) if _STORAGE.fullmatch(item)]
    if job := given.text("job_id"):
        found.append(ObjectRef("job", job))
    if found:
        return found
    for key, value in given.unread().items():
        if plain_name(key).endswith("_id") and isinstance(value, str | int) and not isinstance(value, bool):
            found.append(ObjectRef("other", f"{plain_name(key).removesuffix('_id')} {value}"))
    return found
