"""A real browser shows texts of attackers on every page, and runs no script in them.

The content security policy must not have to stop a script: the page must escape it.
"""

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser

from butler.actions import pause_switches, staff_tasks
from butler.messages.render import render
from butler.models import Message, TopicStatus
from customers.models import AccessLogEntry, BlockedValue, Customer, QuarantinedItem, Review, User
from tests import factories, staff
from tests.butler.messages.test_render import CONTEXT, LINKS, document

pytestmark = pytest.mark.slow

HIT = "window.hit=1"
PAYLOADS = (
    f"<script>{HIT}</script>",
    f"<ScRiPt>{HIT}</sCrIpT>",
    f"<scr<script>ipt>{HIT}</scr</script>ipt>",
    f"</script><script>{HIT}</script>",
    f"<script/x>{HIT}</script>",
    f"<script\n>{HIT}</script\n>",
    "<script src=//evil.test/x.js></script>",
    "<script src=data:,window.hit=1></script>",
    f"<img src=x onerror={HIT}>",
    f"<img/src=x/onerror={HIT}>",
    f"<img src=x onerror\n=\n{HIT}>",
    f"<IMG SRC=x OnErRoR={HIT}>",
    f'"><img src=x onerror={HIT}>',
    f"'><img src=x onerror={HIT}>",
    f"`><img src=x onerror={HIT}>",
    f"<svg onload={HIT}>",
    f"<svg/onload={HIT}>",
    f"<svg><script>{HIT}</script></svg>",
    f"<svg><animate onbegin={HIT} attributeName=x dur=1s>",
    f"<svg><style><img src=x onerror={HIT}></style></svg>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={HIT}>",
    f"<body onload={HIT}>",
    f"<input autofocus onfocus={HIT}>",
    f"<select autofocus onfocus={HIT}>",
    f"<details open ontoggle={HIT}>",
    f"<video><source onerror={HIT}></video>",
    f"<audio src=x onerror={HIT}>",
    f"<marquee onstart={HIT}>",
    f"<iframe srcdoc='<script>parent.{HIT}</script>'>",
    "<iframe src='javascript:parent.window.hit=1'>",
    "<object data='javascript:window.hit=1'>",
    "<embed src='javascript:window.hit=1'>",
    "<a href=javascript:window.hit=1 autofocus>x</a>",
    "<form action=javascript:window.hit=1><button autofocus>x</button></form>",
    "<base href=//evil.test/>",
    "<meta http-equiv=refresh content='0;url=javascript:window.hit=1'>",
    "<link rel=stylesheet href=//evil.test/x.css>",
    "<style>@import '//evil.test/x.css';</style>",
    "<style>*{background:url(//evil.test/x)}</style>",
    f"<div style=animation-name:x onanimationstart={HIT}>",
    f'" onmouseover="{HIT}" autofocus onfocus="{HIT}" x="',
    f"' onfocus='{HIT}' autofocus x='",
    f" onfocus={HIT} autofocus tabindex=1 ",
    f"</title><script>{HIT}</script>",
    f"</textarea><script>{HIT}</script>",
    f"</style><script>{HIT}</script>",
    f"</noscript><script>{HIT}</script>",
    f"</template><script>{HIT}</script>",
    f"--><script>{HIT}</script><!--",
    f"]]><script>{HIT}</script>",
    f"<!--><img src=x onerror={HIT}>-->",
    f"<![CDATA[><img src=x onerror={HIT}>]]>",
    "javascript:window.hit=1",
    "JaVa\tScRiPt:window.hit=1",
    "data:text/html,<script>top.window.hit=1</script>",
    f"';{HIT};//",
    f'";{HIT};//',
    f"'-({HIT})-'",
    f"${{{HIT}}}",
    f"{{{{constructor.constructor('{HIT}')()}}}}",
    "{{ 700123|add:700124 }}{% debug %}{% load x %}",
    "{{ settings.SECRET_KEY }}{% include 'admin/base.html' %}",
    f'x-data="{{a:{HIT}}}" x-init="{HIT}" @click="{HIT}"',
    f'"><div x-data x-init="{HIT}">',
    f'"><div hx-on:load="{HIT}" hx-get="/console/" hx-trigger="load">',
    f'"><div hx-get="javascript:{HIT}" hx-trigger="load">',
    f"&lt;script&gt;{HIT}&lt;/script&gt;",
    f"&#60;script&#62;{HIT}&#60;/script&#62;",
    f"%3Cscript%3E{HIT}%3C/script%3E",
    f"\\u003cscript\\u003e{HIT}\\u003c/script\\u003e",
    f"\uff1cscript\uff1e{HIT}\uff1c/script\uff1e",
    f"\u202e<img src=x onerror={HIT}>",
    f"<mj-raw><script>{HIT}</script></mj-raw>",
    f"</mj-text><mj-raw><script>{HIT}</script></mj-raw><mj-text>",
)
# Counts what was about to run, or to be loaded from elsewhere, and was only stopped by the policy.
COUNTING = """
window.stopped = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.stopped.push(event.violatedDirective + " " + event.blockedURI + " " + event.sample));
"""
LOOKING = """() => ({
  hit: window.hit, stopped: window.stopped, title: document.title,
  odd: document.querySelectorAll(
    "main [onerror], main [onload], main [onfocus], main iframe:not([sandbox]), main object," +
    "main embed, a[href^='javascript:' i], main svg script, base, meta[http-equiv=refresh i]"
  ).length,
})"""
ADMIN = (
    "customers/customer customers/blockedvalue customers/review customers/quarantineditem"
    " customers/user customers/source customers/merge butler/pauseswitch butler/topicstatus"
    " butler/message butler/decision butler/automation butler/run"
)


