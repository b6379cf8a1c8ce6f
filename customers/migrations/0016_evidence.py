"""Renames trust, the column that says how well something is proved, to evidence.

Only names change: no row is written, and constraints and indexes follow their columns.
"""

from django.db import migrations, models

_TABLES = ("identifier", "link", "event", "trait", "order", "quarantineditem")
_CONSTRAINTS = (
    ("identifier_is_unique_per_trust", "identifier_is_unique_per_evidence"),
    ("identifier_trust_is_known", "identifier_evidence_is_known"),
)


def _column(table: str, old: str, new: str) -> str:
    return f"ALTER TABLE customers_{table} RENAME COLUMN {old} TO {new};"


def _constraint(table: str, old: str, new: str) -> str:
    return f"ALTER TABLE customers_{table} RENAME CONSTRAINT {old} TO {new};"


RENAME = "\n".join(
    [_column(table, "trust", "evidence") for table in _TABLES]
    + [_constraint("identifier", old, new) for old, new in _CONSTRAINTS]
)
RENAME_BACK = "\n".join(
    [_column(table, "evidence", "trust") for table in _TABLES]
    + [_constraint("identifier", new, old) for old, new in _CONSTRAINTS]
)


class Migration(migrations.Migration):
    dependencies = [("customers", "0015_message_keys_by_class")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(RENAME, RENAME_BACK)],
            state_operations=[
                migrations.RemoveConstraint("identifier", "identifier_is_unique_per_trust"),
                migrations.RemoveConstraint("identifier", "identifier_trust_is_known"),
                migrations.RemoveConstraint("link", "link_is_stated_once"),
                *(migrations.RenameField(table, "trust", "evidence") for table in _TABLES),
                migrations.AddConstraint(
                    "identifier",
                    models.UniqueConstraint(
                        fields=["kind", "value", "evidence"],
                        name="identifier_is_unique_per_evidence",
                    ),
                ),
                migrations.AddConstraint(
                    "identifier",
                    models.CheckConstraint(
                        condition=models.Q(evidence__in=[1, 2]),
                        name="identifier_evidence_is_known",
                    ),
                ),
                migrations.AddConstraint(
                    "link",
                    models.UniqueConstraint(
                        fields=["left", "right", "kind", "evidence"], name="link_is_stated_once"
                    ),
                ),
            ],
        )
    ]
