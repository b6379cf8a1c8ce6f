"""The same of what colleagues, systems and files wrote, and of the pages that are for few."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser

from butler.models import (
    Automation,
    AutomationVersion,
    Decision,
    Delivery,
    Message,
    PauseSwitch,
    Run,
    TopicStatus,
)
from channels import dev_outbox, unsubscribe
from customers.actions import notices, staff_sign_in
from customers.consent.statements import ConsentStatement
from customers.models import Customer, Merge, Source, User
from tests import factories, staff
from tests.butler.messages.test_render import LANGUAGES, document
from tests.customers import consent_helpers
from tests.security.test_scripts import COUNTING, LOOKING, PAYLOADS

pytestmark = pytest.mark.slow

IMAGE, QUOTED, CLOSING = PAYLOADS[8], PAYLOADS[12], PAYLOADS[3]


@pytest.fixture
def noor(running, settings) -> Customer:
    settings.BUTLER_HOME = Path(running.env["BUTLER_HOME"])
    noor = factories.customer(("email", "noor@example.com"), ("phone", "+31612345678"))
    factories.record(factories.identify(("email", "noor@example.com"), first_name=IMAGE))
    _publish_hostile_texts()
    _record_hostile_calls()
    version = _hostile_automation()
    for number, bad in enumerate(PAYLOADS):
        _record_hostile_run(noor, version, f"{number}", bad)
        TopicStatus.objects.create(
            key=f"ride:r{number}",
            status="down",
            facts={"name": bad, "reason": bad, "until": bad, "said_by": f"staff:{bad}"},
            changed_at=timezone.now(),
        )
    by = consent_helpers.author(actor=f"staff:{IMAGE}", channel="phone")
    refusal = ConsentStatement(
        "consent.refused", "offers", evidence={"kind": "voice", "note": QUOTED}
    )
    consent_helpers.say(noor.pk, refusal, by=by, now=timezone.now())
    letters = [
        dev_outbox.OutboxMessage("sms", bad, bad, bad, bad, timezone.now()) for bad in PAYLOADS
    ]
    dev_outbox.append_messages(letters)
    return noor


def _publish_hostile_texts() -> None:
    """Publish purposes and topics with hostile names."""
    named = {language: {"name": IMAGE, "description": QUOTED} for language in LANGUAGES}
    purpose_text = notices.PurposeText("offers", "contact", named, details={"retention": CLOSING})
    notices.publish(
        purposes=[purpose_text, notices.PurposeText("personalize", "use", named)],
        notices=[notices.NoticeText("offers", 1, dict.fromkeys(LANGUAGES, IMAGE))],
        topics=[notices.TopicText("rides", named), notices.TopicText("visits", named)],
        now=timezone.now(),
    )


def _record_hostile_calls() -> None:
    """Phones that ring, in a number, a name and a reference of any kind."""
    now = timezone.now()
    factories.record(
        *(
            factories.incoming_event(
                ("phone", f"+3161200{number:04}"),
                name="Call Started",
                about=f"call:c{number}{bad}",
                properties={"from": bad, "to": bad, "agent": bad, "topic": bad},
                actor=f"staff:{bad}",
                at=now,
            )
            for number, bad in enumerate(PAYLOADS[6:9])
        ),
        at=now,
    )


def _hostile_automation() -> AutomationVersion:
    automation = Automation.objects.create(key=f"a{QUOTED}"[:64], created_at=timezone.now())
    versions = []
    for number, status in ((1, "live"), (2, "draft")):
        stored_document = document(
            f"{IMAGE} {number}\n\n{{{{ customer.first_name }}}}",
            subject=QUOTED,
            action=CLOSING,
            path=f"/o/{number}",
            name=dict.fromkeys(LANGUAGES, f"{IMAGE}{number}"),
            condition=f'"{number}" == "{IMAGE}"',
        )
        versions.append(
            AutomationVersion.objects.create(
                automation=automation,
                number=number,
                status=status,
                document=msgspec.to_builtins(stored_document),
                digest=f"{number}",
                loaded_by=IMAGE,
                approved_by=QUOTED,
                live_at=timezone.now() if status == "live" else None,
                created_at=timezone.now(),
            )
        )
    PauseSwitch.objects.create(
        key=automation.key, engaged_at=timezone.now(), engaged_by=IMAGE, reason=QUOTED
    )
    return versions[-1]


def _record_hostile_run(noor: Customer, version: AutomationVersion, number: str, bad: str) -> None:
    """Create a run with a payload in each text of a system or a file."""
    now = timezone.now()
    run = Run.objects.create(
        automation=version.automation,
        version=version,
        customer_id=noor.pk,
        occasion=f"{number}{bad}",
        cause={"name": bad, "about": bad},
        occurred_at=now,
        reason=bad[:64],
        awaited=bad,
        created_at=now,
    )
    sent_message = factories.message(
        noor, at=now, automation_id=version.automation_id, run_id=run.pk, reason=bad[:64]
    )
    Delivery.objects.create(
        message=sent_message,
        number=1,
        customer_id=noor.pk,
        channel=f"c{number}",
        provider=bad[:32],
        customer_version=1,
        claimed_at=now,
        lease_until=now,
        outcome="rejected",
        code=bad[:64],
        detail=bad,
        provider_id=bad[:200],
    )
    gate = {"gate": bad, "verdict": bad, "code": bad, "evidence": [bad], "inputs": {bad: bad}}
    factories.decision(
        noor,
        at=now,
        run_id=run.pk,
        message_id=sent_message.pk,
        automation_id=version.automation_id,
        gates=[gate],
        act={"relation": bad, "channel": bad[:16]},
        rules_version=bad[:64],
    )


@pytest.fixture
def lin(noor) -> dict[str, str]:
    """Return the cookies of a manager whose name and texts are payloads."""
    user = staff.colleague("manager", name="Lin", is_superuser=True)
    before = timezone.now() - timedelta(hours=1)
    totp_secret = staff_sign_in.new_secret()
    staff_sign_in.enroll(
        user=user, secret=totp_secret, code=staff_sign_in.totp(totp_secret, before), now=before
    )
    User.objects.filter(pk=user.pk).update(name=IMAGE[:100])
    user.refresh_from_db()
    colleague = staff.let_in(Client(), user)
    for bad in PAYLOADS[8:16]:
        form = {"key": f"ride:{len(bad)}", "status": "down", "name": bad, "reason": bad}
        assert colleague.post("/console/topics/status/", form).status_code == 302
    return {name: cookie.value for name, cookie in colleague.cookies.items()}


@pytest.fixture
def desk(noor) -> list[str]:
    return [*_console_paths(noor), *_admin_paths(noor)]


@pytest.fixture
def own(noor) -> tuple[dict[str, str], list[str]]:
    """Return a customer's cookies, and what there is to read."""
    customer = Client()
    customer.force_login(User.objects.create_user("noor@example.com", record=noor))
    return {"sessionid": customer.session.session_key}, _customer_paths(noor)


