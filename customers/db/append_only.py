"""Triggers of tables that are only inserted into: Postgres refuses everything else."""

import pgtrigger


def append_only_triggers(name: str) -> list[pgtrigger.Trigger]:
    """Return the triggers of a table whose rows are never changed, deleted or emptied out."""
    return [
        pgtrigger.ReadOnly(name=f"{name}_is_never_changed"),
        pgtrigger.Protect(name=f"{name}_is_never_deleted", operation=pgtrigger.Delete),
        truncate_trigger(name),
    ]


def truncate_trigger(name: str) -> pgtrigger.Trigger:
    """Return the trigger that refuses TRUNCATE, for which row triggers do not run."""
    return pgtrigger.Trigger(
        name=f"{name}_is_never_emptied",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;",
    )
