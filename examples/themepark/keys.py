"""The sources of the park and their keys, which BUTLER_HOME/demo-keys.json stores for the story."""

import json
import os
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from customers.access.keys import digest
from customers.actions import sources, staff_sign_in
from customers.models import Source, SourceKey
from customers.types import MAIN_SPACE_ID
from examples.themepark import places

FILE = places.KEYS


STAFF = ("sam", "iris", "mika", "pia", "lin")


class ParkSource(NamedTuple):
    """A source of the park: its name, its channel, and whether many people use it.

    space: the space of its numbers of customers
    addresses: whether it verifies e-mail addresses, as in Source.addresses
    """

    name: str
    channel: str
    is_shared: bool
    space: str
    addresses: str = ""


# App and site have one sign-in, which verifies addresses, so a number means the same family.
SOURCES = (
    ParkSource("app", "app", is_shared=False, space="larkmoor", addresses="checked"),
    ParkSource("site", "web", is_shared=False, space="larkmoor", addresses="checked"),
    ParkSource("call desk", "phone", is_shared=True, space="call desk"),
    ParkSource("till", "store", is_shared=True, space="till"),
)


class DemoKeys(NamedTuple):
    """The content of the file, and whether its passwords are new."""

    keys: dict[str, dict[str, str]]
    passwords: dict[str, str]
    is_fresh: bool
    # The secrets of the authenticator apps, which only demo_code uses.
    factors: dict[str, str]


def ensure_keys(home: Path, *, now: datetime) -> DemoKeys:
    """Create missing sources, keys and passwords, and return the new content of the file."""
    stored = places.read(home / FILE)
    stored_keys = stored.get("keys", {})
    keys = {
        park_source.name: _keys(
            _ensure_source(park_source, now), stored_keys.get(park_source.name, {})
        )
        for park_source in SOURCES
    }
    stored_passwords = stored.get("passwords", {})
    passwords = {name: stored_passwords.get(name) or _password() for name in STAFF}
    factors = {
        name: stored.get("factors", {}).get(name) or staff_sign_in.new_secret() for name in STAFF
    }
    content = {"keys": keys, "passwords": passwords, "factors": factors}
    if content != stored:
        _write(home / FILE, content)
    return DemoKeys(keys, passwords, passwords != stored_passwords, factors)


def _ensure_source(park_source: ParkSource, now: datetime) -> Source:
    """Return a source of the park. A source of an earlier release moves out of the space "main"."""
    space = sources.find_or_create_space(park_source.space)
    source, _ = Source.objects.get_or_create(
        name=park_source.name,
        defaults={
            "channel": park_source.channel,
            "is_shared": park_source.is_shared,
            "default_region": "NL",
            "space": space,
            "addresses": park_source.addresses,
        },
    )
    if source.space_id == MAIN_SPACE_ID:
        Source.objects.filter(pk=source.pk).update(addresses=park_source.addresses)
        sources.move_source(source=source, space=space, now=now)
    return source


def _keys(source: Source, stored_keys: dict[str, str]) -> dict[str, str]:
    return {
        kind: _valid_key(source, stored_keys.get(kind))
        or sources.add_key(source=source, is_secret=kind == "secret")
        for kind in ("secret", "publishable")
    }


def _valid_key(source: Source, key: str | None) -> str | None:
    """Return the key if it is valid in this database; the file may belong to another one."""
    if not key:
        return None
    own_keys = SourceKey.objects.filter(source=source, digest=digest(key))
    return key if own_keys.filter(revoked_at=None, expires_at=None).exists() else None


def _password() -> str:
    return "-".join(secrets.token_hex(2) for _ in range(4))


def _write(path: Path, content: dict[str, Any]) -> None:
    draft = path.with_suffix(".new")
    # Create the file with its mode, so that other users can never read it.
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
    draft.replace(path)
