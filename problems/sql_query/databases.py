"""Shops that are made from a seed: customers, their orders, and what was in them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

SCRIPT = [
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, region TEXT NOT NULL, joined INTEGER NOT NULL)",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, placed INTEGER NOT NULL, state TEXT)",
    "CREATE TABLE items (number INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, product INTEGER NOT NULL, "
    "pieces INTEGER NOT NULL, cents INTEGER NOT NULL)",
    "CREATE INDEX orders_customer ON orders (customer)",
]
"""Items have no index on their order: a query has to see to that itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """How a database is made.

    Attributes:
        customers: how many.
        orders: for each customer, on average.
        skew: how unevenly they fall on customers; 1 for evenly.
    """

    customers: int
    orders: float = 3.0
    skew: float = 1.5

    def rows(self, key: str) -> dict[str, list[list[Any]]]:
        """The rows of each table, always the same for one key: Python keeps `random.random` stable."""
        draw = random.Random(f"sql_query/{key}").random

        def below(count: int) -> int:
            return int(count * draw())

        regions = ("north", "south", "east", "west", "islands")
        customers = [[k + 1, regions[min(4, int(5 * draw() ** 1.3))], below(400)] for k in range(self.customers)]
        orders: list[list[Any]] = []
        items: list[list[Any]] = []
        for k in range(round(self.customers * self.orders)):
            state = ("paid", "paid", "sent", "open", None)[below(5)]
            # few different days, so that some orders of a customer are of one day
            # the last customer never orders
            orders.append([k + 1, 1 + int((self.customers - 1) * draw() ** self.skew), below(40), state])
            for _ in range(below(6)):
                items.append([len(items) + 1, k + 1, 1 + int(12 * draw() ** 1.5), 1 + below(4), 25 * (1 + below(60))])
        return {"customers": customers, "orders": orders, "items": items}


SHOPS = {
    "train": {"small": Shop(customers=12), "large": Shop(customers=48), "skewed": Shop(customers=24, skew=4.0)},
    "held_out": {
        "small": Shop(customers=18, orders=4.0),
        "large": Shop(customers=64, orders=3.0),
        "many_orders": Shop(customers=8, orders=16.0, skew=1.0),
        "few_orders": Shop(customers=60, orders=1.0),
    },
}
"""By stage; the first two of each differ in size."""
