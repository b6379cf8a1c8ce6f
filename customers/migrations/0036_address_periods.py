"""Link the periods of addresses."""

from django.db import migrations, models

# The periods of identifiers that a later one follows.
EARLIER_PERIODS = """
CREATE VIEW customers_earlierperiod AS
SELECT earlier.id
  FROM customers_identifier AS earlier
  JOIN customers_identifier AS later USING (kind, value, evidence)
 WHERE later.period > earlier.period
"""


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0035_erased_records"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="link",
            name="link_kind_is_known",
        ),
        migrations.AlterField(
            model_name="link",
            name="kind",
            field=models.CharField(
                choices=[
                    ("seen", "Together"),
                    ("alias", "Alias"),
                    ("equal", "Equal"),
                    ("placed", "Placed"),
                    ("period", "Period"),
                ],
                default="seen",
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="link",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["seen", "alias", "equal", "placed", "period"])),
                name="link_kind_is_known",
            ),
        ),
        migrations.RunSQL(EARLIER_PERIODS, "DROP VIEW customers_earlierperiod;"),
    ]
