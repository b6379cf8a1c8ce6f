"""Logins of phones, and codes that are sent by SMS."""

from django.db import migrations, models

# The earlier version needs an e-mail address for each login.
_GIVE_ADDRESSES = "UPDATE customers_user SET email = phone || '@phone.invalid' WHERE email IS NULL"


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("customers", "0042_subjects_of_parts"),
    ]

    operations = [
        migrations.AddField(
            model_name="signincode",
            name="country_code",
            field=models.SmallIntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name="signincode",
            name="phone",
            field=models.CharField(blank=True, db_default="", max_length=16),
        ),
        migrations.AddField(
            model_name="user",
            name="phone",
            field=models.CharField(
                blank=True, editable=False, max_length=16, null=True, unique=True
            ),
        ),
        migrations.AlterField(
            model_name="signincode",
            name="email",
            field=models.CharField(blank=True, max_length=254),
        ),
        migrations.AlterField(
            model_name="user",
            name="email",
            field=models.EmailField(blank=True, max_length=254, null=True, unique=True),
        ),
        migrations.AddIndex(
            model_name="signincode",
            index=models.Index(
                condition=models.Q(("phone", ""), _negated=True),
                fields=["phone", "requested_at"],
                name="sign_in_per_phone",
            ),
        ),
        migrations.AddIndex(
            model_name="signincode",
            index=models.Index(
                condition=models.Q(("country_code", 0), _negated=True),
                fields=["country_code", "requested_at"],
                name="sign_in_per_country",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("email__isnull", False), ("phone__isnull", False), _connector="OR"
                ),
                name="user_has_an_address",
            ),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, _GIVE_ADDRESSES),
    ]
