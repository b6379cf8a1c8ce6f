"""Codes of tickets, and their scans at gates."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0049_address_refusals"),
    ]

    operations = [
        migrations.CreateModel(
            name="GateScan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(unique=True)),
                ("code_digest", models.BinaryField(max_length=16)),
                ("order_key", models.TextField(blank=True)),
                ("guest", models.TextField(blank=True)),
                ("state", models.CharField(max_length=16)),
                ("outcome", models.CharField(max_length=16)),
                ("device", models.TextField(blank=True)),
                ("place", models.TextField(blank=True)),
                ("staff", models.TextField(blank=True)),
                ("scanned_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                (
                    "source",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="customers.source",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("order_key", ""), _negated=True),
                        fields=["order_key"],
                        name="gate_scans_of_order",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("outcome", "admitted")),
                        fields=("order_key", "guest"),
                        name="one_admission_per_ticket",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TicketCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("order_key", models.TextField()),
                ("number", models.TextField()),
                ("guest", models.TextField(blank=True)),
                ("digest", models.BinaryField(max_length=16)),
                ("encrypted", models.BinaryField(blank=True, default=b"")),
                ("origin", models.CharField(max_length=16)),
                ("visit_date", models.DateField(null=True)),
                ("issued_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("end_reason", models.CharField(blank=True, max_length=16)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["order_key"], name="ticket_codes_of_order")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("digest", "order_key", "guest"), name="ticket_code_once_per_guest"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("ended_at__isnull", True), ("origin__in", ["first", "reissued"])
                        ),
                        fields=("order_key", "guest"),
                        name="one_issued_code_per_guest",
                    ),
                ],
            },
        ),
    ]
