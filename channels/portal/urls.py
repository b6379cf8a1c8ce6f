from django.urls import path
from django.views.i18n import set_language

from channels.portal import sign_in
from channels.portal.views import home, inbox, orders, preferences, receipts, why
from customers.api import path_converters

# What is imported for the converter that it registers.
__all__ = ["app_name", "path_converters", "urlpatterns"]

app_name = "portal"
urlpatterns = [
    path("", home.home, name="home"),
    path("clock/", home.clock, name="clock"),
    path("orders/", orders.orders, name="orders"),
    # What is of an order comes before the order: its number may have anything in it.
    path("orders/<number:number>/calendar.ics", orders.calendar, name="calendar"),
    path("orders/<number:number>/code.svg", orders.code, name="code"),
    path("orders/<number:number>/", orders.order, name="order"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/<uuid:message_id>/", inbox.message, name="message"),
    path("inbox/<uuid:message_id>/read/", inbox.read, name="message-read"),
    path("preferences/", preferences.preferences, name="preferences"),
    path("preferences/<slug:what>/", preferences.change, name="change"),
    path("receipts/", receipts.receipts, name="receipts"),
    path("receipts/ledger.json", receipts.ledger, name="ledger"),
    path("receipts/<uuid:entry_id>/", receipts.receipt, name="receipt"),
    path("why/", why.why, name="why"),
    path("why/looks/", why.looks, name="looks"),
    path("sign-in/", sign_in.ask, name="sign-in"),
    path("sign-in/code/", sign_in.prove, name="sign-in-code"),
    path("sign-out/", sign_in.leave, name="sign-out"),
    path("language/", set_language, name="language"),
]