def _console_paths(noor: Customer) -> list[str]:
    of_record = (
        "preferences",
        "order-new",
        "orders",
        "timeline",
        "decisions",
        "identity",
        "access-log",
    )
    return [
        *(reverse(f"console:{page}", args=[noor.pk]) for page in of_record),
        f"/console/customers/{noor.pk}/?for={quote(f'call {QUOTED}')}",
        f"/console/customers/{noor.pk}/preferences/?for={quote(QUOTED)}",
        *(f"/console/{page}/" for page in ("topics", "keys", "codes", "calls", "switches")),
        "/console/calls/?parts",
        *(
            f"/console/calls/{quote(f'call:c{number}{bad}', safe='')}/"
            for number, bad in enumerate(PAYLOADS[6:9])
        ),
        f"/console/search/?q={quote(IMAGE)}",
    ]


def _admin_paths(noor: Customer) -> list[str]:
    version = AutomationVersion.objects.latest("number")
    source = factories.source(IMAGE)
    merge = Merge.objects.first()
    shown = [
        ("butler/automation", version.automation_id.encode().hex()),
        *(("butler/automationversion", stored.pk) for stored in AutomationVersion.objects.all()),
        ("butler/pauseswitch", PauseSwitch.objects.get().pk),
        ("butler/run", Run.objects.filter(reason__contains="onerror").latest("id").pk),
        ("butler/message", Message.objects.latest("id").pk),
        ("butler/delivery", Delivery.objects.filter(code__contains="onerror").latest("id").pk),
        ("butler/decision", Decision.objects.latest("id").pk),
        ("butler/topicstatus", f"ride_3Ar{PAYLOADS.index(IMAGE)}"),
        ("customers/source", source.pk),
    ]
    assert Source.objects.get(pk=source.pk).name == IMAGE
    assert merge is None
    lists = "automation automationversion pauseswitch run message delivery decision topicstatus"
    return [
        *(f"/admin/butler/{page}/" for page in lists.split()),
        *(f"/admin/{model}/{key}/change/" for model, key in shown[1:]),
        f"/admin/butler/automationversion/{version.pk}/change/?record={noor.pk}",
        f"/admin/butler/automationversion/{version.pk}/change/?record={quote(QUOTED)}",
        f"/admin/butler/automationversion/{version.pk}/mail/1.then.0/en/",
        f"/admin/search/?s={quote(IMAGE)}",
        "/admin/customers/source/",
        "/admin/mfa/authenticator/",
        "/admin/",
    ]


