"""From a call to its review. Names that are not known work too: those count as changing something."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from kai_tui.conversation.reviews import (
    configurations,
    data_apps,
    descriptions,
    flows,
    other_tools,
    running,
    transformations,
)
from kai_tui.conversation.reviews.call import Call
from kai_tui.conversation.reviews.draft import Draft
from kai_tui.conversation.reviews.effects import contradicts, effects_of
from kai_tui.conversation.reviews.generic import generic, known_as, show_arguments
from kai_tui.conversation.reviews.older_names import name_today
from kai_tui.conversation.reviews.review import ObjectRef, Presents, Review, Wanted

_CHANGING: Final = ("update_", "modify_")
_Reviewer = Callable[[Call, Draft], None]

_REVIEWERS: Final[Mapping[str, _Reviewer]] = {
    "update_descriptions": descriptions.update_descriptions,
    "update_project_description": descriptions.update_project_description,
    "run_job": running.run_job,
    "run_sync_action": running.run_sync_action,
    "create_config": configurations.create_config,
    "add_config_row": configurations.add_config_row,
    "update_config": configurations.update_config,
    "update_config_row": configurations.update_config_row,
    "create_sql_transformation": transformations.create_sql_transformation,
    "update_sql_transformation": transformations.update_sql_transformation,
    "create_flow": flows.create_flow,
    "create_conditional_flow": flows.create_flow,
    "update_flow": flows.update_flow,
    "modify_flow": flows.update_flow,
    "modify_streamlit_data_app": data_apps.modify_streamlit_data_app,
    "modify_python_js_data_app": data_apps.modify_python_js_data_app,
    "delete_python_js_data_app_draft": data_apps.delete_python_js_data_app_draft,
    "deploy_data_app": data_apps.deploy_data_app,
    "create_python_js_data_app_git_credential": data_apps.create_python_js_data_app_git_credential,
    "create_oauth_url": other_tools.create_oauth_url,
    "link_shared_bucket": other_tools.link_shared_bucket,
    "create_bucket": other_tools.create_bucket,
    "query_data": other_tools.query_data,
    "request_credentials": other_tools.request_credentials,
    "fetch_website": other_tools.fetch_website,
    "search_internet": other_tools.search_internet,
}


def wanted(tool: str, input: Any) -> Sequence[Wanted]:
    """The present values that `review` could show the change against. Never raises."""
    call = Call(tool, input, None, {})
    _reviewed(call, "")
    return list(call.wishes)


def review(
    tool: str,
    input: Any,
    *,
    read_only: bool | None = None,
    title_given: str = "",
    presents: Presents | None = None,
) -> Review:
    """What to show of a call. Never raises, whatever the input is.

    `read_only`: the server's own mark (kai.md §4.12); `title_given`: what the server calls the tool;
    `presents`: the values of `wanted` that are known by now.
    """
    return _reviewed(Call(tool, input, read_only, presents or {}), title_given)


def _reviewed(call: Call, title_given: str) -> Review:
    draft = _new(call, title_given)
    try:
        reviewer = _REVIEWERS.get(name_today(call.tool), generic) if call.arguments.is_object else generic
        reviewer(call, draft)
        if reviewer is not generic:
            if not draft.blocks and not draft.cautions and name_today(call.tool).startswith(_CHANGING):
                draft.say("It does not say what is to be changed.", "warning")
            _show_rest(call, draft)
    except Exception:  # noqa: BLE001 - a shape nobody thought of must not keep the question from being asked
        draft = _new(call, title_given)
        draft.warn("This call has a shape that is not understood. Look at its arguments.")
        draft.touches(ObjectRef("other", "not understood"))
    _finish(call, draft)
    return draft.review(call.reason)


def _new(call: Call, title_given: str) -> Draft:
    draft = Draft("", list(effects_of(call.tool, call.read_only)))
    known_as(draft, call, title_given)
    return draft


def _show_rest(call: Call, draft: Draft) -> None:
    """What the special view has no place for is shown all the same."""
    rest = call.arguments.unread()
    if rest:
        draft.say("Not known to this program, but sent along:", "warning")
        show_arguments(draft, rest, "Further arguments")


def _finish(call: Call, draft: Draft) -> None:
    _name_what_is_not_named(draft)
    odd = list(dict.fromkeys(call.arguments.odd))
    if odd:
        draft.warn(f"Not as expected: {', '.join(odd)}. Look at all arguments.")
        draft.touches(*(ObjectRef("other", f"{name}, not understood") for name in odd))
    if contradicts(call.tool, call.read_only):
        draft.warn("The server says that this tool only reads; its name says otherwise.")
    if not draft.to_type and draft.effects[0] in ("destroys", "deploys"):
        draft.to_type = name_to_type(draft.objects, call.tool)


def _name_what_is_not_named(draft: Draft) -> None:
    """An object without an id must not be taken for another one without an id."""
    for at, ref in enumerate(draft.objects):
        if ref.kind == "other" and " | " in ref.id:
            draft.warn(f"An id with a slash in it: {ref.id}.")
        if ref.kind != "project" and (not ref.id.strip() or ref.id.endswith("/")):
            draft.objects[at] = ObjectRef("other", f"a {ref.kind} that is not named")
            draft.warn(f"The call does not say which {ref.kind} it is about.")


def name_to_type(objects: Sequence[ObjectRef], tool: str) -> str:
    """The last part of the first object's id, where a person can type it; else the tool's name."""
    for ref in objects:
        if ref.kind == "other":
            continue
        name = ref.id.rsplit("/", 1)[-1]
        if name.isascii() and name.isprintable() and 0 < len(name.strip()) == len(name) <= 80:
            return name
    return tool
