"""The way out by SMS: through a provider that speaks as Twilio does, or into the outbox."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import httpx2
import msgspec
from django.conf import settings
from django.utils import timezone

from channels import outbox
from channels.protocol import Adapter, Handover, IsOpen, Parcel

TIMEOUT = 10.0
# The shares of the time that one step may take, so that all of them together end within it:
# connecting, then TLS, then the answer's head, then its body.
_CONNECT, _ANSWER = 0.15, 0.35
# An answer is a few hundred bytes; more is no answer.
_LONGEST = 64 * 1024
# Told where the request is about to go out on a connection that stands.
_LEAVES = "http11.send_request_headers.started"
# What Twilio calls a number that said STOP to us.
_STOPPED = 21610
# The key or the account is wrong, or the provider is busy: about us, not about a customer.
_OURS = frozenset({401, 402, 403, 404, 405, 407})
_BUSY = 429
_LATE = 408


class _Closed(Exception):
    """It was no longer open when the request was about to leave."""


class SmsAdapter:
    """SMS over HTTP. There is no key that would tell two attempts apart."""

    channel = "sms"
    provider = "twilio"
    address_kind = "phone"
    is_idempotent = False

    def __init__(self, account: Mapping[str, str], *, timeout: float = TIMEOUT) -> None:
        self.timeout = timeout
        self._account = account
        self._url = f"{account['url']}/2010-04-01/Accounts/{account['sid']}/Messages.json"

    def hand_over(self, parcels: Sequence[Parcel], is_open: IsOpen) -> Iterator[Handover]:
        """Post each parcel; where nobody answers the door, the rest waits at once."""
        away = ""
        with self._client() as client:
            for parcel in parcels:
                if not is_open():
                    return
                try:
                    outcome = (
                        _unreached(parcel, away) if away else self._post(client, parcel, is_open)
                    )
                except _Closed:
                    return
                away = away or (outcome.code if outcome.code.startswith("connect") else "")
                yield outcome

    def _client(self) -> httpx2.Client:
        return httpx2.Client(
            auth=(self._account["sid"], self._account["token"]),
            timeout=httpx2.Timeout(_ANSWER * self.timeout, connect=_CONNECT * self.timeout),
            headers={"Accept-Encoding": "identity"},
            # A proxy or a password file of the machine's is none of ours.
            trust_env=False,
        )

    def _post(self, client: httpx2.Client, parcel: Parcel, is_open: IsOpen) -> Handover:
        def look(event: str, _: Mapping[str, Any]) -> None:
            # Connecting may have taken its time; only now does it leave.
            if event == _LEAVES and not is_open():
                raise _Closed

        request = client.build_request(
            "POST", self._url, data=self._form(parcel), extensions={"trace": look}
        )
        deadline = time.monotonic() + (1 - _ANSWER) * self.timeout
        try:
            answer = client.send(request, stream=True)
            try:
                body = _read(answer, deadline)
            finally:
                answer.close()
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            late = not isinstance(error, httpx2.ConnectError)
            return _unreached(parcel, "connect_timeout" if late else "connect_failed")
        except (httpx2.HTTPError, TimeoutError) as error:
            return _silent(parcel, isinstance(error, httpx2.TimeoutException | TimeoutError))
        return _answered(parcel, answer, body)

    def _form(self, parcel: Parcel) -> dict[str, str]:
        sender = self._account["from"]
        # What comes back says which message it is about even where the answer got lost.
        query = urlencode({"message": str(parcel.id)})
        return {
            "To": parcel.to,
            "MessagingServiceSid" if sender.startswith("MG") else "From": sender,
            "Body": _spelled(parcel.text),
            "StatusCallback": f"{settings.BUTLER_SITE_URL}/v1/sms/status?{query}",
        }


class OutboxAdapter:
    """SMS while there is no provider: a developer reads them at /dev/outbox/."""

    channel = "sms"
    provider = "outbox"
    address_kind = "phone"
    is_idempotent = False
    timeout = TIMEOUT

    def hand_over(self, parcels: Sequence[Parcel], is_open: IsOpen) -> Iterator[Handover]:
        """Put each parcel into the outbox."""
        for parcel in parcels:
            if not is_open():
                return
            sent_at = timezone.now()  # noqa: TID251  a way out is an edge
            try:
                outbox.add([outbox.Entry("sms", parcel.to, "", _spelled(parcel.text), "", sent_at)])
            except OSError as error:
                yield Handover(
                    parcel.delivery_id, "uncertain", code="outbox", detail=type(error).__name__
                )
            else:
                yield Handover(parcel.delivery_id, "accepted", provider_id=str(parcel.id))


def adapters() -> tuple[Adapter, ...]:
    """Return the way out that SMS_URL names, and the one that stands in for it."""
    accounts = (settings.SMS_ACCOUNT, settings.SMS_FALLBACK)
    return tuple(SmsAdapter(one) for one in accounts if one) or (OutboxAdapter(),)


def _spelled(text: str) -> str:
    """Return text that can be encoded: a lone surrogate becomes a question mark."""
    return text.encode(errors="replace").decode()


def _read(answer: httpx2.Response, deadline: float) -> bytes:
    body = b""
    for part in answer.iter_bytes():
        body += part
        if time.monotonic() > deadline or len(body) > _LONGEST:
            raise TimeoutError("the answer does not end")
    return body


def _answered(parcel: Parcel, answer: httpx2.Response, body: bytes) -> Handover:
    status, said = answer.status_code, _said(body)
    if 200 <= status < 300:
        return Handover(
            parcel.delivery_id, "accepted", provider_id=str(said.get("sid", "")), code=str(status)
        )
    number = said.get("code")
    code = str(number if isinstance(number, int) else status)
    # The provider's own words are left out: they quote the number.
    detail = f"The provider answered {status}, code {code}."
    if status == _BUSY or status in _OURS:
        wait = _seconds(answer.headers.get("Retry-After", ""))
        return Handover(parcel.delivery_id, "transient", "", code, detail, wait)
    if 400 <= status < 500 and status != _LATE:
        suppress = "stopped" if number == _STOPPED else ""
        return Handover(parcel.delivery_id, "rejected", "", code, detail, None, suppress)
    # It may have failed after it took the message: asking again could say it twice.
    return Handover(parcel.delivery_id, "uncertain", "", code, detail)


def _said(body: bytes) -> dict[str, Any]:
    try:
        said = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _seconds(said: str) -> float | None:
    return float(said) if said.isascii() and said.isdecimal() and len(said) < 7 else None


def _unreached(parcel: Parcel, code: str) -> Handover:
    detail = "The provider cannot be reached; nothing was sent."
    return Handover(parcel.delivery_id, "transient", code=code, detail=detail)


def _silent(parcel: Parcel, is_late: bool) -> Handover:
    detail = "The provider took the request and did not answer."
    code = "no_answer" if is_late else "line_broken"
    return Handover(parcel.delivery_id, "uncertain", code=code, detail=detail)
