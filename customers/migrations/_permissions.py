"""Keeps permissions when a model gets another name. Django ignores modules that begin with "_"."""

from typing import Any


def rename_permissions(apps: Any, *, old: str, new: str, verbose_name: str) -> None:
    """Rename the content type `old` and its permissions; where both exist, keep those of `new`.

    Both exist where 0009 made the groups in the same run: then every holder of an old permission
    gets the new one. `verbose_name` is the name of the model in the sentences of the permissions.
    """
    content_types = apps.get_model("contenttypes", "ContentType").objects
    old_type = content_types.filter(app_label="customers", model=old).first()
    if old_type is None:
        return
    new_type, _ = content_types.get_or_create(app_label="customers", model=new)
    permissions = apps.get_model("auth", "Permission").objects
    for permission in permissions.filter(content_type=old_type):
        action = permission.codename.removesuffix(f"_{old}")
        target, _ = permissions.get_or_create(
            content_type=new_type,
            codename=f"{action}_{new}",
            defaults={"name": f"Can {action} {verbose_name}"},
        )
        for group in permission.group_set.all():
            group.permissions.add(target)
        for user in permission.user_set.all():
            user.user_permissions.add(target)
        permission.delete()
    old_type.delete()
