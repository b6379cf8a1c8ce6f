"""A missing or invalid setting stops the start with an error that names the setting."""

import fcntl
import json

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env, service_urls


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    for name in (
        "DATABASE_URL",
        "REDIS_URL",
        "SECRET_KEY",
        "SECRET_KEY_FILE",
        "BUTLER_CHECK",
        "DEBUG",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BUTLER_HOME", str(tmp_path))


@pytest.fixture
def announced_services(tmp_path):
    """Write the files of `make run`, and hold the lock that shows that it runs."""
    key = tmp_path / "secret_key"
    key.write_text("k" * 40 + "\n")
    announced_services = {
        "DATABASE_URL": "postgresql://butler@/butler?host=/run/b",
        "REDIS_URL": "unix:///run/b/valkey.sock?db=0",
        "SECRET_KEY_FILE": str(key),
        "DEBUG": "1",
    }
    (tmp_path / "services.json").write_text(json.dumps(announced_services))
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield announced_services


@pytest.mark.parametrize(
    ("read", "value", "meaning"),
    [
        pytest.param(lambda: env.flag("X", default=False), "True", True, id="flag"),
        pytest.param(lambda: env.flag("X", default=True), "", False, id="empty-flag-is-off"),
        pytest.param(lambda: env.number("X", default=1), " 20 ", 20, id="number"),
        pytest.param(lambda: env.duration_seconds("X", default=1), "0.25", 0.25, id="seconds"),
        pytest.param(lambda: env.listing("X"), "a, b,,c ", ["a", "b", "c"], id="listing"),
        pytest.param(
            lambda: env.prefixes("X"), "+31, +1242", ("+31", "+1242"), id="beginnings-of-numbers"
        ),
        pytest.param(lambda: env.text("X"), "", "", id="empty-text-is-a-text"),
        pytest.param(lambda: env.choice("X", ["en", "nl"], default="en"), "nl", "nl", id="choice"),
        pytest.param(
            lambda: env.budgets("X", ["marketing", "peer"], default=""),
            "marketing=2/week, peer=1/day",
            {"marketing": {"limit": 2, "period": "week"}, "peer": {"limit": 1, "period": "day"}},
            id="budgets",
        ),
        pytest.param(
            lambda: env.quiet_hours("X", ["peer"], default="peer=21:00-08:00"),
            "peer=22:30-07:00",
            {"peer": ("22:30", "07:00")},
            id="quiet-hours",
        ),
        pytest.param(
            lambda: env.quiet_hours("X", ["peer"], default="peer=21:00-08:00"),
            "",
            {},
            id="no-quiet-hours",
        ),
    ],
)
def test_valid_value_is_parsed(monkeypatch, read, value, meaning):
    monkeypatch.setenv("X", value)

    assert read() == meaning


@pytest.mark.parametrize(
    ("read", "value"),
    [
        pytest.param(lambda: env.flag("X", default=False), "maybe", id="flag"),
        pytest.param(lambda: env.number("X", default=1), "1e3", id="number"),
        pytest.param(lambda: env.number("X", default=1), "-1", id="negative"),
        pytest.param(lambda: env.number("X", default=1), "²", id="superscript"),
        pytest.param(lambda: env.duration_seconds("X", default=1), "nan", id="not-a-number"),
        pytest.param(lambda: env.duration_seconds("X", default=1), "-0.1", id="negative-seconds"),
        pytest.param(lambda: env.secret("X"), "short", id="secret"),
        pytest.param(lambda: env.choice("X", ["en"], default="en"), "fr", id="choice"),
        pytest.param(lambda: env.budgets("X", ["peer"], default=""), "peer=1/hour", id="period"),
        pytest.param(lambda: env.budgets("X", ["peer"], default=""), "other=1/day", id="class"),
        pytest.param(lambda: env.quiet_hours("X", ["peer"], default=""), "peer=9-17", id="clock"),
        pytest.param(lambda: env.prefixes("X"), "+31,32", id="number-without-plus"),
        pytest.param(lambda: service_urls.database("X"), "mysql://a/b", id="database"),
    ],
)
def test_invalid_value_is_refused_with_its_name(monkeypatch, read, value):
    monkeypatch.setenv("X", value)

    with pytest.raises(ImproperlyConfigured, match="X"):
        read()


def test_missing_value_is_refused():
    with pytest.raises(ImproperlyConfigured, match=r"^X is not set\.$"):
        env.text("X")


def test_secret_is_read_from_a_file(monkeypatch, tmp_path):
    (tmp_path / "key").write_text("s" * 40 + "\n")
    monkeypatch.setenv("X_FILE", str(tmp_path / "key"))

    assert env.secret("X") == "s" * 40


def test_missing_secret_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("X_FILE", str(tmp_path / "nowhere"))

    with pytest.raises(ImproperlyConfigured, match=r"X_FILE: .*nowhere"):
        env.secret("X")


def test_services_of_make_run_are_found(announced_services):
    assert env.service_url("DATABASE_URL") == announced_services["DATABASE_URL"]
    assert service_urls.database("DATABASE_URL")["HOST"] == "/run/b"
    assert env.secret("SECRET_KEY") == "k" * 40
    assert env.flag("DEBUG", default=False) is True


def test_environment_overrides_the_services_of_make_run(announced_services, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere/1")

    assert env.service_url("REDIS_URL") == "redis://elsewhere/1"


def test_process_with_its_own_database_ignores_the_settings_of_make_run(
    announced_services, monkeypatch
):
    """DEBUG and a development key must never reach production through a forgotten file."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/butler")

    assert env.flag("DEBUG", default=False) is False
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY is not set"):
        env.secret("SECRET_KEY")


def test_ended_services_are_not_used(announced_services, tmp_path):
    (tmp_path / "lock").unlink()
    (tmp_path / "lock").touch()
    (tmp_path / "postgres").mkdir()

    with pytest.raises(
        ImproperlyConfigured, match=r"there is data in .*, but its services are not"
    ):
        env.service_url("DATABASE_URL")


def test_missing_services_error_names_make_run_and_the_variable():
    with pytest.raises(
        ImproperlyConfigured, match=r"No database: run `make run` or set DATABASE_URL"
    ):
        env.service_url("DATABASE_URL")


def test_settings_load_without_services_for_checks(monkeypatch):
    monkeypatch.setenv("BUTLER_CHECK", "1")

    assert service_urls.database("DATABASE_URL")["HOST"] == "not-connected.invalid"
    assert env.secret("SECRET_KEY") != env.secret("SECRET_KEY")


def test_origins_are_as_browsers_write_them(monkeypatch):
    listed = "https://Shop.example.com, http://localhost:8080,https://app.example.com:443,http://[::1]:80"
    monkeypatch.setenv("ORIGINS", listed)

    assert env.origins("ORIGINS") == {
        "https://shop.example.com",
        "http://localhost:8080",
        "https://app.example.com",
        "http://[::1]",
    }


def test_no_origin_is_listed_by_default(monkeypatch):
    monkeypatch.delenv("ORIGINS", raising=False)

    assert env.origins("ORIGINS") == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "null",
        "shop.example.com",
        "https://",
        "https://shop.example.com/",
        "https://*.example.com",
        "ftp://shop.example.com",
        "https://user@shop.example.com",
        "https://shop.example.com:0",
    ],
)
def test_value_that_is_no_origin_stops_the_start(monkeypatch, text):
    monkeypatch.setenv("ORIGINS", f"https://app.example.com,{text}")

    with pytest.raises(ImproperlyConfigured, match="ORIGINS has"):
        env.origins("ORIGINS")
