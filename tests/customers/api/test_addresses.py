"""The addresses of a signed-in customer: list, add, remove, prefer, and the changes that wait."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from butler.decisions.inputs import read_facts
from customers.models import AddressChange, Suppression
from tests.customers.identity.address_app import AddressApp, advance, suppressed
from tests.customers.identity.company import email, record_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("unlimited_codes"),
]

BOX, NEW, OTHER = "noor@example.com", "noor.new@example.com", "eli@example.com"


@pytest.fixture
def noor(account):
    return AddressApp(BOX)


def recipients(since: int) -> set[str]:
    return {address for message in mail.outbox[since:] for address in message.to}


def test_list_shows_state_proof_and_preference_of_each_address(noor):
    rows = {row["value"]: row for row in noor.listed()["addresses"]}

    assert rows.keys() == {BOX, "+31612345678"}
    assert (rows[BOX]["state"], rows[BOX]["is_proved"]) == ("current", True)
    assert rows[BOX]["is_preferred"]
    assert rows[BOX]["since"] < rows[BOX]["proved_at"]
    assert not rows["+31612345678"]["is_proved"]


def test_added_address_is_current_at_once_right_after_the_sign_in(noor, account):
    sent_before = len(mail.outbox) + 1

    added = noor.add(NEW)

    assert added == {"id": added["id"], "state": "current", "join_possible": False, "change": None}
    assert noor.states() == {BOX: "current", NEW: "current"}
    assert record_of(account) == record_of(email(NEW))
    assert AddressApp(NEW).orders() == ["A-1"]
    assert recipients(sent_before) >= {BOX}


def test_added_address_does_not_become_the_preferred_one(noor):
    noor.add(NEW)

    assert noor.preferred() == [BOX]
    assert noor.email() == BOX


def test_sign_in_with_another_address_does_not_change_the_preferred_one(noor):
    noor.add(NEW)

    assert AddressApp(NEW).email() == BOX


def test_preferred_address_gets_the_messages(noor, account):
    noor.add(NEW)

    assert noor.prefer(NEW).status_code == 204

    facts = read_facts([record_of(account)], now=timezone.now())[record_of(account)]
    assert noor.email() == NEW
    assert facts.addresses["email"].value == NEW


def test_nightly_repetition_of_another_address_changes_neither_preference_nor_state(
    noor, shop, account
):
    noor.add(NEW)
    noor.prefer(NEW)

    for hour in (500, 524, 548):
        shop.identify(hour, "noor", email=BOX)

    assert noor.preferred() == [NEW]
    assert noor.email() == NEW
    assert noor.states() == {BOX: "current", NEW: "current"}


def test_address_that_a_source_names_after_the_proof_is_pending(noor, shop):
    shop.identify(1000, "noor", email=NEW)

    assert noor.states() == {BOX: "current", NEW: "pending"}
    assert noor.email() == BOX


def test_confirmed_pending_address_is_current(noor, shop):
    shop.identify(1000, "noor", email=NEW)

    assert noor.add(NEW)["state"] == "current"
    assert noor.states() == {BOX: "current", NEW: "current"}


def test_address_with_a_record_joins_only_when_the_customer_says_so(noor, shop, account):
    shop.order(3, "B-1", email=OTHER)

    added = noor.add(OTHER)

    assert (added["state"], added["join_possible"]) == ("separate", True)
    assert record_of(email(OTHER)) != record_of(account)
    assert noor.orders() == ["A-1"]
    joined = noor.request("post", f"{added['id']}/join/", {})
    assert joined.json()["state"] == "current"
    assert noor.orders() == ["A-1", "B-1"]


def test_address_with_a_record_replaces_the_named_one_as_soon_as_it_is_joined(noor, shop, account):
    shop.order(3, "B-1", email=OTHER)

    added = noor.add(OTHER, replaces=BOX)
    before = noor.states()
    noor.request("post", f"{added['id']}/join/", {})

    assert before == {BOX: "current"}
    later = AddressApp(OTHER)
    assert later.states() == {OTHER: "current", BOX: "removed"}
    assert later.preferred() == [OTHER]
    assert later.orders() == ["A-1", "B-1"]
    assert record_of(account) == record_of(email(OTHER))


def test_replacement_by_a_joined_record_waits_as_any_other(noor, shop, account):
    shop.order(3, "B-1", email=OTHER)
    noor.age()

    added = noor.add(OTHER, replaces=BOX)
    joined = noor.request("post", f"{added['id']}/join/", {}).json()

    assert joined["state"] == "pending"
    assert (joined["change"]["adds"], joined["change"]["removes"]) == (OTHER, BOX)
    assert noor.states()[BOX] == "current"
    advance(73)
    assert record_of(account) == record_of(email(OTHER)) != record_of(email(BOX))


def test_earlier_choice_to_replace_does_not_count_for_a_later_join(noor, shop):
    shop.order(3, "B-1", email=OTHER)
    noor.add(OTHER, replaces=BOX)

    added = noor.add(OTHER)
    noor.request("post", f"{added['id']}/join/", {})

    assert noor.states() == {BOX: "current", OTHER: "current"}


def test_two_mailboxes_without_an_account_join_by_the_customer(shop):
    shop.order(1, "A-1", email=BOX)
    app = AddressApp(BOX)

    app.add(NEW)

    assert record_of(email(BOX)) == record_of(email(NEW))
    assert AddressApp(NEW).orders() == []
    assert AddressApp(BOX).orders() == ["A-1"]


@pytest.mark.parametrize("is_replaced", [False, True])
def test_address_that_a_session_takes_off_is_no_account_of_the_session(is_replaced):
    app = AddressApp(BOX)
    app.add("second@example.com")

    if is_replaced:
        app.add("third@example.com", replaces="second@example.com")
    else:
        app.remove("second@example.com")

    accounts = app.get("accounts/").json()
    assert [account["is_open"] for account in accounts["accounts"]] == [True]
    assert AddressApp("second@example.com").states() == {"second@example.com": "current"}


def test_removed_address_leaves_the_record_and_its_sessions_end(noor, account):
    noor.add(NEW)
    new = AddressApp(NEW)

    assert new.add(NEW)["state"] == "current"
    assert new.request("delete", f"{new.address_id(NEW)}/").status_code == 204

    assert not new.is_open()
    assert noor.is_open()
    assert noor.states() == {BOX: "current", NEW: "removed"}
    assert record_of(account) != record_of(email(NEW))


def test_last_proved_address_cannot_be_removed(noor):
    answer = noor.remove(BOX)

    assert (answer.status_code, answer.json()["type"]) == (
        409,
        "urn:butler:problem:last-address",
    )
    assert noor.states() == {BOX: "current"}


def test_source_does_not_restore_a_removed_address(noor, shop):
    noor.add(NEW)
    noor.prefer(NEW)
    noor.remove(BOX)
    new = AddressApp(NEW)

    for hour in (1000, 1024):
        shop.identify(hour, "noor", email=BOX)

    assert new.states() == {BOX: "removed", NEW: "current"}
    assert new.email() == NEW


def test_proved_address_that_the_session_did_not_prove_waits_three_days(noor):
    noor.add(NEW)
    new = AddressApp(NEW)
    sent_before = len(mail.outbox)

    answer = new.remove(BOX)

    assert answer.status_code == 202
    assert recipients(sent_before) == {BOX, NEW}
    assert new.states() == {BOX: "current", NEW: "current"}
    assert new.listed()["changes"][0]["removes"] == BOX
    advance(71.9)
    assert new.states()[BOX] == "current"
    advance(72.1)
    assert new.states() == {BOX: "removed", NEW: "current"}
    assert not noor.is_open()


def test_change_takes_effect_once(noor):
    noor.add(NEW)
    AddressApp(NEW).remove(BOX)

    advance(80)
    ended_at = AddressChange.objects.get().ended_at
    advance(90)

    change = AddressChange.objects.get()
    assert (change.state, change.ended_at) == ("applied", ended_at)


def test_equal_request_keeps_the_first_change(noor):
    noor.add(NEW)
    new = AddressApp(NEW)

    first, second = new.remove(BOX).json(), new.remove(BOX).json()

    assert first["id"] == second["id"]
    assert first["effective_at"] == second["effective_at"]


def test_change_waits_for_a_mail_server_that_takes_its_notices(noor, monkeypatch):
    noor.add(NEW)
    new = AddressApp(NEW)
    with monkeypatch.context() as patched:

        def fail(*arguments, **fields):
            raise OSError

        patched.setattr("customers.actions.address_notices.send_mail", fail)
        assert new.remove(BOX).json()["effective_at"] is None
        advance(100)
    assert new.states()[BOX] == "current"

    advance(101)

    assert AddressChange.objects.get().effective_at > timezone.now() + timedelta(hours=172)


def test_replacement_in_a_fresh_session_is_at_once(noor):
    noor.add(NEW, replaces=BOX)

    new = AddressApp(NEW)
    assert not noor.is_open()
    assert new.states() == {BOX: "removed", NEW: "current"}
    assert new.preferred() == [NEW]
    assert new.orders() == ["A-1"]


def test_replacement_in_an_old_session_waits(noor):
    noor.age()

    added = noor.add(NEW, replaces=BOX)

    assert (added["state"], added["change"]["removes"]) == ("pending", BOX)
    assert AddressApp(NEW).orders() == []
    advance(73)
    new = AddressApp(NEW)
    assert new.orders() == ["A-1"]
    assert (new.states(), new.preferred()) == ({BOX: "removed", NEW: "current"}, [NEW])


def test_code_for_the_own_address_makes_an_old_session_fresh(noor):
    noor.age()

    noor.add(BOX)

    assert noor.add(NEW)["state"] == "current"


def test_customer_cancels_a_change_that_waits(noor):
    noor.age()
    change = noor.add(NEW)["change"]

    assert noor.request("delete", f"changes/{change['id']}/").status_code == 204

    advance(100)
    assert noor.listed()["changes"] == []
    assert AddressApp(NEW).orders() == []


def test_code_lifts_a_bounce(noor):
    suppressed(BOX, "bounced")

    noor.add(BOX)

    assert noor.listed()["addresses"][-1]["suppressions"] == []
    assert Suppression.objects.get().lifted_at is not None


def test_sign_in_lifts_no_complaint(noor):
    suppressed(BOX, "complained")

    AddressApp(BOX)

    [row] = [row for row in noor.listed()["addresses"] if row["value"] == BOX]
    assert [cause["reason"] for cause in row["suppressions"]] == ["complained"]


def test_customer_takes_a_complaint_back(noor):
    suppressed(BOX, "complained")
    suppressed(BOX, "bounced")

    answer = noor.request("post", f"{noor.address_id(BOX)}/lift/", {})

    assert answer.status_code == 204
    assert [row.reason for row in Suppression.objects.filter(lifted_at=None)] == ["bounced"]
