"""The registry of actions: keys that work, and nothing promised that is not there."""

from textual.binding import Binding
from textual.widgets import TextArea

from kai_tui.ui.action_words import hints, key_name, markdown_table
from kai_tui.ui.actions import ACTIONS, Action, action, bindings
from kai_tui.ui.app import KaiApp
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.screens.start import StartScreen
from tests.some import for_all

OWNERS = {"app": KaiApp, "chat": ChatScreen, "start": StartScreen}


def text_area_keys() -> set[str]:
    return {
        key.strip()
        for binding in TextArea.BINDINGS
        if isinstance(binding, Binding)
        for key in binding.key.split(",")
    }


def test_names_are_unique() -> None:
    names = [item.name for item in ACTIONS]
    assert len(names) == len(set(names))


def test_bound_keys_are_unique_and_not_the_prompts() -> None:
    """One key, one meaning; and none that a text field needs, but those it leaves to the conversation."""
    seen: dict[str, str] = {}
    for item in ACTIONS:
        if item.scope not in OWNERS:
            continue
        for key in item.keys:
            assert key not in seen, f"{key}: {item.name} and {seen[key]}"
            seen[key] = item.name
    shared = {"pageup", "pagedown", "ctrl+c"}
    assert not (set(seen) & text_area_keys()) - shared
    for unusable in ("ctrl+h", "ctrl+i", "ctrl+j", "ctrl+m"):
        assert unusable not in seen


@for_all([item for item in ACTIONS if item.scope in OWNERS])
def test_every_bound_action_has_its_method(item: Action) -> None:
    method = getattr(OWNERS[item.scope], f"action_{item.name}", None)
    assert callable(method)


@for_all(ACTIONS)
def test_every_action_explains_itself(item: Action) -> None:
    assert item.label
    assert item.help.endswith(".")
    assert item.keys or item.palette


def test_every_bound_action_without_a_key_is_in_the_palette() -> None:
    assert all(item.palette for item in ACTIONS if not item.keys)


def test_bindings_carry_the_action_names() -> None:
    ids = {binding.id for binding in bindings("chat") if isinstance(binding, Binding)}
    assert "new_chat" in ids
    assert bindings("composer") == []


def test_key_names() -> None:
    assert key_name("ctrl+b") == "Ctrl+B"
    assert key_name("f1") == "F1"
    assert key_name("escape") == "Esc"
    assert key_name("alt+up") == "Alt+↑"
    assert key_name("d") == "d"
    assert hints(("show_help",)) == (("F1", "help"),)


def test_the_table_for_the_readme_has_every_key() -> None:
    table = markdown_table()
    for item in ACTIONS:
        for key in item.keys if item.name != "pick_choice" else ():
            assert f"`{key_name(key)}`" in table
    assert "| `1` … `9` |" in table
    assert action("new_chat").help in table
