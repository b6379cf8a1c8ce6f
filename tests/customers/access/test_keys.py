import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, connection
from django.utils import timezone

from customers import db
from customers.access import keys
from customers.actions.sources import add_key, create_source, revoke_key, rotate_key
from customers.events.internal_sources import sender_of_source
from customers.models import Source, SourceKey, Space

pytestmark = pytest.mark.django_db


def _source(**facts):
    return create_source(**{"name": "till 3", "channel": "store", "is_secret": True, **facts})


def test_key_identifies_its_source_and_scopes():
    source, key = _source(is_shared=True, region="nl")

    sender = keys.find_sender(key)

    assert (sender.source_id, sender.name, sender.channel) == (source.pk, "till 3", "store")
    assert (sender.is_trusted, sender.is_shared, sender.default_region) == (True, True, "NL")
    assert sender.scopes == {"ingest", "read", "identify"}


def test_key_tells_the_space_and_the_addresses_of_its_source():
    shop = Space.objects.create(name="shop", ids_per_person="several")
    source, key = _source(name="shop", channel="site")
    Source.objects.filter(pk=source.pk).update(space=shop, addresses="checked")

    sender = keys.find_sender(key)

    assert (sender.space_id, sender.space, sender.has_several_ids) == (shop.pk, "shop", True)
    assert (sender.addresses, sender.is_owner) == ("checked", True)
    source.refresh_from_db()
    assert sender_of_source(source, is_trusted=True, is_secret=True, scopes=keys.SCOPES) == sender


def test_source_without_a_space_of_its_own_is_in_main():
    _, key = _source()

    sender = keys.find_sender(key)

    assert (sender.space_id, sender.space, sender.has_several_ids) == (1, "main", False)
    assert (sender.addresses, sender.is_owner) == ("", False)


@pytest.mark.parametrize(
    ("facts", "is_owner"),
    [
        ({"channel": "app"}, True),
        ({"channel": "app", "is_secret": False}, False),
        ({"channel": "app", "scopes": ("ingest", "read")}, False),
        ({"channel": "app", "is_shared": True}, False),
        ({"channel": "import"}, False),
    ],
)
def test_only_a_secret_key_that_may_identify_owns_its_space(facts, is_owner):
    _, key = _source(**facts)

    assert keys.find_sender(key).is_owner is is_owner


def test_publishable_key_writes_only_claims():
    _, key = _source(is_secret=False, scopes=("ingest", "read", "identify"))

    sender = keys.find_sender(key)

    assert key.startswith("pk_")
    assert (sender.is_trusted, sender.scopes) == (False, {"ingest"})


def test_secret_key_without_the_scope_writes_only_claims():
    _, key = _source(scopes=("ingest",))

    assert keys.find_sender(key).is_trusted is False


def test_a_publishable_key_with_more_rights_cannot_be_stored():
    source, _ = _source()

    with pytest.raises(IntegrityError):
        SourceKey.objects.create(
            source=source, prefix="pk_x", digest=b"x", is_secret=False, scopes=["ingest", "read"]
        )


@pytest.mark.parametrize("text", ["", "sk_", "sk_unknown", "Sk_x", "sk_\x00", "sk_ü", "x" * 9000])
def test_invalid_key_has_no_source(text):
    _source()

    assert keys.find_sender(text) is None


def test_stored_key_cannot_be_used():
    _, key = _source()

    source_key = SourceKey.objects.get()

    assert source_key.prefix == key[:9]
    assert key not in repr(SourceKey.objects.values().get())
    assert len(key) >= 35


def test_revoking_works_at_once():
    _, key = _source()

    assert revoke_key(prefix=key, now=timezone.now()) == 1
    assert keys.find_sender(key) is None


def test_old_and_new_key_are_valid_during_a_rotation():
    source, old = _source(scopes=("ingest",))
    now = timezone.now() - timedelta(minutes=1)

    new = rotate_key(source=source, is_secret=True, grace=timedelta(hours=1), now=now)
    during = [keys.find_sender(key) for key in (old, new)]
    rotate_key(source=source, is_secret=True, grace=timedelta(0), now=now)

    assert None not in during
    assert during[1].scopes == {"ingest"}
    assert [keys.find_sender(key) for key in (old, new)] == [None, None]


def test_last_use_is_written_once_a_minute(django_assert_num_queries):
    _, key = _source()
    statements = []
    original = db.rows
    db.rows = lambda *arguments: statements.append(arguments[0]) or original(*arguments)
    try:
        for _ in range(5):
            keys.find_sender(key)
    finally:
        db.rows = original

    assert SourceKey.objects.get().last_used_at is not None
    assert len(statements) == 5 + 1


def test_key_lookup_without_database_raises_keys_unavailable(monkeypatch):
    def away(*_):
        raise OperationalError("gone")

    monkeypatch.setattr(db, "rows", away)

    with pytest.raises(keys.KeysUnavailable):
        keys.find_sender("sk_anything")


def test_a_key_is_found_by_its_index():
    source, _ = _source()
    for _ in range(50):
        add_key(source=source, is_secret=True)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT 1 FROM customers_sourcekey WHERE digest = %s", [keys.digest("sk_x")]
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "Index" in plan


class TestCommands:
    def _run(self, *args: str) -> str:
        out = StringIO()
        call_command(*args, stdout=out)
        return out.getvalue()

    def test_command_makes_a_source_and_prints_its_key(self):
        line = self._run("create_source", "app", "--channel", "app")

        printed_source = json.loads(line)
        assert line.count("\n") == 1
        assert printed_source.keys() == {"id", "name", "key", "shares_numbers_with"}
        assert keys.find_sender(printed_source["key"]).source_id == printed_source["id"]

    def test_source_name_must_be_unique(self):
        self._run("create_source", "app", "--channel", "app")

        with pytest.raises(CommandError, match="rotate_key"):
            self._run("create_source", "app", "--channel", "app")

    def test_a_scope_that_does_not_exist_is_refused(self):
        with pytest.raises(CommandError, match="fly"):
            self._run("create_source", "x", "--channel", "app", "--secret", "--scopes", "fly")

    def test_a_key_is_rotated_and_revoked(self):
        old = json.loads(self._run("create_source", "desk", "--channel", "phone", "--secret"))
        new = json.loads(self._run("rotate_key", "desk", "--secret", "--hours", "1"))

        self._run("revoke_key", old["key"])

        assert keys.find_sender(old["key"]) is None
        assert keys.find_sender(new["key"]) is not None

    @pytest.mark.parametrize(
        "command",
        [("rotate_key", "nobody"), ("revoke_key", "sk_nothing"), ("revoke_key", "sk")],
    )
    def test_unknown_source_or_key_is_reported(self, command):
        with pytest.raises(CommandError):
            self._run(*command)
