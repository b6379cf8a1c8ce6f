"""Gives columns of links, merges, reviews and records their standard names.

The ends of a link are first and second; a record is merged into another one, which may be
undone. Only names change: no row is written, and constraints and indexes follow their columns.
"""

from django.db import migrations, models

_COLUMNS = (
    ("link", "left_id", "first_id"),
    ("link", "right_id", "second_id"),
    ("review", "left_id", "first_id"),
    ("review", "right_id", "second_id"),
    ("review", "evidence", "details"),
    ("merge", "joined_id", "record_id"),
    ("merge", "kept_id", "merged_into_id"),
    ("merge", "evidence", "links"),
    ("merge", "joined_at", "merged_at"),
    ("merge", "parted_at", "undone_at"),
    ("merge", "parted_reason", "undone_reason"),
    ("customer", "regrouped", "grouping_version"),
)
_INDEXES = (
    ("merge_one_standing_per_record", "merge_one_active_per_record"),
    ("link_said_left", "link_not_seen_first"),
    ("link_said_right", "link_not_seen_second"),
)


def _column(table: str, old: str, new: str) -> str:
    return f"ALTER TABLE customers_{table} RENAME COLUMN {old} TO {new};"


def _index(old: str, new: str) -> str:
    return f"ALTER INDEX {old} RENAME TO {new};"


RENAME = "\n".join([_column(*names) for names in _COLUMNS] + [_index(*names) for names in _INDEXES])
RENAME_BACK = "\n".join(
    [_column(table, new, old) for table, old, new in _COLUMNS]
    + [_index(new, old) for old, new in _INDEXES]
)


class Migration(migrations.Migration):
    dependencies = [("customers", "0017_access_log_entries")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(RENAME, RENAME_BACK)],
            state_operations=[
                migrations.RemoveConstraint("link", "link_is_stated_once"),
                migrations.RemoveConstraint("link", "link_is_ordered"),
                migrations.RemoveConstraint("review", "review_asked_once"),
                migrations.RemoveConstraint("merge", "merge_one_standing_per_record"),
                migrations.RemoveIndex("link", "link_said_left"),
                migrations.RemoveIndex("link", "link_said_right"),
                *(
                    migrations.RenameField(table, old.removesuffix("_id"), new.removesuffix("_id"))
                    for table, old, new in _COLUMNS
                ),
                migrations.AddConstraint(
                    "link",
                    models.UniqueConstraint(
                        fields=["first", "second", "kind", "evidence"],
                        name="link_is_stated_once",
                    ),
                ),
                migrations.AddConstraint(
                    "link",
                    models.CheckConstraint(
                        condition=models.Q(first__lt=models.F("second")), name="link_is_ordered"
                    ),
                ),
                migrations.AddConstraint(
                    "review",
                    models.UniqueConstraint(
                        fields=["kind", "first", "second"],
                        nulls_distinct=False,
                        name="review_asked_once",
                    ),
                ),
                migrations.AddConstraint(
                    "merge",
                    models.UniqueConstraint(
                        fields=["record"],
                        condition=models.Q(undone_at__isnull=True),
                        name="merge_one_active_per_record",
                    ),
                ),
                migrations.AddIndex(
                    "link",
                    models.Index(
                        fields=["first"],
                        condition=~models.Q(kind="seen"),
                        name="link_not_seen_first",
                    ),
                ),
                migrations.AddIndex(
                    "link",
                    models.Index(
                        fields=["second"],
                        condition=~models.Q(kind="seen"),
                        name="link_not_seen_second",
                    ),
                ),
            ],
        )
    ]
