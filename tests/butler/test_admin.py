import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from uuid_utils.compat import uuid7

from butler.actions import automations, pause_switches
from butler.actions.automation_versions import Operator
from butler.models import AutomationVersion, Message, PauseSwitch, ProviderLimit
from customers.models import AccessLogEntry, User
from tests import factories, staff
from tests.butler.automation_files import PURPOSES, TOPICS, file

pytestmark = pytest.mark.django_db
NOW = datetime(2027, 4, 16, 7, tzinfo=UTC)
MODELS = [model for model in admin.site._registry if model._meta.app_label == "butler"]


@pytest.fixture
def lin(client):
    """Lin, who may everything."""
    user = User.objects.create_superuser("lin@staff.example.com", "a long password", name="Lin")
    return staff.let_in(client, user)


@pytest.fixture
def version():
    automations.load([file()], PURPOSES, TOPICS, now=NOW, by=Operator("load_automations"))
    return AutomationVersion.objects.get()


def page_of(version):
    return reverse("admin:butler_automationversion_change", args=[version.pk])


def step(client, version, name):
    page = reverse("admin:butler_automationversion_step", args=[version.pk])
    response = client.post(page, {"step": name}, follow=True)
    version.refresh_from_db()
    return response


def message(**fields):
    return Message.objects.create(
        key=str(uuid7()),
        customer_id=factories.customer().id,
        automation_id="visit-reminder",
        channel="email",
        message_class="service",
        topic="visits",
        occurred_at=NOW,
        not_before=NOW,
        created_at=NOW,
        state_at=NOW,
        expires_at=NOW + timedelta(days=1),
        **fields,
    )


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_table_of_butler_opens_and_is_read_only(lin, version, model):
    message(address="noor@example.com", text="A word to Noor")
    pause_switches.engage_switch(key="*", by="lin", reason="a test", now=NOW)
    name = model._meta.model_name

    response = lin.get(reverse(f"admin:butler_{name}_changelist"))

    assert response.status_code == 200
    assert lin.get(reverse(f"admin:butler_{name}_add")).status_code == 403
    for row in model.objects.all():
        shown = lin.get(reverse(f"admin:butler_{name}_change", args=[row.pk]))
        assert shown.status_code == 200
        assert b"noor@example.com" not in shown.content
        assert b"A word to Noor" not in shown.content
        assert lin.post(reverse(f"admin:butler_{name}_delete", args=[row.pk])).status_code == 403


def test_list_runs_the_same_statements_for_any_length(lin, version, django_assert_max_num_queries):
    page = reverse("admin:butler_automation_changelist")
    lin.get(page)
    with CaptureQueriesContext(connection) as few:
        lin.get(page)
    for number in range(12):
        automations.load(
            [file({"key": f"reminder-{number}"})],
            PURPOSES,
            TOPICS,
            now=NOW,
            by=Operator("load_automations"),
        )
    pause_switches.engage_switch(key="reminder-3", by="Lin", reason="a test", now=NOW)

    with django_assert_max_num_queries(len(few)):
        shown = lin.get(page).text

    assert shown.count("Reminder") == 13
    assert len(re.findall(r">\s*stopped\s*<", shown)) == 1


@pytest.mark.parametrize("name", ["message", "delivery", "decision", "run"])
def test_lists_of_customer_rows_do_not_count_all_rows(lin, name):
    page = reverse(f"admin:butler_{name}_changelist")

    with CaptureQueriesContext(connection) as queries:
        response = lin.get(page)

    statements = [query["sql"] for query in queries if f'"butler_{name}"' in query["sql"]]
    assert response.status_code == 200
    assert not any("DISTINCT" in statement for statement in statements)
    # At most so many are counted, and the newest come from an index.
    assert all("LIMIT" in statement for statement in statements if "COUNT" in statement)
    assert all(
        f'ORDER BY "butler_{name}"."id" DESC' in statement
        for statement in statements
        if "ORDER BY" in statement
    )
    assert statements


def test_rate_of_a_provider_is_set_in_the_admin(client, lin):
    ProviderLimit.objects.create(channel="email", failures=3)
    page = reverse("admin:butler_providerlimit_change", args=["email"])

    assert "Above 0" in lin.post(page, {"rate": "0"}).text
    ProviderLimit.objects.update(failures=4)
    assert lin.post(page, {"rate": "12.5"}).status_code == 302
    assert ProviderLimit.objects.values_list("rate", "failures").get() == (12.5, 4)
    assert lin.post(page, {"rate": ""}).status_code == 302
    assert ProviderLimit.objects.get().rate is None

    staff.let_in(client, staff.colleague("manager", "Iris"))
    assert client.post(page, {"rate": "1"}).status_code == 403


def test_messages_are_filtered_by_channel(lin):
    message()

    page = reverse("admin:butler_message_changelist")

    assert "visit-reminder" in lin.get(page, {"channel": "email"}).text
    assert "visit-reminder" not in lin.get(page, {"channel": "sms"}).text


def test_draft_is_approved_goes_live_is_paused_and_resumed(lin, version):
    for name, status in (
        ("approve", "approved"),
        ("go_live", "live"),
        ("pause", "paused"),
        ("resume", "live"),
        ("retire", "retired"),
        ("go_live", "live"),
    ):
        assert f'value="{name}"' in lin.get(page_of(version)).text
        assert f"is {status}" in step(lin, version, name).text
        assert version.status == status
    assert version.approved_by == "Lin"


def test_invalid_transition_is_refused_with_a_message(lin, version):
    assert "The version is not approved." in step(lin, version, "go_live").text
    assert version.status == "draft"
    assert step(lin, version, "explode").status_code == 404


