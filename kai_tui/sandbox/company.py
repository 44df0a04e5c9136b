"""The company the sandbox knows: Alder & Finch, outdoor gear, four regions.

Everything follows from one seed and one day, so two fresh projects of the same day are equal.
All names are invented; mail addresses end in `.example`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import TypeAlias

Cell: TypeAlias = str | int | float | None
Row: TypeAlias = tuple[Cell, ...]

PROJECT_ID = "2026"
PROJECT_NAME = "Alder & Finch"
PROJECT_DESCRIPTION = (
    "Alder & Finch sells outdoor gear in four regions. CRM, web shop and support desk are loaded every "
    "morning and end up in one sales report. A made-up company: nothing here is real."
)

REGIONS = (
    ("West", "Marisol Vega", "2016-03-01"),
    ("East", "Tomas Lindqvist", "2017-09-15"),
    ("North", "Ingrid Solheim", "2018-04-20"),
    ("South", "Kofi Mensah", "2021-06-01"),
)
_REGION_WEIGHTS = (36, 27, 21, 16)

PRODUCTS = (
    ("P01", "Alder two-person tent", "Tents", 289.0),
    ("P02", "Ridge four-season tent", "Tents", 449.0),
    ("P03", "Canopy tarp", "Tents", 79.0),
    ("P04", "Finch down sleeping bag", "Sleeping", 219.0),
    ("P05", "Summer sleeping bag", "Sleeping", 89.0),
    ("P06", "Inflatable mat", "Sleeping", 69.0),
    ("P07", "Trail pack 28 l", "Packs", 119.0),
    ("P08", "Expedition pack 65 l", "Packs", 239.0),
    ("P09", "Roll-top day bag", "Packs", 59.0),
    ("P10", "Rain cover", "Packs", 24.0),
    ("P11", "Titanium pot 900 ml", "Kitchen", 54.0),
    ("P12", "Gas stove", "Kitchen", 64.0),
    ("P13", "Folding spork", "Kitchen", 9.0),
    ("P14", "Enamel mug", "Kitchen", 14.0),
    ("P15", "Shell jacket", "Clothing", 199.0),
    ("P16", "Merino base layer", "Clothing", 79.0),
    ("P17", "Wool socks", "Clothing", 19.0),
    ("P18", "Trail gloves", "Clothing", 34.0),
    ("P19", "Head torch", "Light", 49.0),
    ("P20", "Camp lantern", "Light", 39.0),
    ("P21", "Water filter", "Tools", 44.0),
    ("P22", "Pocket knife", "Tools", 59.0),
    ("P23", "Compass", "Tools", 29.0),
    ("P24", "First aid kit", "Tools", 36.0),
)

SOLD_OUT = ("P10", "P19")

_FIRST_NAMES = (
    "Ada Amir Anna Arlo Bea Boris Carmen Chidi Clara Dario Dora Edith Elias Ema Farah Felix Greta Hana Hugo "
    "Ida Ivan Jana Jonas Kaya Lena Leon Lucia Mara Mateo Mina Nadia Nils Nora Oskar Petra Priya Rafael Rosa "
    "Samir Selma Simon Tara Theo Uma Viktor Wanda Yara Zoe"
)
_LAST_NAMES = (
    "Abara Berg Castillo Dvorak Eriksen Fontaine Gruber Haddad Ibarra Jensen Kowalski Laurent Moreau Novak "
    "Okafor Petrov Quist Romero Sato Tanaka Ueda Varga Weber Ximenes Young Zeman"
)
_FIRST = _FIRST_NAMES.split()
_LAST = _LAST_NAMES.split()

CUSTOMERS = 96
ORDERS = 420
DEALS = 48
TICKETS = 72
DAYS_OF_ORDERS = 180


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the project: `id` is `in.c-shop.orders`."""

    id: str
    description: str
    columns: Sequence[tuple[str, str, str]]
    """Name, SQLite type, description."""
    primary_key: Sequence[str]
    rows: Sequence[Row] = field(default_factory=tuple[Row, ...])

    @property
    def bucket_id(self) -> str:
        return self.id.rsplit(".", 1)[0]

    @property
    def name(self) -> str:
        return self.id.rsplit(".", 1)[1]


BUCKETS = (
    ("in.c-crm", "CRM extract"),
    ("in.c-shop", "Orders, products and regions of the web shop, loaded every morning at 06:00."),
    ("in.c-support", "Tickets of the support desk."),
    ("out.c-reporting", "What the sales report reads. Made by the transformation Sales reporting."),
)