@pytest.fixture
def noor(running) -> Customer:
    """Let others write something into every place of Noor's record that is shown anywhere."""
    by = ("email", "noor@example.com")
    noor = factories.customer(("user_id", "noor"), by, first_name="Noor")
    now = timezone.now()
    lines = [
        {"line_id": f"{n}{bad}", "name": bad, "product": bad, "quantity": 1, "price": "1"}
        for n, bad in enumerate(PAYLOADS)
    ]
    party = [{"name": bad} for bad in PAYLOADS]
    facts = {"visit_date": "2031-01-01", "name": PAYLOADS[0], "note": PAYLOADS[8], "party": party}
    number = f"order:A-1{PAYLOADS[12]}"
    items = [
        factories.incoming_event(
            by, name="Order Completed", about=number, properties={**facts, "lines": lines}, at=now
        )
    ]
    for number, bad in enumerate(PAYLOADS):
        items += [
            factories.incoming_event(
                by, name=bad, at=now, actor=f"staff:{bad}", properties={"name": bad}
            ),
            factories.identify(
                by, at=now + timedelta(seconds=number), first_name=bad, name=bad, language=bad
            ),
            factories.incoming_event(
                by,
                name="Party Member Changed",
                about=f"member:{number}",
                properties={"name": bad, "role": bad},
                at=now,
            ),
            factories.incoming_event(
                by,
                name="Callback Requested",
                about=f"request:{number}",
                properties={"topic": bad, "note": bad},
                at=now,
            ),
        ]
    factories.record(*items, at=now)
    for number, bad in enumerate(PAYLOADS):
        _create_hostile_records(noor, number, bad)
    evidence = {bad: bad for bad in PAYLOADS}
    Review.objects.create(kind="suggested_merge", first=noor, details=evidence)
    return noor


def _create_hostile_records(noor: Customer, number: int, bad: str) -> None:
    now = timezone.now()
    sent_message = factories.message(
        noor, subject=bad, text=f"{bad}\n\nhttp://localhost/{bad}", at=now
    )
    factories.decision(
        noor, at=now, message_id=sent_message.pk, code=bad[:48], act={"topic": bad, "purpose": bad}
    )
    AccessLogEntry.objects.create(
        customer=noor, at=now, actor=f"staff:{bad}"[:100], role="desk", what="page", reason=bad
    )
    staff_tasks.create(key=bad, kind="phone", customer_id=noor.pk, title=bad, body=bad, due_at=now)
    TopicStatus.objects.create(key=bad[:64], status=bad[:16], facts={bad: bad}, changed_at=now)
    BlockedValue.objects.create(kind="email", value=bad, reason=bad[:100])
    User.objects.create_user(f"{number}@example.com", name=bad[:100])
    QuarantinedItem.objects.create(
        source=factories.source(f"{number}{bad}"[:100]),
        reason=bad[:40],
        detail=bad,
        raw=bad.encode(),
        digest=sent_message.pk,
        evidence=1,
        received_at=now,
    )


@pytest.fixture
def sessions(noor) -> dict[str, str]:
    pause_switches.engage_switch(key="*", by=PAYLOADS[0], reason=PAYLOADS[8], now=timezone.now())
    customer, colleague = Client(), Client()
    customer.force_login(User.objects.create_user("noor@example.com", record=noor))
    staff.let_in(colleague, staff.colleague("manager", name="Lin", is_superuser=True))
    return {"noor": customer.session.session_key, "lin": colleague.session.session_key}