WRONG = [
    f"{place}{quote(bad, safe='')}"
    for place in ("/", "/console/", "/admin/", "/orders/", "/inbox/", "/u/", "/api/", "/v1/")
    for bad in (QUOTED,)
]


def _customer_paths(noor: Customer) -> list[str]:
    sent_message = Message.objects.latest("id")
    link = unsubscribe.sign_token(
        unsubscribe.UnsubscribeScope(noor.pk, sent_message.pk, "offers", "")
    )
    return [
        *(
            "/",
            "/preferences/",
            "/receipts/",
            "/why/",
            "/why/?sent=no",
            "/why/access-log/",
            "/inbox/",
        ),
        f"/u/{link}/",
        "/dev/outbox/",
        f"/sign-in/?next={quote(QUOTED)}",
    ]


def page_faults(
    browser: Browser, base: str, cookies: dict[str, str], paths: list[str]
) -> dict[str, object]:
    """Open these pages; return what ran, what was about to, and what answered a server error."""
    context = browser.new_context(base_url=base)
    context.add_cookies([{"name": k, "value": v, "url": base} for k, v in cookies.items()])
    context.add_init_script(COUNTING)
    page, faults = context.new_page(), {}
    for path in paths:
        answer = page.goto(path)
        page.wait_for_timeout(15)
        page_state = page.evaluate(LOOKING)
        status = answer.status if answer else 0
        is_right = status < 500 if path in WRONG else status == 200
        if page_state["hit"] or page_state["stopped"] or page_state["odd"] or not is_right:
            faults[path] = page_state | {"status": status}
    context.close()
    return faults


def test_payloads_of_staff_systems_and_files_never_run_on_staff_pages(running, lin, desk, chromium):
    # The first page shows the answer to the form.
    assert "messages" in lin

    assert page_faults(chromium, running.web, lin, ["/console/topics/", *desk, *WRONG]) == {}


def test_payloads_of_staff_systems_and_files_never_run_on_customer_pages(running, own, chromium):
    cookies, paths = own

    assert page_faults(chromium, running.web, cookies, paths) == {}
