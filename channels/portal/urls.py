from django.urls import path
from django.views.i18n import set_language

from channels.portal import sign_in
from channels.portal.views import (
    accounts,
    addresses,
    decisions,
    home,
    inbox,
    orders,
    passkeys,
    preferences,
    receipts,
    records,
)
from customers.api import path_converters

# path_converters is imported because it registers the converter "number".
__all__ = ["app_name", "path_converters", "urlpatterns"]

app_name = "portal"
urlpatterns = [
    path("", home.home, name="home"),
    path("accounts/", accounts.accounts, name="accounts"),
    # Until 0.2.0 the addresses had a page of their own.
    path("addresses/", accounts.addresses, name="addresses"),
    path("addresses/freeze/<str:token>/", addresses.freeze, name="address-freeze"),
    path("clock/", home.clock, name="clock"),
    path("orders/", orders.list_orders, name="orders"),
    # The paths below an order come before the order, whose number may contain slashes.
    path("orders/<number:number>/calendar.ics", orders.calendar_file, name="calendar"),
    path("orders/<number:number>/codes/change/", orders.change_codes, name="codes-change"),
    path("orders/<number:number>/code.svg", orders.qr_code, name="qr-code"),
    path("orders/<number:number>/", orders.show_order, name="order"),
    path("inbox/", inbox.list_messages, name="inbox"),
    path("inbox/<uuid:message_id>/", inbox.show_message, name="message"),
    path("inbox/<uuid:message_id>/read/", inbox.mark_read, name="message-read"),
    path("preferences/", preferences.preferences, name="preferences"),
    path("preferences/<slug:name>/", preferences.change, name="preference-change"),
    path("receipts/", receipts.list_receipts, name="receipts"),
    path("receipts/ledger.json", receipts.ledger_file, name="ledger"),
    path("receipts/<uuid:entry_id>/", receipts.receipt_file, name="receipt"),
    path("why/", decisions.decisions, name="decisions"),
    path("why/access-log/", decisions.access_log, name="access-log"),
    path("records/<int:merge_id>/separate/", records.separate, name="separate"),
    path("sign-in/", sign_in.request_code, name="sign-in"),
    path("sign-in/code/", sign_in.confirm_code, name="sign-in-code"),
    path("sign-in/passkey/", passkeys.sign_in, name="passkey-sign-in"),
    path("sign-in/passkey/options/", passkeys.options, name="passkey-options"),
    path("sign-out/", sign_in.sign_out, name="sign-out"),
    path("language/", set_language, name="language"),
]