@pytest.fixture
def paths(noor, sessions) -> dict[str, list[str]]:
    number = quote(f"A-1{PAYLOADS[12]}", safe="")
    newest = Message.objects.filter(customer_id=noor.pk).latest("created_at").pk
    task = staff_tasks.StaffTask.objects.latest("due_at").pk
    review = Review.objects.latest("pk").pk
    admin = [f"/admin/{model}/" for model in ADMIN.split()]
    return {
        "noor": [
            *(
                "/",
                "/orders/",
                "/inbox/",
                "/preferences/",
                "/receipts/",
                "/why/",
                "/why/access-log/",
            ),
            f"/orders/{number}/",
            f"/inbox/{newest}/",
        ],
        "lin": [
            f"/console/customers/{noor.pk}/?for={quote(PAYLOADS[8])}",
            f"/console/customers/{noor.pk}/access-log/",
            f"/console/customers/{noor.pk}/orders/{number}/",
            f"/console/search/?q={quote(PAYLOADS[12])}",
            *("/console/", "/console/tasks/", "/console/merges/", "/console/switches/"),
            f"/console/tasks/?open={task}",
            f"/console/merges/{review}/",
            *admin,
            f"/admin/customers/user/?q={quote(PAYLOADS[12])}",
            f"/admin/customers/customer/{noor.pk}/change/",
            f"/admin/customers/review/{review}/change/",
            f"/admin/customers/quarantineditem/{QuarantinedItem.objects.latest('pk').pk}/change/",
            f"/admin/customers/blockedvalue/{BlockedValue.objects.latest('pk').pk}/change/",
            f"/admin/customers/user/{User.objects.get(email='8@example.com').pk}/change/",
        ],
    }


@pytest.fixture
def letters() -> list[str]:
    """Return mail with each payload in every part of a mail."""
    text = "Hello {{ customer.first_name }}, {{ company.name }}.\n\n{{ customer.first_name }}"
    automation = document(
        text,
        subject="{{ customer.first_name }}",
        action="{{ customer.first_name }}",
        path="/o/{{ customer.first_name }}/",
    )
    contexts = (
        {**CONTEXT, "customer": {"first_name": bad}, "company": {"name": bad}} for bad in PAYLOADS
    )
    return [
        render(automation, "1.then.0", "email", context, LINKS, "en").html for context in contexts
    ]


def _page_faults(browser: Browser, base: str, session: str, paths: list[str]) -> dict[str, object]:
    context = browser.new_context(base_url=base)
    context.add_cookies([{"name": "sessionid", "value": session, "url": base}])
    context.add_init_script(COUNTING)
    page, faults = context.new_page(), {}
    page.on("dialog", lambda dialog: (faults.update({page.url: dialog.message}), dialog.dismiss()))
    elsewhere: list[str] = []
    page.on(
        "request",
        lambda page_request: (
            elsewhere.append(page_request.url) if "evil" in page_request.url else None
        ),
    )
    for path in paths:
        answer = page.goto(path)
        assert answer
        assert answer.status == 200, (path, answer.status)
        page.wait_for_timeout(60)
        page_state = page.evaluate(LOOKING)
        if (
            page_state["hit"]
            or page_state["stopped"]
            or page_state["odd"]
            or "1400247" in page_state["title"]
        ):
            faults[path] = page_state
    context.close()
    return faults | ({"elsewhere": elsewhere} if elsewhere else {})


def test_payloads_never_run_on_any_page(running, sessions, paths, chromium):
    assert len(PAYLOADS) >= 60

    for who, session in sessions.items():
        assert _page_faults(chromium, running.web, session, paths[who]) == {}


def test_payloads_never_run_in_an_email(letters, chromium):
    """Mail has no policy of its own: here escaping is all there is."""
    page = chromium.new_page()
    # The pictures and links of a letter lead to a place that is not there.
    page.route("**/*", lambda route: route.abort())
    hits = []
    for bad, html in zip(PAYLOADS, letters, strict=True):
        page.set_content(html)
        odd = page.evaluate(
            "document.querySelectorAll('script, iframe, object, embed, base, form, svg,"
            ' [onerror], [onload], [onfocus], a[href^="javascript:" i]\').length'
        )
        if page.evaluate("window.hit") or odd:
            hits.append(bad)

    assert hits == []


def test_page_without_escaping_is_detected(chromium):
    """A page that did not escape would be noticed."""
    page = chromium.new_page()
    page.add_init_script(COUNTING)
    page.set_content(PAYLOADS[8])
    page.wait_for_function("window.hit === 1", timeout=5000)
    page.route(
        "**/*",
        lambda route: route.fulfill(
            body=f"<main>{PAYLOADS[8]}</main>",
            headers={"content-type": "text/html", "content-security-policy": "default-src 'none'"},
        ),
    )
    page.goto("http://localhost/")
    page.wait_for_timeout(60)

    page_state = page.evaluate(LOOKING)

    assert not page_state["hit"]
    assert page_state["stopped"]
    assert page_state["odd"] == 1
