"""Triggers of append-only tables. Postgres refuses UPDATE, DELETE and TRUNCATE on them."""

import pgtrigger


def append_only_triggers(name: str) -> list[pgtrigger.Trigger]:
    """Return the triggers that refuse UPDATE, DELETE and TRUNCATE on a table."""
    return [
        pgtrigger.ReadOnly(name=f"{name}_is_never_changed"),
        pgtrigger.Protect(name=f"{name}_is_never_deleted", operation=pgtrigger.Delete),
        truncate_trigger(name),
    ]


def truncate_trigger(name: str) -> pgtrigger.Trigger:
    """Return the trigger that refuses TRUNCATE. Row triggers do not run for TRUNCATE."""
    return pgtrigger.Trigger(
        name=f"{name}_is_never_emptied",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;",
    )
