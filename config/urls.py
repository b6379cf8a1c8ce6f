"""The URLs of the web processes."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt

from channels.email.views import not_mine, provider_reports, unsubscribe
from channels.ingest.client_settings import rudderstack_settings
from channels.ingest.views import batch, unknown_route
from channels.live.api import StreamTicketView
from channels.quarantine.api import ReplayView
from config import checks, slashes
from customers.api import docs, receipts

# Django finds system checks only in imported modules.
__all__ = ["checks", "urlpatterns"]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"

# Django uses the first match, so the most frequent paths come first.
urlpatterns = [
    path("v1/phone/", include("channels.phone.urls")),
    path("v1/sms/", include("channels.sms.urls")),
    re_path(r"^v1/email/reports/?$", provider_reports, name="email-reports"),
    path("v1/store/", include("channels.store.urls")),
    path("v1/webhooks/", include("channels.webhook.urls")),
    path("v1/", include("channels.ingest.urls")),
    re_path(r"^beacon/v1/batch/?$", batch, name="ingest-beacon"),
    re_path(r"^sourceConfig/?$", rudderstack_settings, name="ingest-source-config"),
    re_path(r"^(?:beacon/v1/|sourceConfig)", unknown_route, name="unknown-client-route"),
    path("api/", include("customers.urls")),
    path("api/", include("butler.urls")),
    path("api/me/stream-ticket/", StreamTicketView.as_view(), name="stream-ticket"),
    path("api/quarantine/<int:item_id>/replay/", ReplayView.as_view(), name="quarantine-replay"),
    path("api/schema/", docs.SchemaView.as_view(), name="schema"),
    path("api/docs/", docs.docs, name="docs"),
    path(".well-known/butler-receipt-keys.json", receipts.keys, name="receipt-keys"),
    path("_allauth/", include("channels.portal.headless")),
    path("dev/", include("channels.email.urls")),
    re_path(r"^u/(?P<token>[^/]+)/?$", unsubscribe, name="unsubscribe"),
    re_path(r"^n/(?P<token>[^/]+)/?$", not_mine, name="not-mine"),
    path("admin/", admin.site.urls),
    path("console/", include("channels.console.urls")),
    path("", include("channels.portal.urls")),
    # Unknown paths below these prefixes get problem documents instead of pages.
    re_path(
        r"^(?:api|live|_allauth)/", csrf_exempt(slashes.unknown_route), name=slashes.UNKNOWN_ROUTE
    ),
]
if settings.BUTLER_EXAMPLE:
    example = include(f"examples.{settings.BUTLER_EXAMPLE}.urls")
    urlpatterns.append(path("demo/", example))
