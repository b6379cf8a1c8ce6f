"""The commands that create, move and list sources, and the sentences that they print."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from customers.access import keys
from customers.actions.sources import create_source, find_or_create_space, revoke_key
from customers.events.internal_sources import signed_in_sender
from customers.models import Source, Space
from customers.types import SOURCE_CHANNELS

pytestmark = pytest.mark.django_db


def run(*args):
    """Run a command; return its lines of JSON and its sentences."""
    out, sentences = StringIO(), StringIO()
    call_command(*args, stdout=out, stderr=sentences)
    return [json.loads(line) for line in out.getvalue().splitlines()], sentences.getvalue()


def create(name, *options, channel="app"):
    lines, sentences = run("create_source", name, "--channel", channel, *options)
    assert len(lines) == 1
    return lines[0], sentences


class TestCreateSource:
    def test_new_space_is_created_with_its_source(self):
        created, sentences = create("Shop", "--secret", "--ids", "shop", channel="site")

        source = Source.objects.get(name="Shop")
        assert created["id"] == source.pk
        assert list(created) == ["id", "name", "key", "shares_numbers_with"]
        assert created["shares_numbers_with"] == []
        assert (source.space.name, source.space.ids_per_person) == ("shop", "one")
        assert 'shares its numbers of customers with no other source (space "shop")' in sentences

    @pytest.mark.parametrize("channel", ["stor", "console", "butler", "App", "", "x" * 40])
    def test_unknown_channel_is_refused_with_the_list(self, channel):
        with pytest.raises(CommandError) as refusal:
            create("Till", "--secret", channel=channel)

        assert str(refusal.value) == (
            f"Unknown channel: {channel}. The channels are "
            "app, desk, import, kiosk, partner, phone, server, site, store, till, web."
        )
        assert not Source.objects.filter(name="Till").exists()

    @pytest.mark.parametrize("channel", sorted(SOURCE_CHANNELS))
    def test_each_listed_channel_makes_a_source(self, channel):
        create("New", channel=channel)

        assert Source.objects.get(name="New").channel == channel

    def test_every_option_is_stored(self):
        options = ["--ids", "passes", "--ids-per-person", "several", "--order-numbers", "yearly"]
        created, _ = create("Passes", "--secret", *options, "--addresses", "unchecked")

        sender = keys.find_sender(created["key"])
        assert (sender.space, sender.has_several_ids, sender.addresses) == (
            "passes",
            True,
            "unchecked",
        )
        assert Source.objects.get(name="Passes").order_numbers == "yearly"

    def test_source_of_an_existing_space_names_the_others(self):
        create("Shop", "--ids", "shop")
        create("Shop app", "--ids", "shop")

        created, sentences = create("Shop desk", "--ids", "Shop")

        assert created["shares_numbers_with"] == ["Shop", "Shop app"]
        assert '"Shop" and "Shop app" (space "shop"): an equal number means the same' in sentences
        assert "move_source" not in sentences
        assert Space.objects.count() == 2

    def test_source_in_main_with_others_is_told_how_to_separate_numbers(self):
        _, first = create("App")
        created, second = create("Shop")

        assert "move_source" not in first
        assert created["shares_numbers_with"] == ["App"]
        assert 'manage.py move_source "Shop" --ids' in second

    def test_sources_of_butler_itself_share_no_numbers(self):
        signed_in_sender("customer portal", "web")

        created, _ = create("App")

        assert created["shares_numbers_with"] == []

    def test_source_with_a_webhook_secret_and_no_key_shares_numbers(self):
        Source.objects.create(name="Tickets", channel="site", webhook_secrets=["whsec_x"])

        created, _ = create("App")

        assert created["shares_numbers_with"] == ["Tickets"]

    @pytest.mark.parametrize(
        ("options", "space"),
        [
            (["--ids", "shop", "--ids-per-person", "several"], "'shop' holds one"),
            (["--ids", "passes", "--ids-per-person", "one"], "'passes' holds several"),
            (["--ids-per-person", "several"], "'main' holds one"),
        ],
    )
    def test_existing_space_with_another_count_of_ids_is_refused(self, options, space):
        find_or_create_space("shop")
        find_or_create_space("passes", "several")

        with pytest.raises(CommandError, match=space):
            create("App", *options)

        assert not Source.objects.filter(name="App").exists()

    def test_existing_space_keeps_its_count_of_ids_without_the_option(self):
        find_or_create_space("passes", "several")

        create("App", "--ids", "passes")

        assert Space.objects.get(name="passes").has_several_ids

    def test_failed_creation_leaves_no_space(self):
        create("App")

        with pytest.raises(CommandError, match="rotate_key"):
            create("App", "--ids", "new")

        assert not Space.objects.filter(name="new").exists()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--ids", " "], "--ids needs"),
            (["--ids", "x" * 101], "too long"),
            (["--addresses", "perhaps"], "invalid choice"),
            (["--ids-per-person", "two"], "invalid choice"),
            (["--order-numbers", "monthly"], "invalid choice"),
            (["--shared", "--addresses", "stated"], "stated has no effect"),
        ],
    )
    def test_invalid_options_are_refused(self, options, message):
        with pytest.raises(CommandError, match=message):
            create("App", *options)

        assert not Source.objects.filter(name="App").exists()

    @pytest.mark.parametrize(
        ("channel", "options", "sentence"),
        [
            ("app", ["--secret"], "Until customers of"),
            ("app", ["--secret"], "Use --addresses checked if it verifies e-mail"),
            ("app", [], "is a claim"),
            ("app", ["--secret", "--scopes", "ingest"], "is a claim"),
            ("app", ["--secret", "--addresses", "checked"], "count as confirmed"),
            ("app", ["--secret", "--addresses", "unchecked"], "are noted for staff"),
            ("store", ["--secret", "--shared"], "are noted for staff"),
            ("import", ["--secret"], "Use --addresses stated if it imports your own"),
            ("import", ["--secret", "--addresses", "stated"], "Until customers of"),
        ],
    )
    def test_sentences_say_what_customers_see(self, channel, options, sentence):
        _, sentences = create("Source", *options, channel=channel)

        assert sentence in sentences


class TestMoveSource:
    def test_source_moves_into_a_new_space(self):
        create("App")
        create("Shop")

        (moved,), sentences = run("move_source", "Shop", "--ids", "shop")

        assert (moved["from"], moved["to"], moved["shares_numbers_with"]) == ("main", "shop", [])
        assert Source.objects.get(name="Shop").space.name == "shop"
        assert Source.objects.get(name="App").space.name == "main"
        assert "no other source" in sentences

    def test_dry_run_prints_the_same_and_changes_nothing(self):
        create("App", "--ids", "app")
        create("Shop")

        (printed,), _ = run("move_source", "Shop", "--ids", "app", "--dry-run")
        run("move_source", "Shop", "--ids", "new", "--dry-run")

        assert printed["shares_numbers_with"] == ["App"]
        assert printed["is_dry_run"] is True
        assert Source.objects.get(name="Shop").space.name == "main"
        assert not Space.objects.filter(name="new").exists()

    def test_second_run_changes_nothing(self):
        create("Shop")
        run("move_source", "Shop", "--ids", "shop")

        (moved,), _ = run("move_source", "Shop", "--ids", "shop")

        assert (moved["from"], moved["to"]) == ("shop", "shop")

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            (["nobody", "--ids", "shop"], "no source 'nobody'"),
            (["butler", "--ids", "shop"], "no source 'butler'"),
            (["Shop", "--ids", ""], "--ids needs"),
            (["Shop", "--ids", "x" * 101], "--ids needs"),
            (["Shop"], "--ids"),
            (["Shop", "--ids", "passes", "--ids-per-person", "one"], "'passes' holds several"),
        ],
    )
    def test_invalid_moves_are_refused(self, args, message):
        create("Shop")
        find_or_create_space("passes", "several")

        with pytest.raises(CommandError, match=message):
            run("move_source", *args)

        assert Source.objects.get(name="Shop").space.name == "main"


class TestListSources:
    def test_each_source_is_a_line_without_the_text_of_its_keys(self):
        created, _ = create("Shop", "--secret", "--ids", "shop", "--addresses", "checked")
        _, revoked_key = create_source(name="App", channel="app", is_secret=True)
        revoke_key(prefix=revoked_key, now=timezone.now())

        app, shop = run("list_sources")[0]

        assert (app["name"], app["channel"], app["space"], app["keys"]) == (
            "App",
            "app",
            "main",
            [],
        )
        assert (shop["space"], shop["addresses"]) == ("shop", "checked")
        assert shop["keys"] == [created["key"][: keys.PREFIX_LENGTH]]

    def test_without_sources_nothing_is_printed(self):
        assert run("list_sources") == ([], "")
