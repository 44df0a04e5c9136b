"""What the user likes: a few settings the screen reads and writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kai_tui.storage.paths import Paths


class Preferences:
    """Settings of this computer's user; every failure to save is quiet but said in `problems`."""

    def __init__(self, paths: Paths | None = None) -> None:
        from kai_tui.storage.settings import Settings, load_settings

        self._paths = paths
        self.problems: Sequence[str] = []
        """Sentences about the settings file that the user should see once."""
        if paths is None:
            self._settings = Settings()
        else:
            self._settings, self.problems = load_settings(paths)

    @property
    def theme(self) -> str:
        return self._settings.theme

    @property
    def sidebar(self) -> bool:
        return self._settings.sidebar

    @property
    def notify(self) -> str:
        """`auto`, `osc9`, `osc777`, `osc99`, `bell` or `off`."""
        return self._settings.notify

    @property
    def mouse(self) -> bool:
        """Whether the program hears the mouse."""
        return self._settings.mouse == "on"

    def set(self, key: str, value: str | bool) -> None:
        """Change one setting and keep it, with the file's comments."""

        from kai_tui.storage.errors import StorageError
        from kai_tui.storage.settings import save_setting

        self._settings = self._settings._replace(**{key: value})
        if self._paths is None:
            return
        try:
            save_setting(self._paths, key, value)
        except StorageError as error:
            self.problems = [*self.problems, error.sentence]
