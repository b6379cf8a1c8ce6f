"""Map anymail's errors to delivery results."""

from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
)
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from channels.protocol import AttemptOutcome, ChannelMessage, DeliveryResult

# The HTTP statuses for a wrong key or account. They concern our account, not the customer.
_ACCOUNT_ERROR_CODES = frozenset({401, 402, 403, 404, 405})
_RATE_LIMITED = 429


def delivery_result(message: ChannelMessage, error: Exception) -> DeliveryResult:
    """Return the delivery result, without the provider's text, which may contain the address."""
    status = getattr(error, "status_code", None)
    code = str(status or type(error).__name__.removeprefix("Anymail"))
    return DeliveryResult(
        message.delivery_id,
        _outcome(error, status),
        code=code,
        detail=f"The mail provider answered {code}." if status else f"Sending failed: {code}.",
        retry_after=_retry_after(error),
    )


def _outcome(error: Exception, status: int | None) -> AttemptOutcome:
    if isinstance(error, AnymailRecipientsRefused | AnymailInvalidAddress):
        return "rejected"
    if isinstance(error, AnymailConfigurationError) or _never_connected(error):
        return "transient"
    if not isinstance(error, AnymailAPIError) or status is None:
        return "uncertain"
    if status == _RATE_LIMITED or status in _ACCOUNT_ERROR_CODES:
        return "transient"
    # With other statuses, the provider may have failed after it accepted the mail.
    return "rejected" if 400 <= status < 500 else "uncertain"


def _never_connected(error: Exception) -> bool:
    cause = error.__cause__
    reason = getattr(cause.args[0], "reason", None) if cause and cause.args else None
    return isinstance(reason, ConnectTimeoutError | NewConnectionError)


def _retry_after(error: Exception) -> float | None:
    response = getattr(error, "response", None)
    header = response.headers.get("Retry-After", "") if response is not None else ""
    return float(header) if header.isascii() and header.isdecimal() else None
