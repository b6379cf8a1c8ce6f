"""The adapters of the SMS channel: Twilio's API, and the outbox."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import httpx2
import msgspec
from django.conf import settings
from django.utils import timezone

from channels import dev_outbox
from channels.protocol import ChannelAdapter, ChannelMessage, DeliveryResult, LeaseCheck

TIMEOUT = 10.0
# The shares of the timeout for each step, so that all steps together end within it: connecting,
# TLS, the head of the response, its body.
_CONNECT_SHARE, _RESPONSE_SHARE = 0.15, 0.35
# Bytes. A valid response has a few hundred.
_MAX_RESPONSE = 64 * 1024
# The trace event just before the request is sent on an open connection.
_SENDING_EVENT = "http11.send_request_headers.started"
# Twilio's error code for a number that sent STOP.
_STOPPED_CODE = 21610
# The HTTP statuses for a wrong key or account. They concern our account, not the customer.
_ACCOUNT_ERROR_CODES = frozenset({401, 402, 403, 404, 405, 407})
_RATE_LIMITED = 429
_REQUEST_TIMEOUT = 408


class _LeaseClosed(Exception):
    """The lease closed before the request was sent."""


class SmsAdapter:
    """SMS through Twilio's API, which has no idempotency key for repeated attempts."""

    channel = "sms"
    provider = "twilio"
    address_kind = "phone"
    is_idempotent = False

    def __init__(self, account: Mapping[str, str], *, timeout: float = TIMEOUT) -> None:
        self.timeout = timeout
        self._account = account
        self._url = f"{account['url']}/2010-04-01/Accounts/{account['sid']}/Messages.json"

    def send(
        self, messages: Sequence[ChannelMessage], is_lease_open: LeaseCheck
    ) -> Iterator[DeliveryResult]:
        """Post each message; if the provider becomes unreachable, postpone the rest."""
        unreachable_code = ""
        with self._client() as client:
            for message in messages:
                if not is_lease_open():
                    return
                try:
                    delivery_result = (
                        _unreachable_result(message, unreachable_code)
                        if unreachable_code
                        else self._post(client, message, is_lease_open)
                    )
                except _LeaseClosed:
                    return
                unreachable_code = unreachable_code or (
                    delivery_result.code if delivery_result.code.startswith("connect") else ""
                )
                yield delivery_result

    def _client(self) -> httpx2.Client:
        return httpx2.Client(
            auth=(self._account["sid"], self._account["token"]),
            timeout=httpx2.Timeout(
                _RESPONSE_SHARE * self.timeout, connect=_CONNECT_SHARE * self.timeout
            ),
            headers={"Accept-Encoding": "identity"},
            # Ignore the proxy settings and password files of the machine.
            trust_env=False,
        )

    def _post(
        self, client: httpx2.Client, message: ChannelMessage, is_lease_open: LeaseCheck
    ) -> DeliveryResult:
        def check_lease(event: str, _: Mapping[str, Any]) -> None:
            # Connecting may have taken long, so check the lease again before sending.
            if event == _SENDING_EVENT and not is_lease_open():
                raise _LeaseClosed

        request = client.build_request(
            "POST", self._url, data=self._form(message), extensions={"trace": check_lease}
        )
        deadline = time.monotonic() + (1 - _RESPONSE_SHARE) * self.timeout
        try:
            response = client.send(request, stream=True)
            try:
                body = _read_response(response, deadline)
            finally:
                response.close()
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            is_late = not isinstance(error, httpx2.ConnectError)
            return _unreachable_result(message, "connect_timeout" if is_late else "connect_failed")
        except (httpx2.HTTPError, TimeoutError) as error:
            return _no_response_result(
                message, isinstance(error, httpx2.TimeoutException | TimeoutError)
            )
        return _response_result(message, response, body)

    def _form(self, message: ChannelMessage) -> dict[str, str]:
        sender = self._account["from"]
        form = {
            "To": message.to,
            "MessagingServiceSid" if sender.startswith("MG") else "From": sender,
            "Body": _encodable(message.text),
        }
        if message.is_reported:
            # Status callbacks then name the message, even if the response to this request was lost.
            query = urlencode({"message": str(message.id)})
            form["StatusCallback"] = f"{settings.BUTLER_SITE_URL}/v1/sms/status?{query}"
        return form


