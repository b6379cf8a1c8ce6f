"""The questions whether two sources number their customers separately. Managers answer them."""

from importlib import import_module

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

roles = import_module("customers.migrations.0009_roles")


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0025_consent_states"),
    ]

    operations = [
        migrations.CreateModel(
            name="NumberingQuestion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("shared_mailboxes", models.BigIntegerField(default=0)),
                ("equal_numbers", models.BigIntegerField(default=0)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[("", "open"), ("separate", "Separate"), ("same", "Same")],
                        default="",
                        max_length=8,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("answered_by", models.CharField(blank=True, max_length=100)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "first",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.source",
                    ),
                ),
                (
                    "moved",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.source",
                    ),
                ),
                (
                    "second",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.source",
                    ),
                ),
                (
                    "space",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.space",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("space", "first", "second"), name="numbering_is_asked_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("first__lt", models.F("second"))),
                        name="numbering_is_ordered",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("answer__in", ["", "separate", "same"])),
                        name="numbering_answer_is_known",
                    ),
                ],
            },
        ),
        migrations.RunPython(roles.make_groups, migrations.RunPython.noop),
    ]
