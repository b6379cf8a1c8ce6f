import json
import re

import pytest
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from config import health


def test_livez_answers_for_any_host(client, settings):
    settings.ALLOWED_HOSTS = ["park.example.com"]

    answer = client.get("/livez", headers={"host": "10.0.0.7"})

    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


@pytest.mark.django_db
def test_readyz_lists_its_checks(client):
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["checks"] == {"database": "ok", "redis": "ok", "work": "ok"}


@pytest.mark.django_db
def test_readyz_without_redis_is_degraded_and_ready(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


def test_readyz_without_the_database_is_not_ready(client, monkeypatch):
    def away():
        raise OperationalError("gone")

    monkeypatch.setattr(health, "settings_without_durability", away)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["checks"]["database"]) == (503, "away")


@pytest.mark.django_db
def test_readyz_with_a_missing_migration_is_not_ready(client):
    (last,) = MigrationLoader(connection).graph.leaf_nodes("customers")
    MigrationRecorder(connection).record_unapplied(*last)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["checks"]["database"]) == (
        503,
        "migrations missing",
    )


@pytest.mark.django_db
def test_readyz_without_durable_commits_is_not_ready(client):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["checks"]["database"]) == (
        503,
        "synchronous_commit off",
    )


@pytest.mark.django_db
def test_metrics_count_requests_by_route_without_the_path(client):
    client.get("/api/customers/00000000-0000-7000-8000-000000000000/?identifier=email:noor@x.nl")

    page = client.get("/metrics").content.decode()

    line = 'route="api/customers/<uuid:customer_id>/",status="401"'
    assert re.search(rf"butler_requests_total\{{method=\"GET\",{re.escape(line)}\}} \d", page)
    assert "00000000-0000" not in page
    assert "noor@" not in page


@pytest.mark.slow
def test_metrics_add_up_the_workers_of_a_server(running):
    import urllib.request

    def read() -> str:
        with urllib.request.urlopen(f"{running.web}/metrics") as answer:
            return answer.read().decode()

    def count() -> float:
        sample = re.search(
            r'butler_requests_total\{[^}]*route="dev/outbox.json"[^}]*\} (\S+)', read()
        )
        return float(sample[1]) if sample else 0.0

    before = count()
    for _ in range(3):
        with urllib.request.urlopen(f"{running.web}/dev/outbox.json") as answer:
            json.load(answer)

    assert count() == before + 3