def test_author_cannot_approve_after_a_change_of_name(lin):
    me = User.objects.get()
    automations.load([file()], PURPOSES, TOPICS, now=NOW, by=Operator("Lin", me.pk))
    version = AutomationVersion.objects.get()
    User.objects.update(name="Linnea", email="linnea@staff.example.com")

    assert "The author of a version cannot approve it" in step(lin, version, "approve").text
    assert version.status == "draft"


def test_approver_may_have_the_name_of_the_author(lin):
    other = staff.colleague("marketer", "Lin")
    automations.load([file()], PURPOSES, TOPICS, now=NOW, by=Operator("Lin", other.pk))
    version = AutomationVersion.objects.get()

    step(lin, version, "approve")

    assert version.status == "approved"
    assert (version.loaded_by, version.approved_by) == ("Lin", "Lin")
    assert version.approved_by_login == User.objects.get(is_superuser=True).pk


def test_read_only_staff_and_get_requests_cannot_change_a_version(client, lin, version):
    reader = staff.colleague(
        "marketer",
        "Iris",
    )
    page = reverse("admin:butler_automationversion_step", args=[version.pk])
    assert lin.get(page, {"step": "approve"}).status_code == 405
    staff.let_in(client, reader)

    shown = client.get(page_of(version))

    assert shown.status_code == 200
    assert 'name="step"' not in shown.text
    assert client.post(page, {"step": "approve"}).status_code == 403
    version.refresh_from_db()
    assert version.status == "draft"


def test_every_text_is_shown_in_every_language(lin, version):
    shown = lin.get(page_of(version)).text

    for language in ("en", "nl", "sv", "da"):
        assert f'<h3 class="font-semibold" lang="{language}">Soon</h3>' in shown
    assert "See you, LK-1042-17." in shown


def test_preview_with_a_record_writes_an_access_log_entry(lin, version):
    noor = factories.customer(("email", "noor@example.com"), name="Noor")

    shown = lin.get(page_of(version), {"record": str(noor.pk)}).text

    # She has no order, so this text would not be sent.
    assert "Missing: order.number" in shown
    assert AccessLogEntry.objects.get().customer_id == noor.pk
    assert "There is no such record." in lin.get(page_of(version), {"record": "nobody"}).text


def test_difference_from_the_version_in_use_is_shown(lin, version):
    step(lin, version, "approve")
    step(lin, version, "go_live")
    automations.load(
        [file({"priority": 3})], PURPOSES, TOPICS, now=NOW, by=Operator("load_automations")
    )
    second = AutomationVersion.objects.get(number=2)

    shown = lin.get(page_of(second)).text

    assert "Differences from visit-reminder v1, which is live" in shown
    assert re.search(r"text-red[^>]*>-\s+&quot;priority&quot;: 5", shown)
    assert re.search(r"text-green[^>]*>\+\s+&quot;priority&quot;: 3", shown)


def test_email_preview_has_a_sandbox_policy(lin, version):
    page = reverse("admin:butler_automationversion_mail", args=[version.pk, "0", "nl"])

    response = lin.get(page)

    assert "See you, LK-1042-17." in response.text
    assert response["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    for place, language in (("9", "nl"), ("x", "nl")):
        wrong = reverse("admin:butler_automationversion_mail", args=[version.pk, place, language])
        assert lin.get(wrong).status_code == 404


def test_switch_needs_a_reason_and_can_be_released(lin, version):
    waiting = message()
    page = reverse("admin:butler_pauseswitch_switch")

    assert (
        "Enter the reason"
        in lin.post(page, {"key": "visit-reminder", "do": "engage"}, follow=True).text
    )
    assert not PauseSwitch.objects.exists()
    engaged = {"key": "visit-reminder", "do": "engage", "reason": "a wrong date"}
    assert "Butler withdrew 1 messages" in lin.post(page, engaged, follow=True).text

    waiting.refresh_from_db()
    pause_switch = PauseSwitch.objects.get()
    assert (pause_switch.engaged_by, pause_switch.reason, waiting.state) == (
        "Lin",
        "a wrong date",
        "withdrawn",
    )
    shown = lin.get(reverse("admin:butler_automation_change", args=["visit-reminder"])).text
    assert "Stopped by Lin" in shown
    assert "Resume automation" in shown
    lin.post(page, {"key": "visit-reminder", "do": "release"})
    assert PauseSwitch.objects.get().released_by == "Lin"
    assert "was not engaged" in lin.post(page, {"key": "x", "do": "release"}, follow=True).text
    assert "no automation x" in lin.post(page, {**engaged, "key": "x"}, follow=True).text


def test_switch_for_all_automations_is_engaged(lin, version):
    assert (
        "Reason to stop all automations"
        in lin.get(reverse("admin:butler_pauseswitch_changelist")).text
    )

    lin.post(
        reverse("admin:butler_pauseswitch_switch"), {"key": "*", "do": "engage", "reason": "fire"}
    )

    assert PauseSwitch.objects.get().key == "*"


def test_read_only_staff_cannot_engage_a_switch(client, version):
    staff.let_in(client, staff.colleague("overview", "Iris"))
    page = reverse("admin:butler_pauseswitch_switch")

    assert 'name="reason"' not in client.get(reverse("admin:butler_pauseswitch_changelist")).text
    assert client.post(page, {"key": "*", "do": "engage", "reason": "x"}).status_code == 403
    assert client.post(page, {"key": "*", "do": "release"}).status_code == 403
    assert not PauseSwitch.objects.exists()


def test_manager_approves_a_loaded_version(client, version):
    staff.let_in(client, staff.colleague("manager", "Lin"))

    step(client, version, "approve")
    step(client, version, "go_live")

    assert (version.status, version.approved_by) == ("live", "Lin")