def person(number: int) -> str:
    """The name of customer `number`; all different for the first thousand."""
    return f"{_FIRST[number * 7 % len(_FIRST)]} {_LAST[(number * 5 + number // len(_LAST)) % len(_LAST)]}"


def mail(name: str, number: int) -> str:
    """The mail address that goes with a name."""
    return f"{name.lower().replace(' ', '.')}.{number}@mail.example"


def customer(number: int, since: date, chance: random.Random) -> Row:
    """One row of `in.c-crm.customers`."""
    name = person(number)
    region = chance.choices([region[0] for region in REGIONS], _REGION_WEIGHTS)[0]
    segment = chance.choices(("Retail", "Club", "Wholesale"), (60, 30, 10))[0]
    return (
        f"C{number:03d}",
        name,
        mail(name, number),
        region,
        segment,
        since.isoformat(),
        int(chance.random() < 0.4),
    )


def _customers(today: date, chance: random.Random) -> Iterator[Row]:
    for number in range(1, CUSTOMERS + 1):
        yield customer(number, today - timedelta(days=20 + chance.randrange(1400)), chance)


def _deals(today: date, customers: Sequence[Row], chance: random.Random) -> Iterator[Row]:
    for number in range(1, DEALS + 1):
        stage = chance.choices(("won", "lost", "open"), (40, 25, 35))[0]
        closes = today + timedelta(days=chance.randrange(5, 60) * (1 if stage == "open" else -1))
        amount = float(chance.randrange(8, 120) * 50)
        owner = REGIONS[number % len(REGIONS)][1]
        yield (f"D{number:03d}", chance.choice(customers)[0], stage, amount, owner, closes.isoformat())


def _orders(today: date, customers: Sequence[Row], chance: random.Random) -> tuple[list[Row], list[Row]]:
    orders: list[Row] = []
    items: list[Row] = []
    days = sorted(chance.randrange(DAYS_OF_ORDERS) for _ in range(ORDERS))
    for number, ago in enumerate(reversed(days), start=1):
        order, lines = new_order(1000 + number, today - timedelta(days=ago), customers, chance)
        orders.append(order)
        items.extend(lines)
    return orders, items


def new_order(
    order_id: int, day: date, customers: Sequence[Row], chance: random.Random
) -> tuple[Row, list[Row]]:
    """One row of `in.c-shop.orders` and its rows of `in.c-shop.order_items`."""
    buyer = chance.choice(customers)
    lines: list[Row] = []
    for line in range(1, chance.choices((1, 2, 3, 4), (45, 30, 17, 8))[0] + 1):
        product = chance.choice(PRODUCTS)
        quantity = chance.choices((1, 2, 3), (75, 18, 7))[0]
        lines.append((order_id, line, product[0], quantity, product[3]))
    amount = round(sum(int(row[3] or 0) * float(row[4] or 0) for row in lines), 2)
    channel = chance.choices(("web", "store", "partner"), (62, 28, 10))[0]
    status = chance.choices(("delivered", "shipped", "cancelled", "returned"), (78, 12, 6, 4))[0]
    return (order_id, buyer[0], day.isoformat(), buyer[3], channel, status, amount), lines


def _tickets(today: date, customers: Sequence[Row], chance: random.Random) -> Iterator[Row]:
    for number in range(1, TICKETS + 1):
        opened = today - timedelta(days=chance.randrange(90))
        topic = chance.choice(("delivery", "returns", "product question", "invoice", "warranty"))
        priority = chance.choices(("low", "normal", "high"), (30, 55, 15))[0]
        status = chance.choices(("solved", "open", "waiting"), (70, 18, 12))[0]
        minutes = chance.randrange(4, 600)
        yield (
            f"T{number:03d}",
            chance.choice(customers)[0],
            opened.isoformat(),
            topic,
            priority,
            status,
            minutes,
        )


MONTHLY_SALES_SQL = """\
SELECT substr(ordered_on, 1, 7) AS month, region, count(*) AS orders, round(sum(amount), 2) AS amount
FROM "in.c-shop"."orders"
WHERE status <> 'cancelled'
GROUP BY 1, 2
ORDER BY 1, 2"""

CUSTOMER_VALUE_SQL = """\
SELECT c.customer_id, c.name, c.region, count(o.order_id) AS orders,
       coalesce(round(sum(o.amount), 2), 0) AS amount, max(o.ordered_on) AS last_order
FROM "in.c-crm"."customers" AS c
LEFT JOIN "in.c-shop"."orders" AS o ON o.customer_id = c.customer_id AND o.status <> 'cancelled'
GROUP BY 1, 2, 3
ORDER BY amount DESC"""


