"""Questions about sales, turned into SQL: a measure, a dimension, a period, a region."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

Measure: TypeAlias = Literal["amount", "orders", "average", "quantity"]
Order: TypeAlias = Literal["most", "least", "natural"]

_ORDERS = '"in.c-shop"."orders"'
_ITEMS = '"in.c-shop"."order_items"'
_PRODUCTS = '"in.c-shop"."products"'
_CUSTOMERS = '"in.c-crm"."customers"'

REGIONS = ("West", "East", "North", "South")


@dataclass(frozen=True, slots=True)
class Dimension:
    """What to group by."""

    name: str
    expression: str
    needs_items: bool = False
    needs_customers: bool = False
    long: bool = False
    """Has so many values that only the first ones are of use."""
    natural: bool = False
    """Is read in its own order (months)."""


DIMENSIONS = {
    "region": Dimension("region", "o.region"),
    "month": Dimension("month", "substr(o.ordered_on, 1, 7)", natural=True),
    "day": Dimension("day", "o.ordered_on", natural=True, long=True),
    "channel": Dimension("channel", "o.channel"),
    "status": Dimension("status", "o.status"),
    "segment": Dimension("segment", "c.segment", needs_customers=True),
    "customer": Dimension("customer", "c.name", needs_customers=True, long=True),
    "product": Dimension("product", "p.name", needs_items=True, long=True),
    "category": Dimension("category", "p.category", needs_items=True),
}
_OTHER_WORDS = {
    "regions": "region",
    "area": "region",
    "months": "month",
    "monthly": "month",
    "days": "day",
    "daily": "day",
    "channels": "channel",
    "statuses": "status",
    "segments": "segment",
    "customers": "customer",
    "buyer": "customer",
    "buyers": "customer",
    "products": "product",
    "articles": "product",
    "items": "product",
    "categories": "category",
}
_MEASURES: tuple[tuple[str, Measure], ...] = (
    (r"\baverage\b|\bavg\b|\bmean\b", "average"),
    (r"\bunits?\b|\bpieces\b|\bquantit(?:y|ies)\b", "quantity"),
    (
        r"\b(?:sold|sells?|selling|sales|revenue|turnover|income|amounts?|money|earn(?:ed|s)?|spent|spends?)\b",
        "amount",
    ),
    (r"\borders?\b|\bordered\b|\bbought\b|\bbuys?\b", "orders"),
)
_MOST = re.compile(r"\b(?:most|best|top|highest|biggest|largest|strongest|more)\b", re.IGNORECASE)
_LEAST = re.compile(r"\b(?:least|worst|fewest|lowest|smallest|weakest|bottom)\b", re.IGNORECASE)
_TOTAL = re.compile(
    r"\b(?:total|overall|how much|how many|altogether|sum|average|avg|what(?:'s| is| was| were))\b",
    re.IGNORECASE,
)
_TOP = re.compile(r"\b(?:top|best|first|worst|bottom)\s+(\d{1,3})\b", re.IGNORECASE)
_DAYS = re.compile(r"\b(?:last|past)\s+(\d{1,4})\s+days\b", re.IGNORECASE)

_PERIODS = {
    "last month": "o.ordered_on >= date('now', 'start of month', '-1 month') AND o.ordered_on < date('now', 'start of month')",
    "this month": "o.ordered_on >= date('now', 'start of month')",
    "last week": "o.ordered_on >= date('now', '-7 days')",
    "this week": "o.ordered_on >= date('now', '-7 days')",
    "this year": "o.ordered_on >= date('now', 'start of year')",
    "yesterday": "o.ordered_on = date('now', '-1 day')",
    "today": "o.ordered_on = date('now')",
}


@dataclass(frozen=True, slots=True)
class Question:
    """One question about sales."""

    measure: Measure
    dimension: Dimension | None
    order: Order
    limit: int | None
    period: str = ""
    """In words: `last month`."""
    region: str = ""

    @property
    def name(self) -> str:
        """A short name for the query."""
        what = {"amount": "Sales", "orders": "Orders", "average": "Average order", "quantity": "Pieces sold"}
        by = f" by {self.dimension.name}" if self.dimension is not None else ""
        where = f" in {self.region}" if self.region else ""
        return f"{what[self.measure]}{by}{where}{f', {self.period}' if self.period else ''}"

    @property
    def value_column(self) -> str:
        """The column that answers the question."""
        return {"amount": "amount", "orders": "orders", "average": "average_order", "quantity": "pieces"}[
            self.measure
        ]

    @property
    def tables(self) -> list[str]:
        """Ids of the tables it reads."""
        found = ["in.c-shop.orders"]
        if self._items:
            found += ["in.c-shop.order_items", "in.c-shop.products"]
        if self.dimension is not None and self.dimension.needs_customers:
            found.append("in.c-crm.customers")
        return found

    @property
    def _items(self) -> bool:
        return self.measure == "quantity" or (self.dimension is not None and self.dimension.needs_items)

    def sql(self) -> str:
        """The query."""
        columns: list[str] = []
        if self.dimension is not None:
            columns.append(f"{self.dimension.expression} AS {self.dimension.name}")
        money = "sum(i.quantity * i.unit_price)" if self._items else "sum(o.amount)"
        count = "count(DISTINCT o.order_id)" if self._items else "count(*)"
        columns.append(f"{count} AS orders")
        if self.measure == "quantity":
            columns.append("sum(i.quantity) AS pieces")
        columns.append(f"round({money}, 2) AS amount")
        if self.measure == "average":
            columns.append(f"round({money} / {count}, 2) AS average_order")
        lines = ["SELECT " + ",\n       ".join(columns), f"FROM {_ORDERS} AS o"]
        if self._items:
            lines.append(f"JOIN {_ITEMS} AS i ON i.order_id = o.order_id")
            lines.append(f"JOIN {_PRODUCTS} AS p ON p.product_id = i.product_id")
        if self.dimension is not None and self.dimension.needs_customers:
            lines.append(f"JOIN {_CUSTOMERS} AS c ON c.customer_id = o.customer_id")
        lines.append("WHERE " + "\n  AND ".join(self._conditions()))
        if self.dimension is not None:
            lines.append("GROUP BY 1")
            way = "ASC" if self.order == "least" else "DESC"
            natural = self.dimension.natural and self.order == "natural"
            lines.append("ORDER BY 1" if natural else f"ORDER BY {self.value_column} {way}")
        if self.limit is not None:
            lines.append(f"LIMIT {self.limit}")
        return "\n".join(lines)

    def _conditions(self) -> list[str]:
        by_status = self.dimension is not None and self.dimension.name == "status"
        conditions = ["o.status IS NOT NULL" if by_status else "o.status <> 'cancelled'"]
        if self.region:
            conditions.append(f"o.region = '{self.region}'")
        days = _DAYS.search(self.period)
        if days is not None:
            conditions.append(f"o.ordered_on >= date('now', '-{int(days[1])} days')")
        elif self.period:
            conditions.append(_PERIODS[self.period])
        return conditions


def question_in(text: str) -> Question | None:
    """The question about sales in a sentence; None when it is none."""
    line = text.lower()
    dimension = _dimension(line)
    measure: Measure | None = next((name for pattern, name in _MEASURES if re.search(pattern, line)), None)
    ranked = _MOST.search(line) is not None or _LEAST.search(line) is not None
    if dimension is not None and measure is None and not ranked:
        return None
    if dimension is None and (measure is None or _TOTAL.search(line) is None):
        return None
    if (
        measure is None
        and dimension is not None
        and dimension.name in ("status", "day", "month")
        and not ranked
    ):
        return None
    order: Order = "least" if _LEAST.search(line) else "most" if ranked else "natural"
    top = _TOP.search(line)
    limit = int(top[1]) if top is not None else None
    if limit is None and dimension is not None and dimension.long:
        limit = 10 if dimension.name != "day" else 31
    region = next((each for each in REGIONS if re.search(rf"\b{each}(?:ern)?\b", text, re.IGNORECASE)), "")
    if dimension is not None and dimension.name == "region":
        region = ""
    return Question(measure or "amount", dimension, order, limit, _period(line), region)


def _dimension(line: str) -> Dimension | None:
    known = {**{name: name for name in DIMENSIONS}, **_OTHER_WORDS}
    after_by = re.search(r"\b(?:by|per|for each|each|every)\s+(?:the\s+)?([a-z]+)", line)
    if after_by is not None and after_by[1] in known:
        return DIMENSIONS[known[after_by[1]]]
    without_periods = re.sub(r"\b(?:last|this|past)(?: \d+)? (?:month|day|week|year)s?\b", " ", line)
    for word in re.findall(r"[a-z]+", without_periods):
        if word in known:
            return DIMENSIONS[known[word]]
    return None


def _period(line: str) -> str:
    days = _DAYS.search(line)
    if days is not None:
        return f"last {int(days[1])} days"
    return next((name for name in _PERIODS if name in line), "")
