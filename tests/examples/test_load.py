import json
import re
import stat
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from butler.actions.topics import set_status
from butler.models import AutomationVersion, Due, Run, TopicStatus
from customers import ingest
from customers.actions.changes import ChangeAuthor
from customers.actions.consent import record_statements
from customers.consent.state_reader import read_state
from customers.consent.statements import ConsentStatement
from customers.models import (
    Customer,
    Event,
    Evidence,
    Identifier,
    Notice,
    Order,
    QuarantinedItem,
    Review,
    Source,
    User,
)
from examples.themepark import consents, families, keys, load, people, places
from tests.customers.identity.company import WireSource, are_one

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(autouse=True)
def home(settings, tmp_path, monkeypatch, quick_hashes):
    settings.BUTLER_HOME = tmp_path
    settings.DEBUG = True
    monkeypatch.setattr(load, "FAMILIES", 12)
    return tmp_path


def _load(capsys, *arguments: str) -> str:
    call_command("load_themepark", *arguments)
    return capsys.readouterr().out


def test_every_message_becomes_an_event(capsys):
    _load(capsys)

    households = load.household_messages(since=Source.objects.get(name="app").created_at)
    assert Event.objects.filter(kind__in=("track", "identify", "page")).count() == sum(
        map(len, households)
    )
    assert Customer.objects.live().count() == len(households)
    assert not QuarantinedItem.objects.exists()
    assert not Review.objects.exists()


def test_second_load_adds_nothing(capsys):
    _load(capsys)
    before = set(Event.objects.values_list("customer_id", "version", "message_id"))

    output = _load(capsys)

    assert set(Event.objects.values_list("customer_id", "version", "message_id")) == before
    assert " 0 new" in output


def test_second_load_looks_for_known_events_before_it_stores_any(capsys, monkeypatch):
    _load(capsys)
    looked_up: list[bool] = []

    class Batch(ingest._Batch):
        def __init__(self, *args, looks_up: bool, **fields):
            looked_up.append(looks_up)
            super().__init__(*args, looks_up=looks_up, **fields)

    monkeypatch.setattr(ingest, "_Batch", Batch)
    _load(capsys)

    assert looked_up
    assert all(looked_up)


def test_dry_run_writes_nothing(capsys, home):
    output = _load(capsys, "--dry-run")

    assert "13 households" in output
    assert not Event.objects.exists()
    assert not Source.objects.filter(name="app").exists()
    assert not list(home.iterdir())


def test_summary_lists_the_logins(capsys):
    summary = json.loads(_load(capsys, "--summary").splitlines()[-1])

    emails = [login["email"] for login in summary["logins"]]
    assert emails[0] == "noor@example.com"
    staff = User.objects.get(email=emails[1])
    assert staff.is_staff
    assert staff.check_password(summary["logins"][1]["how"])


def test_staff_have_the_permissions_of_their_role(capsys):
    _load(capsys)

    sam, iris = (User.objects.get(email=f"{who}@larkmoor.example") for who in ("sam", "iris"))
    assert sam.has_perm("customers.change_order")
    assert iris.has_perm("customers.meet_customer")
    assert not iris.has_perm("customers.view_customer")
    assert not iris.has_perm("customers.change_order")
    assert not sam.has_perm("customers.view_quarantineditem")


def test_demo_code_opens_the_console(capsys, client):
    summary = json.loads(_load(capsys, "--summary").splitlines()[-1])
    sam = summary["logins"][1]
    client.post("/console/sign-in/", {"email": sam["email"], "password": sam["how"]})
    capsys.readouterr()
    call_command("demo_code", "sam@larkmoor.example")

    client.post("/console/sign-in/code/", {"code": capsys.readouterr().out.strip()})

    assert "Hello Sam" in client.get("/console/").content.decode()
    with pytest.raises(CommandError):
        call_command("demo_code", "nobody")


def test_staff_have_no_password_without_debug(capsys, settings):
    settings.DEBUG = False

    _load(capsys)

    assert not any(user.has_usable_password() for user in User.objects.all())


def test_login_of_noor_opens_her_record(capsys):
    _load(capsys)

    record = people.noor().record
    live = record.canonical or record
    assert Order.objects.filter(customer=live, number="LK-2048-3", status="amended").exists()
    # The call from before she had an account was joined to it, by her number.
    assert list(live.merges.values_list("reason", flat=True)) == ["statement"]