@lru_cache(maxsize=2)
def tables(today: date) -> tuple[Table, ...]:
    """Every table with its rows. The two of `out.c-reporting` are empty: the project computes them."""
    chance = random.Random(20160301)  # noqa: S311 - made-up sales, no secrets
    customers = list(_customers(today, chance))
    deals = list(_deals(today, customers, chance))
    orders, items = _orders(today, customers, chance)
    stock = [(*product, 0 if product[0] in SOLD_OUT else chance.randrange(3, 140)) for product in PRODUCTS]
    return (
        Table(
            "in.c-crm.customers",
            "",
            (
                ("customer_id", "TEXT", "Key, like C001."),
                ("name", "TEXT", ""),
                ("email", "TEXT", "Made up."),
                ("region", "TEXT", "Where the customer lives; see in.c-shop.regions."),
                ("segment", "TEXT", "Retail, Club or Wholesale."),
                ("since", "DATE", "First contact."),
                ("newsletter", "INTEGER", "1 when subscribed."),
            ),
            ("customer_id",),
            customers,
        ),
        Table(
            "in.c-crm.deals",
            "Wholesale deals, one row each.",
            (
                ("deal_id", "TEXT", ""),
                ("customer_id", "TEXT", "See customers."),
                ("stage", "TEXT", "won, lost or open."),
                ("amount", "REAL", "Euro."),
                ("owner", "TEXT", "Who at Alder & Finch."),
                ("closes_on", "DATE", "Closed or expected."),
            ),
            ("deal_id",),
            deals,
        ),
        Table(
            "in.c-shop.orders",
            "One row per order. Cancelled orders stay in, with status cancelled.",
            (
                ("order_id", "INTEGER", ""),
                ("customer_id", "TEXT", "See in.c-crm.customers."),
                ("ordered_on", "DATE", ""),
                ("region", "TEXT", "Region of the customer at that time."),
                ("channel", "TEXT", "web, store or partner."),
                ("status", "TEXT", "delivered, shipped, cancelled or returned."),
                ("amount", "REAL", "Euro, all items."),
            ),
            ("order_id",),
            orders,
        ),
        Table(
            "in.c-shop.order_items",
            "What is in each order.",
            (
                ("order_id", "INTEGER", "See orders."),
                ("line", "INTEGER", ""),
                ("product_id", "TEXT", "See products."),
                ("quantity", "INTEGER", ""),
                ("unit_price", "REAL", "Euro, at the time of the order."),
            ),
            ("order_id", "line"),
            items,
        ),
        Table(
            "in.c-shop.products",
            "The catalogue with what is in stock.",
            (
                ("product_id", "TEXT", ""),
                ("name", "TEXT", ""),
                ("category", "TEXT", ""),
                ("price", "REAL", "Euro."),
                ("in_stock", "INTEGER", "Pieces this morning."),
            ),
            ("product_id",),
            stock,
        ),
        Table(
            "in.c-shop.regions",
            "The four sales regions and who leads them.",
            (("region", "TEXT", ""), ("manager", "TEXT", ""), ("opened_on", "DATE", "")),
            ("region",),
            REGIONS,
        ),
        Table(
            "in.c-support.tickets",
            "",
            (
                ("ticket_id", "TEXT", ""),
                ("customer_id", "TEXT", ""),
                ("opened_on", "DATE", ""),
                ("topic", "TEXT", ""),
                ("priority", "TEXT", "low, normal or high."),
                ("status", "TEXT", "open, waiting or solved."),
                ("first_reply_minutes", "INTEGER", ""),
            ),
            ("ticket_id",),
            list(_tickets(today, customers, chance)),
        ),
        Table(
            "out.c-reporting.monthly_sales",
            "Sales per month and region, without cancelled orders.",
            (
                ("month", "TEXT", "Like 2026-05."),
                ("region", "TEXT", ""),
                ("orders", "INTEGER", ""),
                ("amount", "REAL", "Euro."),
            ),
            ("month", "region"),
        ),
        Table(
            "out.c-reporting.customer_value",
            "What each customer has bought so far.",
            (
                ("customer_id", "TEXT", ""),
                ("name", "TEXT", ""),
                ("region", "TEXT", ""),
                ("orders", "INTEGER", ""),
                ("amount", "REAL", "Euro."),
                ("last_order", "DATE", ""),
            ),
            ("customer_id",),
        ),
    )
