"""The user's settings: one TOML file in the config folder, made to be edited by hand too."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, cast

from kai_tui.storage.errors import StorageError, reason
from kai_tui.storage.paths import Paths
from kai_tui.storage.private import exclusive, write_private


class Settings(NamedTuple):
    """Every setting with its default."""

    theme: str = "kai-dark"
    """Name of a theme; the screen falls back to the default for one it does not have."""
    sidebar: bool = True
    """Whether the list of chats is open at start."""
    notify: str = "auto"
    """How the desktop hears that a reply ended or a decision is needed while nobody looks."""
    mouse: str = "on"
    """Whether the program hears the mouse; off: it is the terminal's, to select with."""


_TYPES: dict[str, tuple[type, str]] = {
    "theme": (str, 'a text such as "kai-dark"'),
    "sidebar": (bool, "true or false"),
    "notify": (str, "one of auto, osc9, osc777, osc99, bell, off"),
    "mouse": (str, '"on" or "off"'),
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "notify": ("auto", "osc9", "osc777", "osc99", "bell", "off"),
    "mouse": ("on", "off"),
}
KNOWN = Settings._fields


def settings_file(paths: Paths) -> Path:
    """Where the settings are."""
    return paths.config / "settings.toml"


def load_settings(paths: Paths) -> tuple[Settings, list[str]]:
    """The settings, and one sentence for each thing that is wrong with the file. Never raises.

    A wrong or unknown entry is left out, the others count. Foreign text in the sentences is raw.
    """
    file = settings_file(paths)
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return Settings(), []
    except (OSError, UnicodeDecodeError) as error:
        why = reason(error) if isinstance(error, OSError) else "it is not UTF-8 text"
        return Settings(), [f"The settings cannot be read ({file}: {why}). Defaults are used."]
    import tomllib

    try:
        entries = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # not only TOMLDecodeError: a number of 5,000 digits
        why = str(error) or "nested too deeply"
        return Settings(), [f"The settings file is not TOML ({file}: {why}). Defaults are used."]
    values: dict[str, Any] = {}
    problems: list[str] = []
    for key, value in entries.items():
        problem = _problem(key, value)
        if problem is None:
            values[key] = value
        else:
            problems.append(f"{file.name}: {problem}")
    return Settings(**values), problems


def _problem(key: str, value: object) -> str | None:
    if key not in _TYPES:
        import difflib

        near = difflib.get_close_matches(key, KNOWN, 1)
        hint = f' Did you mean "{near[0]}"?' if near else f" Known are: {', '.join(KNOWN)}."
        return f'there is no setting "{key}".{hint}'
    wanted, words = _TYPES[key]
    if type(value) is not wanted or (key in _CHOICES and value not in _CHOICES[key]):
        return f'"{key}" must be {words}. The default is used.'
    return None


def save_setting(paths: Paths, key: str, value: str | bool) -> None:
    """Change one setting and keep everything else in the file as it is, comments too.

    Raises StorageError, also for a file that is not TOML: it is the user's, so it is not replaced.
    Raises ValueError for a key or value that is none of ours.
    """
    problem = _problem(key, value)
    if problem is not None:
        raise ValueError(problem)
    # A link into a folder of dotfiles stays a link.
    file = settings_file(paths).resolve()
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    with exclusive(file):
        try:
            try:
                document = tomlkit.parse(file.read_bytes().decode("utf-8-sig"))
            except FileNotFoundError:
                document = tomlkit.document()
            cast(dict[str, object], document)[key] = value
            write_private(file, tomlkit.dumps(document).encode())  # pyright: ignore[reportUnknownMemberType] - untyped argument
        except OSError as error:
            raise StorageError(
                f"The setting could not be saved ({file}: {reason(error)}).", fault="unwritable"
            ) from error
        except (TOMLKitError, ValueError, RecursionError) as error:
            raise StorageError(
                f"The setting was not saved: {file} is not TOML. Mend or remove it."
            ) from error
