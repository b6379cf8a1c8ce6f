"""Shared steps of the staff journeys: an incoming call, and the page of Noor."""

import secrets

NOORS_PHONE = "+46701740605"


def ring(desk, number: str, event: str = "newCall", call: str = "") -> str:
    call = call or secrets.token_hex(6)
    answer = desk.post(
        "/v1/phone/calls",
        json={
            "event": event,
            "callId": call,
            "from": number,
            "to": "+442079460000",
            "direction": "in",
        },
    )
    assert answer.status_code == 200, answer.text
    return call


def noors_page(desk) -> str:
    customers = desk.get("/api/customers/?identifier=email:noor@example.com").json()["results"]
    return f"/console/customers/{customers[0]['id']}/"
