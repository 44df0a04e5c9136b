"""What is shown of a call before somebody decides about it. All text is raw: whoever draws it makes it safe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Effect: TypeAlias = Literal["destroys", "deploys", "runs", "costs", "changes", "creates", "reads", "unknown"]
"""What a call does to the project; `unknown` is to be treated as changing something."""

ObjectKind: TypeAlias = Literal[
    "project",
    "bucket",
    "table",
    "column",
    "configuration",
    "configuration row",
    "flow",
    "data app",
    "job",
    "component",
    "other",
]


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """Something in the project that a call touches."""

    kind: ObjectKind
    id: str
    """As the tool names it; of configurations and flows `component/configuration`, of their rows
    `component/configuration/row`; the component is empty where the call does not say it. Of data apps the
    configuration's id alone; of the project nothing. What was not understood is `other` and matches nothing else."""
    name: str = field(default="", compare=False)
    """What people call it, when that is known; no part of what makes two equal."""


Source: TypeAlias = Literal["chat", "project", "preview"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A present value that would help to decide."""

    what: Literal["description", "configuration", "jobs", "source", "preview"]
    """What, and in which shape, wherever it comes from:

    - `description` of an object: text, empty when it has none.
    - `configuration` (also of flows, data apps and rows): an object with `component_id, configuration_id, id, name,
      description, version, change_description, is_disabled`, as far as they are known, all that the Storage API has
      inside of `configuration` (`parameters, storage, processors, …`; of a flow `phases, tasks`), and `rows`: a list
      of the same without rows.
    - `jobs`: the last runs of a configuration, the newest first: a list of `{id, status, finished, created, started,
      ended, seconds, message, url}`, the times in ISO 8601.
    - `source` of a data app: text.
    - `preview`: the MCP server's answer about an update (keboola-tools.md §5): `{originalConfig, updatedConfig,
      isValid, validationErrors?}`, both as the Storage API has a configuration, with `configuration` inside.
    """
    of: ObjectRef


@dataclass(frozen=True, slots=True)
class Present:
    """A present value, where it was seen and when."""

    value: Any
    source: Source
    seen: float | None = None
    """Seconds since the epoch; None when nobody knows."""


Presents: TypeAlias = Mapping[Wanted, Present]

Tone: TypeAlias = Literal["plain", "quiet", "good", "warning", "bad"]


@dataclass(frozen=True, slots=True)
class Words:
    """A line or a paragraph."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class TextChange:
    """A text that takes the place of another one: drawn as a diff, or as the new text where the old is not known."""

    title: str
    before: str | None
    """None: not known."""
    after: str
    language: str = ""
    """`sql`, `python`, `json`, … for highlighting; empty: prose."""
    present: Present | None = None
    """Where `before` comes from; without the value itself."""


@dataclass(frozen=True, slots=True)
class Code:
    """Code or JSON that is new, or stands as it is."""

    title: str
    text: str
    language: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    tones: Sequence[Tone] = ()
    """One per row, or none."""


@dataclass(frozen=True, slots=True)
class PathChange:
    """What happens at one place of a configuration."""

    path: str
    does: Literal["sets", "adds", "removes", "appends", "replaces text"]
    before: Any = None
    known: bool = False
    """Whether `before` is what is there now."""
    after: Any = None


@dataclass(frozen=True, slots=True)
class PathChanges:
    """A diff of configurations, place by place."""

    title: str
    changes: Sequence[PathChange]
    present: Present | None = None


Block: TypeAlias = Words | TextChange | Code | Grid | PathChanges


@dataclass(frozen=True, slots=True)
class Review:
    """Everything that is said about a call besides its raw input."""

    sentence: str
    """Verb and object: "Update the description of table in.c-crm.customers"."""
    effects: tuple[Effect, ...]
    """The gravest first; never empty."""
    objects: tuple[ObjectRef, ...] = ()
    """What it touches, the most important first."""
    reason: str = ""
    """The model's own words for why (`change_description`, `justification`)."""
    cautions: tuple[str, ...] = ()
    """What must not be overlooked: a DELETE without WHERE, an app open to anyone. Short sentences."""
    blocks: tuple[Block, ...] = ()
    to_type: str = ""
    """The name to type before this may be approved where it takes effect on the main branch; empty: none."""
    links: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def writes(self) -> bool:
        """Whether it may change anything."""
        return self.effects[0] != "reads"
