from io import StringIO

import pytest
from django.core import checks as django_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import OperationalError, connection

from config import checks


@pytest.mark.parametrize(
    ("site", "is_good"),
    [
        ("https://butler.example.com", True),
        ("https://example.com/butler/", True),
        ("http://localhost:8000", False),
        ("http://127.0.0.1", False),
        ("butler.example.com", False),
        ("", False),
    ],
)
def test_site_url_without_https_or_public_host_is_reported(settings, site, is_good):
    settings.BUTLER_SITE_URL = site

    assert (checks.check_site_url() == []) is is_good


@pytest.mark.django_db
def test_site_url_is_only_checked_for_deployment(settings):
    settings.BUTLER_SITE_URL = "http://localhost:8000"

    for is_deployed in (False, True):
        warnings = django_checks.run_checks(include_deployment_checks=is_deployed)
        assert ("butler.W001" in {warning.id for warning in warnings}) is is_deployed


@pytest.mark.django_db
class TestPromises:
    """A database that can lose committed transactions is refused."""

    @pytest.fixture
    def forgetful(self):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")

    def test_check_command_fails(self, forgetful):
        with pytest.raises(SystemCheckError, match=r"butler\.E001"):
            call_command("check", databases=["default"], stderr=StringIO())

    def test_start_is_refused(self, forgetful):
        with pytest.raises(ImproperlyConfigured, match="synchronous_commit"):
            checks.refuse_to_start()

    def test_durable_database_is_accepted(self):
        checks.refuse_to_start()

    def test_unreachable_database_is_not_refused(self, monkeypatch):
        def away(**_):
            raise OperationalError("gone")

        monkeypatch.setattr(checks, "check_database_is_durable", away)

        checks.refuse_to_start()


@pytest.mark.parametrize(
    ("key", "is_good"),
    [
        ("x" * 50, False),
        ("abc" * 20, False),
        ("short but various 123", False),
        ("django-insecure-0123456789abcdefghijklmnopqrstuvwxyz", False),
        ("eZ4pVq8mK2wT7cR9bN3xL6yH1uJ5sD0fG-aQvM_tPiWoXkEjUr", True),
    ],
)
def test_weak_secret_key_is_refused_outside_development(settings, key, is_good):
    settings.DEBUG, settings.SECRET_KEY = False, key

    assert (checks.check_secret_key() == []) is is_good
    settings.DEBUG = True
    assert checks.check_secret_key() == []
