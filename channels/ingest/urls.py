"""The routes of `/v1/`, with and without a slash, because a redirect would lose a posted body."""

from django.urls import re_path

from channels.ingest import client_settings, views

_KINDS = "|".join(sorted(views.KINDS, key=len, reverse=True))

urlpatterns = [
    re_path(r"^(?:batch|b|import)/?$", views.batch, name="ingest-batch"),
    re_path(rf"^(?P<kind>{_KINDS})/?$", views.single, name="ingest-single"),
    re_path(r"^events/?$", views.events, name="ingest-events"),
    re_path(r"^m/?$", views.metrics, name="ingest-metrics"),
    re_path(
        r"^projects/(?P<key>[^/]+)/settings/?$",
        client_settings.segment_settings,
        name="ingest-settings",
    ),
    re_path(r"^", views.unknown_route, name="ingest-unknown-route"),
]
