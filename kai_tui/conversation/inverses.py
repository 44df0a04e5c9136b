"""What would undo a call, as a message the user may send. Nothing here runs anything.

Descriptions go back to the text they had, configurations to what they were before the call: place by place where
that is known, else to their version before. The assistant has no tool that deletes, so what was made stays.
All text is raw.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from kai_tui.conversation.messages import Message, ToolPart, same_call
from kai_tui.conversation.reviews.call import Fields
from kai_tui.conversation.reviews.objects import PROJECT, item_words, storage_item
from kai_tui.conversation.reviews.review import ObjectRef, Present, Presents, Wanted
from kai_tui.conversation.reviews.reviewing import wanted
from kai_tui.conversation.seen_values import may_have_changed, seen_values
from kai_tui.conversation.tool_results import answer_of
from kai_tui.conversation.tools import risk

LONGEST: Final = 60_000
"""Characters of a message; what is longer is put back better in the web interface."""


@dataclass(frozen=True, slots=True)
class Inverse:
    """A message that asks for the opposite of a call."""

    message: str
    cautions: tuple[str, ...] = ()
    """What it does not undo, or undoes besides. Short sentences."""


@dataclass(frozen=True, slots=True)
class NoInverse:
    """Why a call cannot be undone by a message."""

    why: str
    """One sentence or two."""


Undoing: TypeAlias = Inverse | NoInverse

_CANNOT: Final[Mapping[str, str]] = {
    "run_job": "A job that ran cannot be undone: what it wrote stays.",
    "delete_python_js_data_app_draft": "A deleted draft cannot be brought back.",
    "create_oauth_url": "This only made an address. Nothing needs to be undone unless somebody authorized there.",
    "create_python_js_data_app_git_credential": "The assistant has no tool that takes a git token back. "
    "Revoke it in the web interface.",
    "link_shared_bucket": "The assistant has no tool that unlinks a bucket. Do it in the web interface.",
    "request_credentials": "What was given there is not known here. Change it in the web interface.",
}
_MAKES: Final = "The assistant has no tool that deletes what this call made. Delete it in the web interface."
_UNKNOWN_TOOL: Final = "How to undo {} is not known here. Ask for it in your own words."


def inverse(call: ToolPart, before: Presents) -> Undoing:
    """What would undo a call. `before`: values as they were before it. Never raises."""
    why_not = _nothing_to_undo(call)
    if why_not is not None:
        return NoInverse(why_not)
    try:
        found = _of_tool(call, before)
    except Exception:  # noqa: BLE001 - odd inputs of strangers; a wrong inverse would be worse than none
        return NoInverse("This call has a shape that is not understood. Ask for it in your own words.")
    if isinstance(found, Inverse) and len(found.message) > LONGEST:
        return NoInverse("What was there before is too long for a message. Restore it in the web interface.")
    return found


def may_be_undone(call: ToolPart) -> bool:
    """Whether there is an inverse as soon as it is known what was there before."""
    tool = call.tool_name
    if _nothing_to_undo(call) is not None:
        return False
    if tool == "deploy_data_app":
        return isinstance(_deployment(call), Inverse)
    return tool in _DESCRIBES or (tool in _CONFIGURES and not _makes(call))


def version_before(call: ToolPart) -> tuple[ObjectRef, int] | None:
    """The configuration a call changed, and the number of its version before; None where the call does not say."""
    if call.tool_name not in _CONFIGURES or _makes(call) or _nothing_to_undo(call) is not None:
        return None
    from kai_tui.conversation.inverse_configurations import changed_configuration

    return changed_configuration(call)


def values_before(messages: Sequence[Message], call: ToolPart) -> dict[Wanted, Present]:
    """What the chat had shown, when a call ran, of what it changed."""
    earlier: list[Message] = []
    for message in messages:
        parts = message.parts if message.calls_any((call.tool_call_id,)) else ()
        at = next((index for index, part in enumerate(parts) if same_call(part, call)), None)
        if at is not None:
            earlier.append(Message(message.id, message.role, message.parts[:at]))
            return seen_values(earlier, wanted(call.tool_name, call.input))
        earlier.append(message)
    return {}


def changed_since(messages: Sequence[Message], call: ToolPart) -> bool:
    """Whether a later call of the chat may have changed the same things again."""
    wishes = [
        each for each in wanted(call.tool_name, call.input) if each.what in ("description", "configuration")
    ]
    later = False
    for message in messages:
        for part in message.tool_calls():
            if (
                later
                and risk(part.tool_name) != "reads"
                and any(may_have_changed(part, each) for each in wishes)
            ):
                return True
            later = later or same_call(part, call)
    return False


def _nothing_to_undo(call: ToolPart) -> str | None:
    if risk(call.tool_name) == "reads":
        return "This call only looked. It changed nothing."
    approval = call.approval
    if call.state == "output-denied" or (approval is not None and approval.get("approved") is False):
        return "This call was denied. It changed nothing."
    if call.state == "output-error" or (call.settled and answer_of(call.output)[1]):
        return "This call failed. Whether it changed anything is not known: have a look first."
    if not call.settled:
        return "This call has not ended. There is nothing to undo yet."
    if Fields(call.output).value("_declined") is True:
        return "This call was denied. It changed nothing."
    return None


def _of_tool(call: ToolPart, before: Presents) -> Undoing:
    tool = call.tool_name
    if tool == "update_descriptions":
        return _descriptions(call, before)
    if tool == "update_project_description":
        return _project_description(before)
    if tool == "deploy_data_app":
        return _deployment(call)
    if tool in _CANNOT:
        return NoInverse(_CANNOT[tool])
    if tool in _CONFIGURES and not _makes(call):
        from kai_tui.conversation.inverse_configurations import configuration_back

        return configuration_back(call, before)
    if tool in _CONFIGURES or tool.startswith("create_") or tool == "add_config_row":
        return NoInverse(_MAKES)
    return NoInverse(_UNKNOWN_TOOL.format(tool or "this call"))


_DESCRIBES: Final = frozenset({"update_descriptions", "update_project_description"})
_CONFIGURES: Final = frozenset(
    {
        "update_config",
        "update_config_row",
        "update_sql_transformation",
        "update_flow",
        "modify_flow",
        "modify_streamlit_data_app",
        "modify_data_app",
        "modify_python_js_data_app",
    }
)


def _makes(call: ToolPart) -> bool:
    """Whether a tool that makes and changes was asked to make."""
    return "data_app" in call.tool_name and not Fields(call.input).text("configuration_id", "config_id")


# Descriptions


def _descriptions(call: ToolPart, before: Presents) -> Undoing:
    updates = {update.text("item_id", "id"): update.text("description") for update in _updates(call)}
    failed = _failed(call)
    back: dict[str, str] = {}
    unknown: list[str] = []
    for item, new in updates.items():
        if not item or item in failed:
            continue
        present = before.get(Wanted("description", storage_item(item)))
        if present is None:
            unknown.append(item)
        else:
            old = present.value if isinstance(present.value, str) else ""
            if old != new:
                back[item] = old
    if not back:
        known = "The text there was before is not known here." if unknown else "The text was the same before."
        return NoInverse(known)
    cautions = (
        (f"Not put back, because their texts before are not known here: {', '.join(unknown)}.",)
        if unknown
        else ()
    )
    if len(back) == 1:
        [(item, old)] = back.items()
        return Inverse(_one_text(f"the description of {item_words(storage_item(item))}", old), cautions)
    texts = [f"{item_words(storage_item(item))}{_text_of(old)}" for item, old in back.items()]
    head = f"Please undo your change: set these {len(back)} descriptions back to exactly these texts."
    return Inverse("\n\n".join([head, *texts]), cautions)


def _updates(call: ToolPart) -> list[Fields]:
    return Fields(call.input).objects("updates")


def _failed(call: ToolPart) -> set[str]:
    """Items the answer says were not changed."""
    answer, _ = answer_of(call.output)
    return {
        each.text("item_id", "id")
        for each in Fields(answer).objects("results")
        if each.flag("success") is False
    }


def _project_description(before: Presents) -> Undoing:
    present = before.get(Wanted("description", PROJECT))
    if present is None:
        return NoInverse("The text there was before is not known here.")
    old = present.value if isinstance(present.value, str) else ""
    return Inverse(_one_text("the description of the project", old))


def _one_text(what: str, old: str) -> str:
    if not old:
        return f"Please undo your change: remove {what} again. There was none: set it to an empty text."
    return f"Please undo your change: set {what} back to exactly this text:\n\n{fenced(old)}"


def _text_of(old: str) -> str:
    return f":\n{fenced(old)}" if old else ": an empty text, there was none"


def fenced(text: str, language: str = "") -> str:
    """A text between marks that do not occur in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks}{language}\n{text}\n{marks}"


# Data apps


def _deployment(call: ToolPart) -> Undoing:
    given = Fields(call.input)
    app, mode = given.text("configuration_id", "config_id"), given.text("mode")
    if given.text("action") != "stop" or not app:
        return NoInverse(
            "Whether the app ran before, and in which version, is not known here. Ask for it in your own words."
        )
    how = f" in the mode {mode}" if mode else ""
    return Inverse(
        f"Please undo your change: deploy the data app {app} again{how}.",
        ("It is deployed as it is now, which may be another version than the one that was stopped.",),
    )
