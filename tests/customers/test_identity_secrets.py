"""Secrets of identity tokens: two are valid at the same time, and each is shown once."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from customers.access import identity_tokens
from tests import factories
from tests.identity_tokens import sign

pytestmark = pytest.mark.django_db


def run(name: str, *options: str) -> str:
    out = io.StringIO()
    call_command("identity_secret", name, *options, stdout=out)
    return out.getvalue()


def accepts(source, secret: str) -> bool:
    source.refresh_from_db()
    token = sign(source, secret, "42")
    try:
        return bool(
            identity_tokens.verify(token, source_id=source.pk, secrets=source.identity_secrets)
        )
    except identity_tokens.InvalidToken:
        return False


def test_new_secret_signs_tokens_of_its_source():
    app = factories.source("App")

    printed = json.loads(run("App"))

    assert (printed["id"], printed["name"]) == (app.pk, "App")
    assert accepts(app, printed["secret"])


def test_previous_secret_is_valid_until_it_is_ended():
    app = factories.source("App")
    first, second, third = (json.loads(run("App"))["secret"] for _ in range(3))
    assert [accepts(app, secret) for secret in (first, second, third)] == [False, True, True]

    assert run("App", "--end-older") == "ended 1\n"

    assert [accepts(app, secret) for secret in (second, third)] == [False, True]


def test_all_secrets_can_be_ended():
    app = factories.source("App")
    secret = json.loads(run("App"))["secret"]

    assert run("App", "--end-all") == "ended 1\n"

    assert not accepts(app, secret)


def test_unknown_source_is_an_error():
    with pytest.raises(CommandError, match="There is no source 'Nobody'"):
        run("Nobody")
