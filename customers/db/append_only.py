"""What is only ever added to: Postgres itself refuses everything else."""

import pgtrigger


def kept(what: str) -> list[pgtrigger.Trigger]:
    """Return the triggers of a table whose rows are never changed, deleted or emptied out."""
    return [
        pgtrigger.ReadOnly(name=f"{what}_is_never_changed"),
        pgtrigger.Protect(name=f"{what}_is_never_deleted", operation=pgtrigger.Delete),
        never_emptied(what),
    ]


def never_emptied(what: str) -> pgtrigger.Trigger:
    """Return what refuses a TRUNCATE: it is no DELETE, triggers for rows never hear of it."""
    return pgtrigger.Trigger(
        name=f"{what}_is_never_emptied",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;",
    )