def test_keys_file_is_private(capsys, home):
    _load(capsys)

    file = home / keys.FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_keys_are_reused_and_a_lost_file_is_created_again(capsys, home):
    _load(capsys)
    first = places.read(home / keys.FILE)["keys"]

    _load(capsys)
    assert places.read(home / keys.FILE)["keys"] == first

    (home / keys.FILE).unlink()
    _load(capsys)
    assert places.read(home / keys.FILE)["keys"].keys() == first.keys()
    assert places.read(home / keys.FILE)["keys"]["app"]["secret"] != first["app"]["secret"]


def test_sources_have_spaces_of_their_own_and_leave_the_main_space(capsys):
    Source.objects.create(name="till", channel="store", is_shared=True)

    _load(capsys)

    spaces = Source.objects.filter(name__in=("app", "site", "call desk", "till"))
    assert dict(spaces.values_list("name", "space__name")) == {
        "app": "larkmoor",
        "site": "larkmoor",
        "call desk": "call desk",
        "till": "till",
    }
    assert Source.objects.get(name="app").addresses == "checked"


def test_past_events_start_no_automation(capsys):
    _load(capsys)

    assert set(AutomationVersion.objects.values_list("status", flat=True)) == {"live"}
    assert not Run.objects.exists()
    app = Source.objects.get(name="app")
    noor = Identifier.objects.get(
        kind="user_id", value=f"{app.pk}/noor", evidence=Evidence.VERIFIED
    ).customer_id
    consents_of_noor = read_state(noor).consents
    assert {purpose: consent.state for purpose, consent in consents_of_noor.items()} == {
        "offers": "given",
        "birthdays": "given",
    }
    assert Notice.objects.filter(language="en", digest=consents_of_noor["offers"].notice).exists()


def test_some_families_give_consent_some_refuse_and_most_say_nothing():
    today = date(2026, 6, 1)
    all_families = families.families(seed=7, today=today, count=300)
    notice_digests = defaultdict(lambda: "0" * 64)
    at = datetime(2026, 5, 30, 9, tzinfo=UTC)

    kinds_by_family = [
        [statement.kind for statement in consents.statements_of(family, notice_digests, at)]
        for family in all_families
    ]

    kinds = Counter(kind for kinds_of_family in kinds_by_family for kind in kinds_of_family)
    assert kinds["consent.given"] > kinds["consent.refused"] > 0
    assert (
        sum(1 for kinds_of_family in kinds_by_family if not kinds_of_family)
        > kinds["consent.refused"]
    )


def test_second_load_does_not_restore_a_withdrawn_consent(capsys):
    _load(capsys)
    app = Source.objects.get(name="app")
    noor = Identifier.objects.get(
        kind="user_id", value=f"{app.pk}/noor", evidence=Evidence.VERIFIED
    ).customer_id
    statement = ConsentStatement(
        kind="consent.withdrawn", subject="offers", evidence={"kind": "click"}
    )
    author = ChangeAuthor(load.sender(Source.objects.get(name="app")))
    record_statements(customer_id=noor, statements=[statement], author=author, now=timezone.now())

    _load(capsys)

    assert read_state(noor).consents["offers"].state == "withdrawn"


def test_rides_are_open_at_first_and_keep_a_later_status(capsys):
    _load(capsys)
    assert set(TopicStatus.objects.values_list("status", flat=True)) == {"open"}
    assert not Due.objects.filter(job="fan_out").exists()
    set_status(
        key="ride:night-mail", status="down", facts={}, author_name="staff:Sam", now=timezone.now()
    )

    _load(capsys)

    assert TopicStatus.objects.get(pk="ride:night-mail").status == "down"


def test_phone_of_noor_stays_hers_when_a_source_gives_it_to_another_customer(capsys):
    _load(capsys)
    noor = families.noor(timezone.localdate())

    WireSource("Shop", ids="shop").identify(1, "9", email="jonas@example.com", phone=noor.phone)

    assert are_one(("phone", noor.phone), ("email", noor.email))


def test_documented_commands_put_no_source_into_a_space_of_the_park():
    pages = [*Path("docs").rglob("*.md"), Path("README.md")]
    spaces = {name for page in pages for name in re.findall(r"--ids[ \n]+(\S+)", page.read_text())}

    assert {"readme", "tutorial", "account"} <= spaces
    assert spaces.isdisjoint({source.space for source in keys.SOURCES})
