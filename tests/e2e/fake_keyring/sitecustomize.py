"""On PYTHONPATH: the system keyring is a JSON file named by FAKE_KEYRING.

kai-tui uses only keyrings that ask the operating system, told by their module. So this one takes
the name of one of those, before it is imported.
"""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path

NAME = "keyring.backends.libsecret"


class _Finder(MetaPathFinder):
    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if fullname != NAME:
            return None
        return spec_from_file_location(NAME, Path(__file__).with_name("json_keyring.py"))


sys.meta_path.insert(0, _Finder())
