"""Social engineering: a thief persuades one colleague to change the address of a customer."""

import pytest
from django.test import Client

from butler.models import StaffTask
from customers.models import AddressChange, Identifier, Merge, User
from tests.customers.api.conftest import Caller
from tests.customers.identity.address_app import AddressApp, advance
from tests.customers.identity.company import WireSource, record_of
from tests.security.desk_colleagues import EVIDENCE, RIGHTS, Desk
from tests.security.staff_changes.conftest import BOX
from tests.security.test_address_changes import link_for, stop

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("unlimited_codes"),
]

THIEF = "thief@example.com"


def mailbox_id(address: str = BOX) -> int:
    return Identifier.objects.get(kind="email", value=address).pk


def kind_of(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("urn:butler:problem:")


def proposal(lin, record) -> int:
    answer = lin.propose(record, adds=THIEF, removes=mailbox_id())
    assert (answer.status_code, answer.json()["state"]) == (201, "proposed"), answer.content
    return answer.json()["id"]


def opens_nothing_for_the_thief() -> bool:
    return AddressApp(THIEF).orders() == [] and AddressApp(BOX).orders() == ["A-1"]


def test_one_colleague_alone_changes_no_proved_address(noor, record, lin):
    proposal(lin, record)

    advance(200)

    assert AddressChange.objects.get().state == "proposed"
    assert opens_nothing_for_the_thief()


def test_same_colleague_in_two_sessions_is_one_colleague(noor, record, lin):
    change_id = proposal(lin, record)

    lin.open_session()

    assert kind_of(lin.decide(record, change_id)) == (409, "same-colleague")


def test_colleague_who_takes_another_name_is_the_same_colleague(noor, record, lin):
    change_id = proposal(lin, record)

    User.objects.filter(pk=lin.user.pk).update(name="Kim")

    assert kind_of(lin.decide(record, change_id)) == (409, "same-colleague")


def test_two_colleagues_of_one_name_are_two(noor, record, lin):
    change_id = proposal(lin, record)

    assert Desk("Lin", *RIGHTS).decide(record, change_id).json()["state"] == "pending"


@pytest.mark.parametrize("rights", [(), RIGHTS[:-1]])
def test_colleague_without_the_right_decides_nothing(noor, record, lin, rights):
    change_id = proposal(lin, record)
    other = Desk("Max", *rights)

    assert other.decide(record, change_id).status_code == 403
    assert other.propose(record, adds="x@mail.example.org").status_code == 403
    assert AddressChange.objects.get().state == "proposed"


@pytest.mark.parametrize("evidence", ["", " ", "\n\t", None])
def test_evidence_is_necessary(noor, record, lin, kim, evidence):
    change_id = proposal(lin, record)

    assert lin.propose(record, adds="x@mail.example.org", evidence=evidence).status_code == 422
    assert kim.decide(record, change_id, evidence=evidence).status_code == 422
    assert AddressChange.objects.get().state == "proposed"


def test_approved_proposal_waits_and_tells_all_addresses(noor, record, lin, kim, mailoutbox):
    change_id = proposal(lin, record)

    answer = kim.decide(record, change_id)

    assert answer.json()["state"] == "pending"
    assert {message.to[0] for message in mailoutbox[-2:]} == {BOX, THIEF}
    advance(71)
    assert opens_nothing_for_the_thief()


def test_customer_stops_a_change_that_a_thief_got_from_staff(noor, record, lin, kim):
    kim.decide(record, proposal(lin, record))

    stop(BOX)

    advance(200)
    assert opens_nothing_for_the_thief()
    assert AddressChange.objects.get().state == "frozen"


def test_customer_cancels_a_change_that_a_thief_got_from_staff(noor, record, lin, kim):
    change_id = proposal(lin, record)
    kim.decide(record, change_id)

    assert noor.request("delete", f"changes/{change_id}/").status_code == 204

    advance(200)
    assert opens_nothing_for_the_thief()


def test_colleagues_do_not_shorten_the_wait_of_their_own_proposal(noor, record, lin, kim):
    change_id = proposal(lin, record)
    kim.decide(record, change_id)

    for colleague in (lin, kim, Desk("Max", *RIGHTS), Desk("Ann", *RIGHTS)):
        assert colleague.decide(record, change_id).status_code == 409
    assert opens_nothing_for_the_thief()


def test_stale_page_does_not_pass_a_change_that_was_stopped_meanwhile(noor, record, lin, kim):
    noor.age()
    noor.add(THIEF, replaces=BOX)
    change = AddressChange.objects.get()
    assert lin.decide(record, change.pk, state="pending").status_code == 200

    stop(BOX)

    assert kind_of(kim.decide(record, change.pk, state="pending")) == (409, "change-moved")
    assert opens_nothing_for_the_thief()


def test_approval_before_a_freeze_does_not_count_after_it(noor, record, lin, kim):
    noor.age()
    noor.add(THIEF, replaces=BOX)
    change = AddressChange.objects.get()
    lin.decide(record, change.pk)
    stop(BOX)

    first = kim.decide(record, change.pk)

    assert first.json()["state"] == "frozen"
    assert opens_nothing_for_the_thief()


def test_proposer_does_not_end_the_freeze_of_the_own_proposal(noor, record, lin, kim):
    change_id = proposal(lin, record)
    kim.decide(record, change_id)
    stop(BOX)

    assert kind_of(lin.decide(record, change_id)) == (409, "same-colleague")
    assert kim.decide(record, change_id).json()["state"] == "frozen"
    assert kind_of(kim.decide(record, change_id)) == (409, "same-colleague")
    assert Desk("Max", *RIGHTS).decide(record, change_id).json()["state"] == "applied"


@pytest.mark.parametrize("as_whom", ["login", "mailbox"])
def test_colleague_who_is_the_customer_decides_nothing(noor, record, lin, as_whom):
    change_id = proposal(lin, record)
    if as_whom == "login":
        own = Desk("Noor", *RIGHTS, record=User.objects.get(email=BOX).record)
    else:
        User.objects.filter(email=BOX).delete()
        own = Desk("Noor", *RIGHTS, email=BOX)

    assert kind_of(own.decide(record, change_id)) == (409, "own-record")
    assert kind_of(own.propose(record, removes=mailbox_id())) == (409, "own-record")


def test_colleague_does_not_give_a_customer_the_own_mailbox(noor, record):
    own = Desk("Max", *RIGHTS, email=THIEF)

    assert kind_of(own.propose(record, adds=THIEF)) == (409, "own-record")


def test_proposal_is_refused_while_a_change_is_frozen(noor, record, lin, kim):
    earlier = proposal(lin, record)
    noor.age()
    noor.add("noor.new@example.com", replaces=BOX)
    stop(BOX)

    assert kind_of(lin.propose(record, removes=mailbox_id())) == (409, "changes-frozen")
    assert kind_of(kim.decide(record, earlier)) == (409, "changes-frozen")


def separation(caller, record, first: str, second: str):
    return caller.post(
        f"/api/customers/{record}/decisions/",
        {"kind": "separate", "first": first, "second": second, "reason": "not hers"},
    )


def test_one_colleague_separates_no_proved_address(noor, record, shop, lin):
    answer = separation(lin.caller, record, f"user_id:{shop.source.pk}/noor", f"email:{BOX}")

    assert kind_of(answer) == (409, "proved-address"), answer.content
    assert noor.is_open()
    assert AddressApp(BOX).orders() == ["A-1"]


def test_separation_of_an_equal_account_takes_no_proved_address(noor, record, lin):
    app = WireSource("App", "app", ids="shop")
    app.identify(3, "noor")

    separation(lin.caller, record, f"user_id:{app.source.pk}/noor", f"email:{BOX}")

    assert noor.is_open()
    assert AddressApp(BOX).orders() == ["A-1"]


@pytest.fixture
def guest(shop):
    """A customer who ordered as a guest, then made an account, and proved her mailbox."""
    shop.order(1, "G-1", "", email="mia@example.com")
    shop.order(2, "G-2", "mia")
    shop.identify(3, "mia", email="mia@example.com")
    return AddressApp("mia@example.com")


def test_one_colleague_undoes_no_merge_that_holds_a_proved_address(guest, shop, lin):
    record = record_of(shop.account("mia"))
    merges = f"/api/customers/{record}/merges/"
    [merge] = lin.caller.get(merges).json()["results"]

    answer = lin.caller.post(f"{merges}{merge['id']}/undo/")

    assert kind_of(answer) == (409, "proved-address"), answer.content
    assert guest.is_open()
    assert AddressApp("mia@example.com").orders() == ["G-1", "G-2"]


def test_old_session_separates_no_proved_address_in_the_portal(guest, shop):
    merge_id = Merge.objects.get().pk
    browser = Client()
    browser.cookies["sessionid"] = guest.token
    guest.age()

    refused = [
        browser.post(f"/records/{merge_id}/separate/", body) for body in ({}, {"confirm": "yes"})
    ]
    assert [answer.status_code for answer in refused] == [422, 422]
    assert "some time ago" in refused[0].content.decode()
    assert AddressApp("mia@example.com").orders() == ["G-1", "G-2"]


def test_fresh_session_separates_records_in_the_portal(guest):
    browser = Client()
    browser.cookies["sessionid"] = guest.token

    browser.post(f"/records/{Merge.objects.get().pk}/separate/", {"confirm": "yes"})

    assert AddressApp("mia@example.com").orders() == ["G-1"]


def test_two_colleagues_take_off_the_last_proved_address_after_three_days(
    noor, record, shop, lin, kim
):
    change_id = lin.propose(record, removes=mailbox_id()).json()["id"]
    kim.decide(record, change_id)
    advance(71)
    assert noor.is_open()

    advance(73)

    assert not noor.is_open()
    assert AddressApp(BOX).get("orders/").status_code == 404


def test_one_colleague_adds_an_address_to_an_account_that_nobody_proved(shop, lin):
    shop.identify(1, "eli")
    shop.order(2, "E-1", "eli")
    record = record_of(shop.account("eli"))

    answer = lin.propose(record, adds=" Eli@Mail.example.org ")

    assert (answer.json()["state"], answer.json()["adds"]) == ("applied", "eli@mail.example.org")
    assert AddressApp("eli@mail.example.org").orders() == ["E-1"]


def test_address_of_another_customer_needs_two_and_tells_its_holder(
    noor, record, shop, lin, kim, mailoutbox
):
    shop.identify(1, "eli")
    other = record_of(shop.account("eli"))

    answer = lin.propose(other, adds=BOX)

    assert answer.json()["state"] == "proposed"
    kim.decide(other, answer.json()["id"])
    assert mailoutbox[-1].to == [BOX]
    assert link_for(BOX)
    advance(71)
    assert AddressApp(BOX).orders() == ["A-1"]


def test_withdrawn_proposal_changes_nothing(noor, record, lin, kim):
    change_id = proposal(lin, record)

    assert lin.decide(record, change_id, "cancel").json()["state"] == "cancelled"

    assert kind_of(kim.decide(record, change_id)) == (409, "change-ended")


@pytest.mark.parametrize("address", ["", "x", "12", "+31900123456", BOX])
def test_address_that_no_customer_can_get_is_refused(noor, record, lin, address):
    assert lin.propose(record, adds=address).status_code in (409, 422)
    assert not AddressChange.objects.exists()


def test_address_of_another_record_is_not_taken_off(noor, record, shop, lin):
    shop.identify(3, "eli", email="eli@mail.example.org")

    answer = lin.propose(record, removes=mailbox_id("eli@mail.example.org"))

    assert kind_of(answer) == (409, "no-such-address")


def test_key_of_a_source_proposes_nothing(record):
    secret = WireSource("Other", "server", ids="other")
    caller = Caller(Authorization=f"Bearer {secret.key}")

    answer = caller.post(
        f"/api/customers/{record}/address-changes/", {"adds": THIEF, "evidence": EVIDENCE}
    )

    assert answer.status_code == 403


def test_changes_show_the_session_and_the_source_that_asked(noor, record, shop, lin):
    noor.age()
    noor.add("noor.new@example.com")
    shop.identify(1000, "noor", email="noor.shop@example.com")
    AddressApp("noor.shop@example.com")

    path = f"/api/customers/{record}/address-changes/"
    rows = lin.caller.get(path).json()["results"]

    assert [(row["actor"], row["origin"].split(",")[0]) for row in rows] == [
        ("source", "Shop"),
        ("customer", "127.0.0.1"),
    ]


def test_proposal_by_the_api_asks_a_second_colleague_by_a_task(noor, record, lin):
    proposal(lin, record)

    [task] = StaffTask.objects.all()
    assert (task.kind, task.customer_id) == ("address", record)


def test_change_that_one_colleague_makes_asks_nobody(record_without_proof, lin):
    answer = lin.propose(record_without_proof, adds="x@mail.example.org")

    assert answer.json()["state"] == "applied"
    assert not StaffTask.objects.exists()


@pytest.fixture
def record_without_proof(shop):
    shop.identify(1, "eli", email="eli@mail.example.org")
    return record_of(shop.account("eli"))
