"""The objects a call names, under keys that are the same for every tool that names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kai_tui.conversation.reviews.call import Call, Fields
from kai_tui.conversation.reviews.review import ObjectKind, ObjectRef

FLOW_COMPONENTS: Final = ("keboola.flow", "keboola.orchestrator")
DATA_APPS: Final = "keboola.data-apps"
PROJECT: Final = ObjectRef("project", "")
_BY_DOTS: Final[Mapping[int, ObjectKind]] = {1: "bucket", 2: "table"}


def storage_item(item_id: str) -> ObjectRef:
    """A bucket `in.c-x`, a table `in.c-x.t` or a column `in.c-x.t.col`."""
    dots = item_id.count(".")
    return ObjectRef(_BY_DOTS.get(dots, "column" if dots else "other"), item_id)


def configuration(component: str, config: str, row: str = "") -> ObjectRef:
    """A configuration, or what it is called where its component makes something else of it."""
    if any("/" in part for part in (component, config, row)):
        # Joined they could read like the ids of another thing, which somebody may have allowed.
        return ObjectRef("other", " | ".join(part for part in (component, config, row) if part))
    if component == DATA_APPS:
        return ObjectRef("data app", config)
    if row:
        return ObjectRef("configuration row", f"{component}/{config}/{row}")
    if component in FLOW_COMPONENTS:
        return ObjectRef("flow", f"{component}/{config}")
    return ObjectRef("configuration", f"{component}/{config}")


def flow_of(component: str, flow: str) -> ObjectRef:
    """A flow; the component may not be said."""
    ref = configuration(component, flow)
    return ref if ref.kind == "other" else ObjectRef("flow", f"{component}/{flow}")


def component_id(call: Call) -> str:
    return call.arguments.text("component_id")


def configuration_id(call: Call) -> str:
    return call.arguments.text("configuration_id", "config_id")


def configuration_words(component: str, config: str) -> str:
    """A configuration inside a sentence."""
    if component in FLOW_COMPONENTS:
        return f"flow {config}" if config else "a flow"
    if component == DATA_APPS:
        return f"data app {config}" if config else "a data app"
    if not config:
        return f"a configuration of {component}" if component else "a configuration that is not named"
    return f"configuration {config} of {component}" if component else f"configuration {config}"


def item_words(ref: ObjectRef) -> str:
    """A bucket, table or column inside a sentence."""
    return ref.id if ref.kind == "other" else f"{ref.kind} {ref.id}"


def odd_fields(*given: Fields) -> list[str]:
    """The names of everything that was not understood."""
    return list(dict.fromkeys(name for fields in given for name in fields.odd))
