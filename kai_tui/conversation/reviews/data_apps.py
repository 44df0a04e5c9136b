"""Data apps: making, changing, deploying, stopping, deleting drafts, git tokens (keboola-tools.md §2, §4)."""

from __future__ import annotations

from typing import Any

from kai_tui.conversation.reviews import present_configs
from kai_tui.conversation.reviews.call import Call, Fields
from kai_tui.conversation.reviews.code_texts import script_text
from kai_tui.conversation.reviews.config_parts import show_folder
from kai_tui.conversation.reviews.draft import Draft, quoted
from kai_tui.conversation.reviews.objects import PROJECT, configuration_id
from kai_tui.conversation.reviews.previews import Previewed, previewed
from kai_tui.conversation.reviews.review import Code, Grid, ObjectRef, Present, TextChange, Tone
from kai_tui.conversation.reviews.running import duration
from kai_tui.conversation.reviews.storage_mapping import show_replaced_storage


def modify_streamlit_data_app(call: Call, draft: Draft) -> None:
    given = call.arguments
    app = configuration_id(call)
    _name(call, draft, app, "Streamlit data app")
    present: Present | None = None
    preview: Previewed | None = None
    if app:
        ref = draft.objects[0]
        present = call.present("source", ref)
        preview = previewed(call, draft, ref)
    _show_description(call, draft)
    authentication(call, draft)
    _packages(draft, given.texts("packages"), _value(preview, present, "packages"))
    code = given.text("source_code")
    before = source_text(preview.original if preview else present.value if present else None)
    origin = preview.present if preview else present
    if code and before == code:
        draft.say("The source code stays as it is.", "quiet")
    elif code:
        known = before is not None
        draft.show(TextChange("Source code", before, code, "python", origin if known else None))
    show_folder(call, draft, new=not app)


def modify_python_js_data_app(call: Call, draft: Draft) -> None:
    given = call.arguments
    app, parent = configuration_id(call), given.text("parent_configuration_id")
    _name(call, draft, app, "data app")
    if parent and not app:
        draft.sentence = f"Create a draft of data app {parent}"
        draft.objects[:] = [ObjectRef("data app", parent)]
    _show_description(call, draft)
    facts = [("slug", given.text("slug")), ("parent", parent), ("git branch", given.text("branch"))]
    seconds = given.value("auto_suspend_after_seconds")
    if seconds is not None:
        facts.append(("suspends itself after", duration(seconds) or given.text("auto_suspend_after_seconds")))
    if found := [fact for fact in facts if fact[1]]:
        draft.show(Grid("Settings", ("", ""), found))
    authentication(call, draft)
    storage = given.object("storage")
    if storage is not None:
        present = call.present("configuration", ObjectRef("data app", app)) if app else None
        show_replaced_storage(draft, storage, present, new=not app)
    show_folder(call, draft, new=not app)


def delete_python_js_data_app_draft(call: Call, draft: Draft) -> None:
    app = configuration_id(call)
    draft.touches(ObjectRef("data app", app))
    draft.sentence = f"Delete the data app draft {app or 'that is not named'}"
    draft.say(f"Deletes the draft {app}; this cannot be undone.", "bad")
    draft.to_type = app


def deploy_data_app(call: Call, draft: Draft) -> None:
    app, action, mode = configuration_id(call), call.arguments.text("action"), call.arguments.text("mode")
    draft.touches(ObjectRef("data app", app))
    words = {"deploy": "Deploy", "stop": "Stop"}.get(action)
    draft.sentence = f"{words or f'Do {quoted(action)} with'} data app {app or 'that is not named'}"
    if mode:
        draft.sentence += f" ({mode})"
    if action == "stop":
        draft.warn("Takes the app down: nobody can open it until it is deployed again.")
    elif action == "deploy":
        draft.say(
            "The app is started anew with what is saved now; it costs credits while it runs.", "warning"
        )
        draft.also("costs")
    else:
        draft.warn("It is not known what this action does.")


def create_python_js_data_app_git_credential(call: Call, draft: Draft) -> None:
    app = configuration_id(call)
    draft.touches(ObjectRef("data app", app))
    draft.sentence = f"Create a git token for data app {app or 'that is not named'}"
    draft.warn("The secret goes to the model and into this chat.")
    if permissions := call.arguments.text("permissions"):
        draft.say(f"Permissions: {permissions}.")


def authentication(call: Call, draft: Draft) -> None:
    """Who can open the app."""
    kind = call.arguments.text("authentication_type")
    if kind == "no-auth":
        draft.warn("Anyone with the link can open it (no-auth).")
        draft.say("Sign-in: none. Anyone with the link can open it.", "bad")
    elif kind == "basic-auth":
        draft.say("Sign-in: with a password (basic-auth).")
    elif kind == "default":
        draft.say("Sign-in: as it is set now; a new app asks for a password (default).")
    elif kind:
        draft.say(f"Sign-in: {kind}, which is not known to this program.", "warning")


def source_text(value: Any) -> str | None:
    """The source of an app: as text, or inside its configuration."""
    if isinstance(value, str):
        return value
    for name in ("source_code", "script", "source"):
        found = present_configs.part(value, name)
        if isinstance(found, str | list):
            return script_text(found)
    return None


def _name(call: Call, draft: Draft, app: str, kind: str) -> None:
    name = call.arguments.text("name")
    if app:
        draft.touches(ObjectRef("data app", app))
        draft.sentence = f"Change {kind} {app}"
        if name:
            draft.say(f"Its name: {name}")
    else:
        draft.effects = ["creates"]
        draft.touches(PROJECT)
        draft.sentence = f"Create {kind} {quoted(name)}" if name else f"Create a {kind}"


def _show_description(call: Call, draft: Draft) -> None:
    if text := call.arguments.text("description"):
        draft.show(Code("Description", text))


def _value(preview: Previewed | None, present: Present | None, name: str) -> Any:
    value = preview.original if preview else present.value if present else None
    return present_configs.part(value, name)


def _packages(draft: Draft, packages: list[str], before: Any) -> None:
    old = Fields({"packages": before}).texts("packages") if isinstance(before, list) else None
    if not packages and not old:
        return
    if old is None:
        draft.show(Grid("Packages", ("package",), [(each,) for each in packages]))
        return
    rows = [("" if each in old else "+", each) for each in packages]
    rows += [("−", each) for each in old if each not in packages]
    tones: list[Tone] = ["good" if mark == "+" else "bad" if mark else "plain" for mark, _ in rows]
    draft.show(Grid("Packages", ("", "package"), rows, tones))
