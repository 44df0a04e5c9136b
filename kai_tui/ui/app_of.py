"""The app of a node, with its type known: Textual leaves the app's result type open."""

from __future__ import annotations

from typing import Any, cast

from textual.app import App
from textual.dom import DOMNode


def app_of(node: DOMNode) -> App[Any]:
    """The running app."""
    return cast("App[Any]", node.app)  # pyright: ignore[reportUnknownMemberType] the open parameter
