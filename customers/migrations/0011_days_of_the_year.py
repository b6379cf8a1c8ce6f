from django.db import migrations, models
from django.db.models.functions import ExtractDay, ExtractMonth

# Traits that are dates, by their day of the year. No model can say it: the expression takes text
# out of JSON, and what is no date stays out of the index.
ADD = r"""
CREATE INDEX trait_day_of_year ON customers_trait (name, substr(value #>> '{}', 6, 5))
 WHERE trust = 2 AND value #>> '{}' ~ '^\d{4}-\d\d-\d\d';
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0010_managers_approve")]

    operations = [
        migrations.AddIndex(
            model_name="partymember",
            index=models.Index(
                ExtractMonth("birth_date"),
                ExtractDay("birth_date"),
                condition=models.Q(birth_date__isnull=False),
                name="party_member_birthday",
            ),
        ),
        migrations.RunSQL(ADD, "DROP INDEX trait_day_of_year"),
    ]
