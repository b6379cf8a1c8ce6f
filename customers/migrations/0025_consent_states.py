import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from customers.migrations import _permissions

NEW_NAMES = {"control": "consentstate", "controlentry": "ledgerentry"}
_VERBOSE = {
    "control": "control",
    "controlentry": "control entry",
    "consentstate": "consent state",
    "ledgerentry": "ledger entry",
}


def rename_permissions(apps, schema_editor):
    """Carry the permissions on both models, and who has them, to the models' new names."""
    for old, new in NEW_NAMES.items():
        _permissions.rename_permissions(apps, old=old, new=new, verbose_name=_VERBOSE[new])


def restore_permissions(apps, schema_editor):
    for old, new in NEW_NAMES.items():
        _permissions.rename_permissions(apps, old=new, new=old, verbose_name=_VERBOSE[old])


def rename_in_place(kind: str, old: str, new: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"ALTER {kind} {old} RENAME TO {new}", f"ALTER {kind} {new} RENAME TO {old}"
    )


class Migration(migrations.Migration):
    dependencies = [("customers", "0024_who_is_who")]

    operations = [
        *(
            pgtrigger.migrations.RemoveTrigger("controlentry", f"control_is_never_{verb}")
            for verb in ("changed", "deleted", "emptied")
        ),
        migrations.RunPython(rename_permissions, restore_permissions),
        migrations.RenameModel("Control", "ConsentState"),
        migrations.RenameModel("ControlEntry", "LedgerEntry"),
        migrations.RenameIndex("consentstate", "consent_expires", old_name="control_runs_out"),
        migrations.RenameIndex(
            "ledgerentry", "ledger_of_joined_records", old_name="control_said_elsewhere"
        ),
        # Postgres does not rename the primary keys with the table.
        rename_in_place("INDEX", "customers_control_pkey", "customers_consentstate_pkey"),
        rename_in_place("INDEX", "customers_controlentry_pkey", "customers_ledgerentry_pkey"),
        migrations.AlterField(
            "consentstate",
            "customer",
            models.OneToOneField(
                on_delete=models.CASCADE,
                primary_key=True,
                related_name="consent_state",
                serialize=False,
                to="customers.customer",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE customers_ledgerentry"
                    " RENAME CONSTRAINT control_counts_from_one TO ledger_counts_from_one",
                    "ALTER TABLE customers_ledgerentry"
                    " RENAME CONSTRAINT ledger_counts_from_one TO control_counts_from_one",
                ),
            ],
            state_operations=[
                migrations.RemoveConstraint("ledgerentry", "control_counts_from_one"),
                migrations.AddConstraint(
                    "ledgerentry",
                    models.CheckConstraint(
                        condition=models.Q(seq__gt=0), name="ledger_counts_from_one"
                    ),
                ),
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            "ledgerentry",
            pgtrigger.compiler.Trigger(
                name="ledger_is_never_changed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="50c80bb5e810e0dd7cf390e9518f9293bfd1247d",
                    operation="UPDATE",
                    pgid="pgtrigger_ledger_is_never_changed_8aebf",
                    table="customers_ledgerentry",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            "ledgerentry",
            pgtrigger.compiler.Trigger(
                name="ledger_is_never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="5257668d0591f4c18bf966a31a78c515b13eea86",
                    operation="DELETE",
                    pgid="pgtrigger_ledger_is_never_deleted_36547",
                    table="customers_ledgerentry",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            "ledgerentry",
            pgtrigger.compiler.Trigger(
                name="ledger_is_never_emptied",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;",
                    hash="3889f116aa65fae709f14c546c2b7171af295ae0",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_ledger_is_never_emptied_dfc3f",
                    table="customers_ledgerentry",
                    when="BEFORE",
                ),
            ),
        ),
    ]
