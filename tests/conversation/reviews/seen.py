"""Looking into a review."""

from collections.abc import Mapping
from typing import Any

from kai_tui.conversation.reviews.review import (
    Code,
    Grid,
    ObjectRef,
    PathChange,
    PathChanges,
    Present,
    Review,
    TextChange,
    Wanted,
    Words,
)


def changes(seen: Review) -> list[PathChange]:
    return [change for block in seen.blocks if isinstance(block, PathChanges) for change in block.changes]


def grids(seen: Review) -> dict[str, Grid]:
    return {block.title: block for block in seen.blocks if isinstance(block, Grid)}


def codes(seen: Review) -> list[Code]:
    return [block for block in seen.blocks if isinstance(block, Code)]


def texts(seen: Review) -> list[TextChange]:
    return [block for block in seen.blocks if isinstance(block, TextChange)]


def words(seen: Review) -> str:
    return "\n".join(block.text for block in seen.blocks if isinstance(block, Words))


def known(of: ObjectRef, **values: Any) -> Mapping[Wanted, Present]:
    """`configuration=…`, `jobs=…`: present values of an object, from the project."""
    return {Wanted(what, of): Present(value, "project", 1.0) for what, value in values.items()}  # type: ignore[arg-type]
