"""A keyring in a JSON file, for `sitecustomize`."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class Keyring(KeyringBackend):
    """Keeps what it is given."""

    priority = 5

    def get_password(self, service: str, username: str) -> str | None:
        return self._read().get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._write({**self._read(), f"{service} {username}": password})

    def delete_password(self, service: str, username: str) -> None:
        entries = self._read()
        if entries.pop(f"{service} {username}", None) is None:
            raise PasswordDeleteError("not there")
        self._write(entries)

    @property
    def _file(self) -> Path:
        return Path(os.environ["FAKE_KEYRING"])

    def _read(self) -> dict[str, str]:
        return json.loads(self._file.read_text()) if self._file.exists() else {}

    def _write(self, entries: dict[str, str]) -> None:
        self._file.write_text(json.dumps(entries))
