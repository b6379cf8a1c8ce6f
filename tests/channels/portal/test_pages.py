"""The pages of the portal: a page exists for a task of a customer, and there are at most 14."""

from channels.portal.urls import urlpatterns

MOST_PAGES = 14
# Pages that a customer can open and come back to.
PAGES = {
    "home",
    "accounts",
    "orders",
    "order",
    "inbox",
    "message",
    "preferences",
    "receipts",
    "decisions",
    "access-log",
    "separate",
    "sign-in",
}
# Pages of other rooms in the look of the portal: the one behind the link of a mail.
PAGES_ELSEWHERE = {"unsubscribe"}
# Steps of a page, and the pages behind the links of single messages: nobody navigates to them.
STEPS = {"sign-in-code", "address-freeze"}
# Files, answers to scripts, forms, and old addresses that lead to a page.
OTHERS = {
    "clock",
    "calendar",
    "qr-code",
    "message-read",
    "preference-change",
    "ledger",
    "receipt",
    "sign-out",
    "language",
    "addresses",
    "passkey-sign-in",
    "passkey-options",
    "codes-change",
}


def test_portal_has_at_most_14_pages():
    names = {pattern.name for pattern in urlpatterns}

    assert names == PAGES | STEPS | OTHERS
    assert len(PAGES | PAGES_ELSEWHERE) <= MOST_PAGES
