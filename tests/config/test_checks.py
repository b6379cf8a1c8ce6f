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
def test_links_that_lead_nowhere_are_told_before_they_are_sent(settings, site, is_good):
    settings.BUTLER_SITE_URL = site

    assert (checks.check_site_url() == []) is is_good


def test_only_who_deploys_is_told(settings):
    settings.BUTLER_SITE_URL = "http://localhost:8000"

    for is_deployed in (False, True):
        warnings = django_checks.run_checks(include_deployment_checks=is_deployed)
        assert ("butler.W001" in {warning.id for warning in warnings}) is is_deployed


@pytest.mark.django_db
class TestPromises:
    """A database that may forget what it committed is refused."""

    @pytest.fixture
    def forgetful(self):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")

    def test_by_the_check(self, forgetful):
        with pytest.raises(SystemCheckError, match=r"butler\.E001"):
            call_command("check", databases=["default"], stderr=StringIO())

    def test_at_the_start(self, forgetful):
        with pytest.raises(ImproperlyConfigured, match="synchronous_commit"):
            checks.refuse_to_start()

    def test_and_a_good_one_is_not(self):
        checks.refuse_to_start()

    def test_a_database_that_is_away_is_not_refused_yet(self, monkeypatch):
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
def test_a_key_that_can_be_guessed_is_refused_outside_development(settings, key, is_good):
    settings.DEBUG, settings.SECRET_KEY = False, key

    assert (checks.check_secret_key() == []) is is_good
    settings.DEBUG = True
    assert checks.check_secret_key() == []
