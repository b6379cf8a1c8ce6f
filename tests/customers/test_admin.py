import uuid

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from customers import read_only_admin
from customers.actions.sources import create_source, find_or_create_space
from customers.models import AccessLogEntry, Customer, Identifier, QuarantinedItem, SourceKey, User
from tests import factories, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def lin(client):
    """Lin, who may everything."""
    user = User.objects.create_superuser("lin@staff.example.com", "a long password")
    return staff.let_in(client, user)


@pytest.fixture
def rows():
    source, key = create_source(name="till 3", channel="store", is_secret=True)
    factories.customer(("email", "noor@example.com"), name="Noor")
    QuarantinedItem.objects.create(
        source=source,
        reason="x",
        raw=b"{}",
        digest=uuid.uuid4(),
        evidence=1,
        received_at=timezone.now(),
    )
    return key


MODELS = [model for model in admin.site._registry if model._meta.app_label == "customers"]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_table_opens_and_is_searched(lin, rows, model):
    page = reverse(f"admin:customers_{model._meta.model_name}_changelist")

    assert lin.get(page).status_code == 200
    assert lin.get(page, {"q": "noor@example.com"}).status_code == 200


@pytest.mark.parametrize(
    "kind", ["user_id", "external:crm", "order", "email", "card", "id", "whole number"]
)
def test_record_is_searched_by_its_id_or_by_a_whole_identifier(lin, kind):
    noor = factories.customer(
        ("user_id", "K-77"),
        ("external:crm", "a/7"),
        ("email", "noor@example.com"),
        ("card", "C7788"),
    )
    factories.record(factories.order("LK-9", ("user_id", "K-77"), total="10"))
    factories.customer(("user_id", "K-777"))
    texts = {
        "user_id": "K-77",
        "external:crm": "a/7",
        "order": "LK-9",
        "email": "Noor@example.com",
        "card": "C7788",
        "id": str(noor.pk),
        "whole number": Identifier.objects.get(value__endswith="/K-77").value,
    }

    page = lin.get(reverse("admin:customers_customer_changelist"), {"q": texts[kind]})

    assert [row.pk for row in page.context["cl"].result_list] == [noor.pk]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_row_opens(lin, rows, model):
    for row in model.objects.all()[:2]:
        page = reverse(f"admin:customers_{model._meta.model_name}_change", args=[row.pk])

        assert lin.get(page).status_code == 200


def test_a_login_is_added(lin):
    page = reverse("admin:customers_user_add")

    added = lin.post(
        page,
        {
            "email": "sam@staff.example.com",
            "usable_password": "true",
            "password1": "a very long password",
            "password2": "a very long password",
        },
    )

    assert (lin.get(page).status_code, added.status_code) == (200, 302)
    assert User.objects.get(email="sam@staff.example.com").check_password("a very long password")


def test_no_key_is_shown_or_made_here(lin, rows):
    source = SourceKey.objects.get().source

    page = lin.get(reverse("admin:customers_source_change", args=[source.pk])).content.decode()

    assert rows[:9] in page
    assert rows not in page
    assert lin.get(reverse("admin:customers_source_add")).status_code == 403


def test_source_shows_its_space_and_addresses_and_only_a_command_moves_it(lin):
    space = find_or_create_space("shop")
    source, _ = create_source(
        name="Shop", channel="site", is_secret=True, space=space, addresses="unchecked"
    )
    page = reverse("admin:customers_source_change", args=[source.pk])
    fields = {"name": "Shop", "channel": "site", "space": 1, "addresses": "checked"}
    keys_form = {"keys-TOTAL_FORMS": "0", "keys-INITIAL_FORMS": "0"}

    listed = lin.get(reverse("admin:customers_source_changelist")).text
    saved = lin.post(page, fields | keys_form)

    assert ">shop<" in listed
    assert "Unchecked" in listed
    assert saved.status_code == 302
    source.refresh_from_db()
    assert (source.space, source.addresses) == (space, "checked")


def test_records_are_read_only_in_the_admin(lin, rows):
    customer = factories.customer(("user_id", "u-1"))
    page = reverse("admin:customers_customer_delete", args=[customer.pk])

    assert lin.post(page, {"post": "yes"}).status_code == 403


def test_opening_a_record_in_the_admin_writes_an_access_log_entry(lin, rows):
    noor = Customer.objects.get()
    page = reverse("admin:customers_customer_change", args=[noor.pk])

    assert "noor@example.com" in lin.get(page).text
    assert (
        lin.get(reverse("admin:customers_customer_change", args=[uuid.uuid4()])).status_code == 302
    )

    [look] = AccessLogEntry.objects.all()
    assert (look.customer_id, look.role, look.what) == (noor.pk, "administrator", "record")


def test_second_factor_is_found_by_the_name_of_its_user(lin):
    sam = staff.colleague("desk", "Sam")
    Authenticator.objects.create(user=sam, type="totp", data={})
    page = reverse("admin:mfa_authenticator_changelist")

    shown = lin.get(page, {"q": "sam"}).text

    assert sam.email in shown
    assert "login #" not in shown


def test_list_of_users_shows_their_roles(lin, django_assert_max_num_queries):
    page = reverse("admin:customers_user_changelist")
    lin.get(page)
    with CaptureQueriesContext(connection) as few:
        lin.get(page)
    for name in ("Sam", "Iris", "Mika"):
        staff.colleague("privacy officer", name)

    with django_assert_max_num_queries(len(few) + 1):
        assert lin.get(page).text.count(">privacy officer<") >= 3


def test_very_long_lists_are_not_counted(rows, monkeypatch):
    monkeypatch.setattr(read_only_admin, "MAX_COUNT", 2)
    for number in range(3):
        factories.customer(("user_id", f"u-{number}"))

    assert read_only_admin.CappedPaginator(Customer.objects.order_by("pk"), 1).count == 2


def test_customers_cannot_open_the_admin(client):
    user = User.objects.create_user("noor@example.com")
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")

    assert client.get("/admin/").status_code == 302


def test_only_its_own_pages_get_the_looser_policy(lin):
    loose = lin.get("/admin/")["Content-Security-Policy"]
    strict = lin.get("/api/docs/")["Content-Security-Policy"]

    assert "unsafe-eval" in loose
    assert "default-src 'none'" in loose
    assert "unsafe" not in strict
