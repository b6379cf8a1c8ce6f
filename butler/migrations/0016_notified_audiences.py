"""Renames the audience "told:KEY" to "notified:KEY", and two keys of what a waiting run remembers.

Stored versions keep working, and fan-outs and runs that wait go on. The digest of a version stays
that of the file it was loaded from; a file that differs from it only by the name of the audience
is found by its content (butler.actions.automations.load).
"""

from django.db import migrations

# The trigger that refuses every change of a version is ignored until the end of the transaction.
RENAME_IN_VERSIONS = """
SELECT set_config('pgtrigger.ignore', array_agg(tgname)::text, true)
  FROM pg_trigger
 WHERE tgrelid = 'butler_automationversion'::regclass
   AND tgname LIKE 'pgtrigger_automation_version_is_never_rewritten%';

UPDATE butler_automationversion
   SET document = jsonb_set(
           document, '{trigger,audience}',
           to_jsonb(regexp_replace(document #>> '{trigger,audience}', '^told:', 'notified:')))
 WHERE document #>> '{trigger,audience}' LIKE 'told:%';

SELECT set_config('pgtrigger.ignore', '{}', true);
"""

RENAME_IN_FAN_OUTS = """
UPDATE butler_due
   SET facts = jsonb_set(
           facts, '{audience}',
           to_jsonb(regexp_replace(facts->>'audience', '^told:', 'notified:')))
 WHERE duty = 'fan_out'
   AND facts->>'audience' LIKE 'told:%';
"""

RENAME_IN_RUNS = """
UPDATE butler_due
   SET facts = facts - ARRAY['left', 'said', 'through']
             || jsonb_strip_nulls(jsonb_build_object(
                    'pending_channels', facts->'left',
                    'last_message_step', facts->'said',
                    'used_channels', facts->'through'))
 WHERE duty = 'run'
   AND facts ?| ARRAY['left', 'said', 'through'];
"""


class Migration(migrations.Migration):
    dependencies = [
        ("butler", "0015_claims_in_a_total_order"),
    ]

    operations = [
        migrations.RunSQL(RENAME_IN_VERSIONS, migrations.RunSQL.noop),
        migrations.RunSQL(RENAME_IN_FAN_OUTS, migrations.RunSQL.noop),
        migrations.RunSQL(RENAME_IN_RUNS, migrations.RunSQL.noop),
    ]
