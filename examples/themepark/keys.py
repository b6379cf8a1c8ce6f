"""The sources of the park and their keys, kept for the story in BUTLER_HOME/demo-keys.json."""

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


class Spoken(NamedTuple):
    """A source of the park: where it stands and who uses it."""

    name: str
    channel: str
    is_shared: bool


SOURCES = (
    Spoken("app", "app", is_shared=False),
    Spoken("site", "web", is_shared=False),
    Spoken("call desk", "phone", is_shared=True),
    Spoken("till", "store", is_shared=True),
)


class Kept(NamedTuple):
    """What the file says, and whether its passwords were made up just now."""

    keys: dict[str, dict[str, str]]
    passwords: dict[str, str]
    is_fresh: bool
    # The secrets of the authenticator apps that nobody here has.
    factors: dict[str, str]


def ensure(home: Path) -> Kept:
    """Make what is missing of sources, keys and passwords; return what the file now says."""
    kept = places.read(home / FILE)
    known = kept.get("keys", {})
    made = {spoken.name: _keys(spoken, known.get(spoken.name, {})) for spoken in SOURCES}
    before = kept.get("passwords", {})
    passwords = {name: before.get(name) or _password() for name in STAFF}
    factors = {
        name: kept.get("factors", {}).get(name) or staff_sign_in.new_secret() for name in STAFF
    }
    told = {"keys": made, "passwords": passwords, "factors": factors}
    if told != kept:
        _write(home / FILE, told)
    return Kept(made, passwords, passwords != before, factors)


def _keys(spoken: Spoken, known: dict[str, str]) -> dict[str, str]:
    source, _ = Source.objects.get_or_create(
        name=spoken.name,
        defaults={
            "channel": spoken.channel,
            "is_shared": spoken.is_shared,
            "default_region": "NL",
        },
    )
    return {
        sort: _standing(source, known.get(sort))
        or sources.add_key(source=source, is_secret=sort == "secret")
        for sort in ("secret", "publishable")
    }


def _standing(source: Source, key: str | None) -> str | None:
    """Return the key if it is still good, here: the file may be of another database."""
    if not key:
        return None
    mine = SourceKey.objects.filter(source=source, digest=digest(key))
    return key if mine.filter(revoked_at=None, expires_at=None).exists() else None


def _password() -> str:
    return "-".join(secrets.token_hex(2) for _ in range(4))


def _write(path: Path, told: dict[str, Any]) -> None:
    fresh = path.with_suffix(".new")
    # Made with its mode, so that nobody else can read it even for a moment.
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(told, file, indent=2)
    fresh.replace(path)
