"""The sources of the park and their keys, which BUTLER_HOME/demo-keys.json stores for the story."""

import json
import os
import secrets
from pathlib import Path
from typing import Any, NamedTuple

from customers.access.keys import digest
from customers.actions import sources, staff_sign_in
from customers.models import Source, SourceKey
from examples.themepark import places

FILE = places.KEYS


STAFF = ("sam", "iris", "mika", "pia", "lin")


class ParkSource(NamedTuple):
    """A source of the park: its name, its channel, and whether many people use it."""

    name: str
    channel: str
    is_shared: bool


SOURCES = (
    ParkSource("app", "app", is_shared=False),
    ParkSource("site", "web", is_shared=False),
    ParkSource("call desk", "phone", is_shared=True),
    ParkSource("till", "store", is_shared=True),
)


class DemoKeys(NamedTuple):
    """The content of the file, and whether its passwords are new."""

    keys: dict[str, dict[str, str]]
    passwords: dict[str, str]
    is_fresh: bool
    # The secrets of the authenticator apps, which only demo_code uses.
    factors: dict[str, str]


def ensure_keys(home: Path) -> DemoKeys:
    """Create missing sources, keys and passwords, and return the new content of the file."""
    stored = places.read(home / FILE)
    stored_keys = stored.get("keys", {})
    keys = {source.name: _keys(source, stored_keys.get(source.name, {})) for source in SOURCES}
    stored_passwords = stored.get("passwords", {})
    passwords = {name: stored_passwords.get(name) or _password() for name in STAFF}
    factors = {
        name: stored.get("factors", {}).get(name) or staff_sign_in.new_secret() for name in STAFF
    }
    content = {"keys": keys, "passwords": passwords, "factors": factors}
    if content != stored:
        _write(home / FILE, content)
    return DemoKeys(keys, passwords, passwords != stored_passwords, factors)


def _keys(park_source: ParkSource, stored_keys: dict[str, str]) -> dict[str, str]:
    source, _ = Source.objects.get_or_create(
        name=park_source.name,
        defaults={
            "channel": park_source.channel,
            "is_shared": park_source.is_shared,
            "default_region": "NL",
        },
    )
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
