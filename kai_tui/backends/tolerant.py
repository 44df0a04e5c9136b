"""Reading answers of servers we do not control, and writing text they can take.

Unknown fields are kept, nearly nothing is required, and a field of the wrong kind counts as absent
instead of spoiling the whole answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from kai_tui.backends.base import UnexpectedAnswer
from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.messages import mend_surrogates


def _as_text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return value if isinstance(value, str) else str(value)


def _as_number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _as_count(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _as_flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _as_object(value: Any) -> JsonObject | None:
    return cast("JsonObject", value) if isinstance(value, dict) else None


def _as_list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


Text: TypeAlias = Annotated[str | None, BeforeValidator(_as_text)]
Number: TypeAlias = Annotated[float | None, BeforeValidator(_as_number)]
Count: TypeAlias = Annotated[int | None, BeforeValidator(_as_count)]
Flag: TypeAlias = Annotated[bool | None, BeforeValidator(_as_flag)]
Fields: TypeAlias = Annotated[dict[str, Any] | None, BeforeValidator(_as_object)]
Rows: TypeAlias = Annotated[list[Any], BeforeValidator(_as_list)]


class WireModel(BaseModel):
    """Base of all answers. Errors of validation never quote the input (C5)."""

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        defer_build=True,
        hide_input_in_errors=True,
        alias_generator=to_camel,
        populate_by_name=True,
    )


class SnakeModel(WireModel):
    """Base of answers whose names have underscores."""

    model_config = ConfigDict(alias_generator=None)


M = TypeVar("M", bound=WireModel)


def read(model: type[M], body: Any, host: str) -> M:
    """The body as `model`. Raises UnexpectedAnswer; its detail names places, never values."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        where = ", ".join(
            f"{'.'.join(str(step) for step in each['loc']) or 'body'}: {each['type']}"
            for each in error.errors(include_url=False, include_context=False, include_input=False)[:5]
        )
        raise UnexpectedAnswer(
            f"{host} gave an answer this program does not understand.",
            code="shape",
            detail=f"{model.__name__} ({where})",
        ) from None


def read_rows(model: type[M], rows: Sequence[Any]) -> list[M]:
    """The rows that can be read; one broken row does not cost the others."""
    adapter: TypeAdapter[M] = TypeAdapter(model)
    found: list[M] = []
    for row in rows:
        try:
            found.append(adapter.validate_python(row))
        except ValidationError:
            continue
    return found


def whole(text: str) -> str:
    """Surrogate halves joined; lone ones replaced, they have no place in a user's text (T19)."""
    return mend_surrogates(text).encode("utf-8", "replace").decode("utf-8")
