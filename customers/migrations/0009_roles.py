from django.db import migrations

# As it is said there now; who changes a role adds a migration that makes the groups again.
from customers.access.roles import ROLES


def make_groups(apps, schema_editor):
    """Make the groups, and the permissions that Django would only make after migrating."""
    kinds = apps.get_model("contenttypes", "ContentType")
    permissions = apps.get_model("auth", "Permission")
    groups = apps.get_model("auth", "Group")
    for role, wanted in ROLES.items():
        group, _ = groups.objects.get_or_create(name=role)
        found = []
        for permission in sorted(wanted):
            app, codename = permission.split(".")
            action, model = codename.split("_", 1)
            kind, _ = kinds.objects.get_or_create(app_label=app, model=model)
            _rename_old(permissions, kind, action, codename)
            one, _ = permissions.objects.get_or_create(
                content_type=kind,
                codename=codename,
                defaults={"name": f"Can {action} {model}"},
            )
            found.append(one)
        group.permissions.set(found)


def _rename_old(permissions, kind, action, codename):
    """Give a permission the name of its model, if a migration of the same run renamed the model.

    Django does so after all migrations, and stops if it finds a permission of each name.
    """
    of_model = permissions.objects.filter(content_type=kind)
    if not of_model.filter(codename=codename).exists():
        of_model.filter(codename__startswith=f"{action}_").update(codename=codename)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("customers", "0008_finding_people"),
    ]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
