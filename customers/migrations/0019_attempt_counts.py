from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0018_merges_and_ends_of_links")]

    operations = [
        migrations.RenameModel(old_name="Guess", new_name="AttemptCount"),
        migrations.RenameIndex(
            model_name="attemptcount", new_name="attempts_window", old_name="guess_window"
        ),
        migrations.RemoveConstraint(model_name="attemptcount", name="guess_counted_together"),
        migrations.AddConstraint(
            model_name="attemptcount",
            constraint=models.UniqueConstraint(
                fields=("subject", "window"), name="attempts_once_per_window"
            ),
        ),
        # Postgres renames neither with the table.
        migrations.RunSQL(
            "ALTER SEQUENCE customers_guess_id_seq RENAME TO customers_attemptcount_id_seq",
            "ALTER SEQUENCE customers_attemptcount_id_seq RENAME TO customers_guess_id_seq",
        ),
        migrations.RunSQL(
            "ALTER INDEX customers_guess_pkey RENAME TO customers_attemptcount_pkey",
            "ALTER INDEX customers_attemptcount_pkey RENAME TO customers_guess_pkey",
        ),
    ]
