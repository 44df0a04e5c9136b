"""What the MCP server itself says an update would make of a configuration (keboola-tools.md §5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from kai_tui.conversation.reviews import present_configs
from kai_tui.conversation.reviews.call import Call, Fields
from kai_tui.conversation.reviews.draft import Draft
from kai_tui.conversation.reviews.review import ObjectRef, Present


@dataclass(frozen=True, slots=True)
class Previewed:
    """The configuration now and after the call."""

    original: Any
    updated: Any
    present: Present

    @property
    def now(self) -> Present:
        """The configuration as it is, for what nobody else knows."""
        return replace(self.present, value=self.original)

    @property
    def parameters(self) -> tuple[Any, Any]:
        """The parameters of both."""
        return (
            present_configs.parameters(self.original) or {},
            present_configs.parameters(self.updated) or {},
        )


def previewed(call: Call, draft: Draft, of: ObjectRef) -> Previewed | None:
    """The preview, where one is known and usable; says what it found wrong with the call."""
    present = call.present("preview", of)
    fields = Fields(present.value if present is not None else None)
    if present is None or not fields.is_object:
        return None
    errors = fields.texts("validation_errors")
    if fields.flag("is_valid") is False:
        draft.warn(f"The server says it would refuse this: {'; '.join(errors) or 'without a reason'}.")
    original, updated = fields.object("original_config"), fields.object("updated_config")
    if original is None or updated is None or not updated:
        return None
    return Previewed(original, updated, present)
