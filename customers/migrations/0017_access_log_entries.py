import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

from customers.migrations import _permissions

OLD, NEW = "look", "accesslogentry"


def rename_permissions(apps, schema_editor):
    """Carry the permissions on the access log, and who has them, to the model's new name."""
    _permissions.rename_permissions(apps, old=OLD, new=NEW, verbose_name=_NAMES[NEW])


def restore_permissions(apps, schema_editor):
    _permissions.rename_permissions(apps, old=NEW, new=OLD, verbose_name=_NAMES[OLD])


_NAMES = {OLD: "look", NEW: "access log entry"}


class Migration(migrations.Migration):
    dependencies = [("customers", "0016_evidence")]

    operations = [
        pgtrigger.migrations.RemoveTrigger(model_name="look", name="look_is_never_changed"),
        pgtrigger.migrations.RemoveTrigger(model_name="look", name="look_is_never_deleted"),
        pgtrigger.migrations.RemoveTrigger(model_name="look", name="look_is_never_emptied"),
        migrations.RunPython(rename_permissions, restore_permissions),
        migrations.RenameModel(old_name="Look", new_name="AccessLogEntry"),
        migrations.RenameIndex(
            model_name="accesslogentry",
            new_name="access_log_of_customer",
            old_name="look_of_customer",
        ),
        # Postgres renames neither with the table.
        migrations.RunSQL(
            "ALTER SEQUENCE customers_look_id_seq RENAME TO customers_accesslogentry_id_seq",
            "ALTER SEQUENCE customers_accesslogentry_id_seq RENAME TO customers_look_id_seq",
        ),
        migrations.RunSQL(
            "ALTER INDEX customers_look_pkey RENAME TO customers_accesslogentry_pkey",
            "ALTER INDEX customers_accesslogentry_pkey RENAME TO customers_look_pkey",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="accesslogentry",
            trigger=pgtrigger.compiler.Trigger(
                name="access_log_is_never_changed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="9d9ec6211e02b14e2e8b3a1051f65fed169dcfe1",
                    operation="UPDATE",
                    pgid="pgtrigger_access_log_is_never_changed_f9a34",
                    table="customers_accesslogentry",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="accesslogentry",
            trigger=pgtrigger.compiler.Trigger(
                name="access_log_is_never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="80e4a6c90714ae5ea45d6acd1e35b01561560362",
                    operation="DELETE",
                    pgid="pgtrigger_access_log_is_never_deleted_2c863",
                    table="customers_accesslogentry",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="accesslogentry",
            trigger=pgtrigger.compiler.Trigger(
                name="access_log_is_never_emptied",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;",
                    hash="5aba2af54561ccf3e944cd09abb9052fc50b21d3",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_access_log_is_never_emptied_f9e15",
                    table="customers_accesslogentry",
                    when="BEFORE",
                ),
            ),
        ),
    ]
