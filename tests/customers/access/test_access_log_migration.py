"""The migration that renamed the access log carries its permissions to who had them."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType

from customers.models import User

pytestmark = pytest.mark.django_db

migration = import_module("customers.migrations.0017_access_log_entries")


@pytest.fixture
def old_permission():
    content_type = ContentType.objects.create(app_label="customers", model="look")
    return Permission.objects.create(
        content_type=content_type, codename="view_look", name="Can view look"
    )


def codenames(holder_permissions):
    return set(holder_permissions.values_list("content_type__model", "codename"))


def test_groups_and_users_keep_the_permission_under_its_new_name(old_permission):
    group = Group.objects.create(name="auditors")
    user = User.objects.create_user("mona@example.com")
    group.permissions.add(old_permission)
    user.user_permissions.add(old_permission)

    migration.rename_permissions(apps, None)

    renamed = {("accesslogentry", "view_accesslogentry")}
    assert codenames(group.permissions) == codenames(user.user_permissions) == renamed
    assert not ContentType.objects.filter(app_label="customers", model="look").exists()


def test_permissions_are_renamed_where_the_new_content_type_does_not_exist_yet(old_permission):
    ContentType.objects.filter(app_label="customers", model="accesslogentry").delete()
    group = Group.objects.create(name="auditors")
    group.permissions.add(old_permission)

    migration.rename_permissions(apps, None)

    assert codenames(group.permissions) == {("accesslogentry", "view_accesslogentry")}
    assert group.permissions.get().name == "Can view access log entry"


def test_undoing_the_migration_gives_the_permission_its_old_name():
    group = Group.objects.get(name="manager")

    migration.restore_permissions(apps, None)

    assert ("look", "view_look") in codenames(group.permissions)
