"""Colleagues, and sessions of theirs that went through both factors."""

import time

from django.contrib.auth.models import Group
from django.test import Client

from channels.console.views.access import LAST_USED_AT, SIGNED_IN_AT
from customers.models import User

BACKEND = "django.contrib.auth.backends.ModelBackend"


def colleague(role: str = "", name: str = "Sam", **fields) -> User:
    """Create a login of a staff member with this role."""
    email = f"{name.lower()}.{role.replace(' ', '-') or 'nobody'}@staff.example.com"
    user = User.objects.create_user(email, name=name, is_staff=True, **fields)
    if role:
        user.groups.add(Group.objects.get(name=role))
    return user


def let_in(client: Client, user: User) -> Client:
    """Give this client the session that password and second factor lead to."""
    client.force_login(user, BACKEND)
    session = client.session
    session[SIGNED_IN_AT] = session[LAST_USED_AT] = time.time()
    session.save()
    return client
