"""Triggers that increase the grouping version of a record whenever its identifiers change.

A transaction that read identifiers before it locked their record compares this version: see
`Customer.grouping_version`. As triggers, they miss no writer. Each writer has locked the record
already, so they wait for nothing.
"""

import pgtrigger

_BUMP = "UPDATE customers_customer SET grouping_version = grouping_version + 1 WHERE id IN"
_CUSTOMERS_OF_ENDS = """
SELECT identifier.customer_id
  FROM customers_identifier AS identifier
 WHERE identifier.id IN (SELECT first_id FROM changed UNION SELECT second_id FROM changed)
"""
# The columns of an identifier that decide where an event with it is filed.
_FILING_COLUMNS = (
    "kind",
    "value",
    "evidence",
    "period",
    "record_id",
    "customer_id",
    "is_shared",
    "is_placeholder",
    "erasure_id",
)


def identifier_triggers() -> list[pgtrigger.Trigger]:
    """Return the triggers for identifiers that change, begin a later period, or are deleted."""
    before, after = (
        ", ".join(f"{row}.{column}" for column in _FILING_COLUMNS) for row in ("before", "after")
    )
    changed = (
        "SELECT before.customer_id FROM before JOIN after USING (id)"
        f" WHERE ({before}) IS DISTINCT FROM ({after})"
    )
    earlier = (
        "SELECT customer_id FROM customers_identifier"
        " WHERE (kind, value, evidence) = (NEW.kind, NEW.value, NEW.evidence)"
        " AND erasure_id IS NULL"
    )
    return [
        _trigger("identifier_changes_its_record", pgtrigger.Update, changed),
        _trigger(
            "identifier_leaves_its_record", pgtrigger.Delete, "SELECT customer_id FROM before"
        ),
        pgtrigger.Trigger(
            name="identifier_begins_a_period",
            level=pgtrigger.Row,
            when=pgtrigger.After,
            operation=pgtrigger.Insert,
            condition=pgtrigger.Q(new__period__gt=0),
            func=f"{_BUMP} ({earlier}); RETURN NULL;",
        ),
    ]


def link_triggers() -> list[pgtrigger.Trigger]:
    """Return the triggers for links that are replaced, that become later, or are deleted."""
    changed = (
        "WITH changed AS (SELECT after.first_id, after.second_id FROM before JOIN after USING (id)"
        " WHERE (after.state = 'replaced' AND before.state <> 'replaced')"
        " OR after.occurred_at > before.occurred_at)"
    )
    deleted = "WITH changed AS (SELECT first_id, second_id FROM before)"
    return [
        _trigger("link_is_replaced", pgtrigger.Update, changed + _CUSTOMERS_OF_ENDS),
        _trigger("link_is_deleted", pgtrigger.Delete, deleted + _CUSTOMERS_OF_ENDS),
    ]


def _trigger(name: str, operation: pgtrigger.Operation, customer_ids: str) -> pgtrigger.Trigger:
    """Return a trigger that runs once for each statement.

    customer_ids: a query of the records whose version increases. It reads the rows as they were
        (`before`) and, for an update, as they are (`after`).
    """
    new_rows = "after" if operation is pgtrigger.Update else None
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(old="before", new=new_rows),  # type: ignore[no-untyped-call]
        func=f"{_BUMP} ({customer_ids}); RETURN NULL;",
    )
