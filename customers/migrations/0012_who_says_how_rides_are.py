from importlib import import_module

from django.db import migrations

roles = import_module("customers.migrations.0009_roles")


class Migration(migrations.Migration):
    dependencies = [("customers", "0011_days_of_the_year")]

    operations = [migrations.RunPython(roles.make_groups, migrations.RunPython.noop)]