class OutboxAdapter:
    """SMS without a provider, which developers read at /dev/outbox/."""

    channel = "sms"
    provider = "outbox"
    address_kind = "phone"
    is_idempotent = False
    timeout = TIMEOUT

    def send(
        self, messages: Sequence[ChannelMessage], is_lease_open: LeaseCheck
    ) -> Iterator[DeliveryResult]:
        """Put each message into the outbox."""
        for message in messages:
            if not is_lease_open():
                return
            sent_at = timezone.now()  # noqa: TID251  an adapter reads the clock
            try:
                dev_outbox.append_messages(
                    [
                        dev_outbox.OutboxMessage(
                            "sms", message.to, "", _encodable(message.text), "", sent_at
                        )
                    ]
                )
            except OSError as error:
                yield DeliveryResult(
                    message.delivery_id, "uncertain", code="outbox", detail=type(error).__name__
                )
            else:
                yield DeliveryResult(message.delivery_id, "accepted", provider_id=str(message.id))


def adapters() -> tuple[ChannelAdapter, ...]:
    """Return the adapters for SMS_URL and SMS_FALLBACK_URL, or else the outbox."""
    accounts = (settings.SMS_ACCOUNT, settings.SMS_FALLBACK)
    return tuple(SmsAdapter(account) for account in accounts if account) or (OutboxAdapter(),)


def _encodable(text: str) -> str:
    """Return text that can be encoded: a lone surrogate becomes a question mark."""
    return text.encode(errors="replace").decode()


def _read_response(response: httpx2.Response, deadline: float) -> bytes:
    body = b""
    for part in response.iter_bytes():
        body += part
        if time.monotonic() > deadline or len(body) > _MAX_RESPONSE:
            raise TimeoutError("the response is too long or takes too long")
    return body


def _response_result(
    message: ChannelMessage, response: httpx2.Response, body: bytes
) -> DeliveryResult:
    status, document = response.status_code, _decode_json(body)
    if 200 <= status < 300:
        return DeliveryResult(
            message.delivery_id,
            "accepted",
            provider_id=str(document.get("sid", "")),
            code=str(status),
        )
    provider_code = document.get("code")
    code = str(provider_code if isinstance(provider_code, int) else status)
    # The provider's text is left out, because it contains the number.
    detail = f"The provider answered {status}, code {code}."
    if status == _RATE_LIMITED or status in _ACCOUNT_ERROR_CODES:
        retry_after = _parse_retry_after(response.headers.get("Retry-After", ""))
        return DeliveryResult(message.delivery_id, "transient", "", code, detail, retry_after)
    if 400 <= status < 500 and status != _REQUEST_TIMEOUT:
        suppress = "stopped" if provider_code == _STOPPED_CODE else ""
        return DeliveryResult(message.delivery_id, "rejected", "", code, detail, None, suppress)
    # The provider may have accepted the message before it failed. A second attempt could send it
    # again.
    return DeliveryResult(message.delivery_id, "uncertain", "", code, detail)


def _decode_json(body: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _parse_retry_after(header: str) -> float | None:
    return float(header) if header.isascii() and header.isdecimal() and len(header) < 7 else None


def _unreachable_result(message: ChannelMessage, code: str) -> DeliveryResult:
    detail = "The provider is unreachable. Butler did not send the message."
    return DeliveryResult(message.delivery_id, "transient", code=code, detail=detail)


def _no_response_result(message: ChannelMessage, is_late: bool) -> DeliveryResult:
    detail = "The provider received the request and did not answer."
    code = "no_answer" if is_late else "line_broken"
    return DeliveryResult(message.delivery_id, "uncertain", code=code, detail=detail)
