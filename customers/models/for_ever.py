"""What is only ever added to: Postgres itself refuses everything else."""

import pgtrigger


def kept(what: str) -> list[pgtrigger.Trigger]:
    """Return the triggers of a table whose rows are never changed, deleted or emptied out.

    A TRUNCATE is no DELETE: the triggers for rows never hear of it.
    """
    return [
        pgtrigger.ReadOnly(name=f"{what}_is_never_changed"),
        pgtrigger.Protect(name=f"{what}_is_never_deleted", operation=pgtrigger.Delete),
        pgtrigger.Trigger(
            name=f"{what}_is_never_emptied",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;",
        ),
    ]
