"""Shows the orders of several customers with one number of one source as `1001`, `1001·2`, …

A change of who is who, or an earlier order that arrives late, also changes the places of the others.
"""

from collections.abc import Collection

from customers import sql
from customers.identity import graph
from customers.projections import registry
from customers.projections.registry import Subject


def project_placers(order_ids: Collection[int]) -> None:
    """Fold the orders with these numbers again, of all customers for whom they were placed."""
    if not order_ids:
        return
    rows = sql.rows("read_order_placers", {"ids": sorted(order_ids)})
    subjects = [Subject(*row) for row in rows]
    graph.lock_missing({subject.customer_id for subject in subjects}, set())
    registry.project(subjects)
