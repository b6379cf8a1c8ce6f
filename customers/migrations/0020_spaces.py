"""Spaces of the numbers of customers, and what a source says about its addresses and numbers.

Every existing source is in the space "main". Only small tables change, each in an instant.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Now

MAIN_SPACE_ID = 1

_MAIN_SPACE = f"""
INSERT INTO customers_space (id, name) VALUES ({MAIN_SPACE_ID}, 'main');
SELECT setval(pg_get_serial_sequence('customers_space', 'id'), {MAIN_SPACE_ID});
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0019_attempt_counts")]

    operations = [
        migrations.CreateModel(
            name="Space",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, unique=True)),
                (
                    "ids_per_person",
                    models.CharField(
                        choices=[("one", "Single"), ("several", "Several")],
                        db_default="one",
                        default="one",
                        max_length=8,
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(ids_per_person__in=["one", "several"]),
                        name="space_ids_per_person_is_known",
                    )
                ],
            },
        ),
        migrations.RunSQL(_MAIN_SPACE, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="source",
            name="space",
            field=models.ForeignKey(
                db_default=models.Value(MAIN_SPACE_ID),
                default=MAIN_SPACE_ID,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sources",
                to="customers.space",
            ),
        ),
        migrations.AddField(
            model_name="source",
            name="addresses",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "by its channel"),
                    ("checked", "Checked"),
                    ("stated", "Stated"),
                    ("unchecked", "Unchecked"),
                ],
                db_default="",
                default="",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="source",
            name="order_numbers",
            field=models.CharField(
                blank=True,
                choices=[("", "used once"), ("yearly", "Yearly")],
                db_default="",
                default="",
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="source",
            constraint=models.CheckConstraint(
                condition=models.Q(addresses__in=["", "checked", "stated", "unchecked"]),
                name="source_addresses_are_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="source",
            constraint=models.CheckConstraint(
                condition=models.Q(order_numbers__in=["", "yearly"]),
                name="source_order_numbers_are_known",
            ),
        ),
    ]
