"""The endpoints at which a client asks for its settings before it sends its first event."""

from django.http import HttpRequest, HttpResponse

from channels.ingest import authentication, http
from channels.ingest.http import ErrorResponse
from customers.access import keys
from customers.types import Sender


@http.endpoint("GET")
def segment_settings(request: HttpRequest, key: str) -> HttpResponse:
    """Return the settings of a client of Segment, with our host."""
    authentication.refuse_secret_in_url(request)
    sender: Sender | None = keys.find_sender(key)
    if sender is None:
        raise ErrorResponse(404, "unknown_key", "No source has this key.")
    return http.json_response(
        {
            "integrations": {
                "Segment.io": {
                    "apiKey": key,
                    "apiHost": f"{request.get_host()}/v1",
                    "protocol": request.scheme,
                    # With these, the Swift and Kotlin clients retry and obey Retry-After.
                    "httpConfig": {
                        "rateLimitConfig": {"enabled": True},
                        "backoffConfig": {"enabled": True},
                    },
                }
            },
            "plan": {
                "track": {"__default": {"enabled": True, "integrations": {}}},
                "identify": {"__default": {"enabled": True}},
                "group": {"__default": {"enabled": True}},
            },
            "edgeFunction": {},
        }
    )


@http.endpoint("GET", "HEAD")
def rudderstack_settings(request: HttpRequest) -> HttpResponse:
    """Return the settings of a client of RudderStack: a source without other destinations."""
    sender = authentication.find_sender(request)
    no_reports = {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    return http.json_response(
        {
            "source": {
                "id": str(sender.source_id),
                "name": "Butler",
                "enabled": True,
                # Otherwise the client sends its own errors and metrics to its maker.
                "config": {"statsCollection": no_reports},
                "destinations": [],
            }
        }
    )
