"""Projects the orders that one source placed with one number for several customers.

They show the numbers `1001`, `1001·2` and so on, by their places in time. If records are merged or
separated, or an earlier order arrives late, the places of the other orders change, too.
"""

from collections.abc import Collection

from customers import sql
from customers.identity import graph
from customers.projections import registry
from customers.projections.registry import Subject


def project_orders_with_same_number(order_ids: Collection[int]) -> None:
    """Fold the orders with these numbers again, for all customers for whom they were placed."""
    if not order_ids:
        return
    rows = sql.rows("read_customers_of_orders", {"ids": sorted(order_ids)})
    subjects = [Subject(*row) for row in rows]
    graph.lock_missing({subject.customer_id for subject in subjects}, set())
    registry.project(subjects)
