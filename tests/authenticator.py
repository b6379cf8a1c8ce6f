"""A software authenticator, which creates passkeys and signs with them as a phone or a browser does."""

import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field, replace
from typing import Any, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.utils import websafe_decode, websafe_encode

ORIGIN = "http://localhost:8000"
_PRESENT, _VERIFIED, _SYNCABLE, _SYNCED, _NEW_KEY = 0x01, 0x04, 0x08, 0x10, 0x40


@dataclass
class Authenticator:
    """A device of a customer with at most one passkey. Its fields are what an attacker may forge."""

    origin: str = ORIGIN
    # The domain that it signs; empty for that of the options.
    domain: str = ""
    verifies_user: bool = True
    is_synced: bool = False
    is_in_frame: bool = False
    # The signatures so far; None counts none.
    count: int | None = None
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    user_handle: bytes = b""

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to the options for a new passkey."""
        self.user_handle = websafe_decode(options["user"]["id"])
        domain = self.domain or options["rp"]["id"]
        attestation = {
            "fmt": "none",
            "attStmt": {},
            "authData": self._authenticator_bytes(domain, new=True),
        }
        return self._credential(
            clientDataJSON=self._client_bytes("webauthn.create", options["challenge"]),
            attestationObject=cbor.encode(attestation),
            transports=["internal", "hybrid", "telepathy"],
        )

    def sign(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to the options for a sign-in."""
        if self.count is not None:
            self.count += 1
        signed = self._authenticator_bytes(self.domain or options["rpId"])
        client = self._client_bytes("webauthn.get", options["challenge"])
        signature = self.key.sign(
            signed + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256())
        )
        return self._credential(
            clientDataJSON=client,
            authenticatorData=signed,
            signature=signature,
            userHandle=self.user_handle,
        )

    def copy(self, **changes: Any) -> Self:
        """Return a copy of the device with its key, such as a clone or a forgery."""
        return replace(self, **changes)

    def _client_bytes(self, kind: str, challenge: str) -> bytes:
        client = {
            "type": kind,
            "challenge": challenge,
            "origin": self.origin,
            "crossOrigin": self.is_in_frame,
        }
        return json.dumps(client, separators=(",", ":")).encode()

    def _authenticator_bytes(self, domain: str, *, new: bool = False) -> bytes:
        flags = _PRESENT | (_VERIFIED if self.verifies_user else 0)
        flags |= _SYNCABLE | _SYNCED if self.is_synced else 0
        flags |= _NEW_KEY if new else 0
        head = hashlib.sha256(domain.encode()).digest() + struct.pack(">BI", flags, self.count or 0)
        return head + (self._new_key() if new else b"")

    def _new_key(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        public_key = {
            1: 2,
            3: -7,
            -1: 1,
            -2: numbers.x.to_bytes(32),
            -3: numbers.y.to_bytes(32),
        }
        length = struct.pack(">H", len(self.credential_id))
        return bytes(16) + length + self.credential_id + cbor.encode(public_key)

    def _credential(self, **response: Any) -> dict[str, Any]:
        encoded = {
            name: websafe_encode(value) if isinstance(value, bytes) else value
            for name, value in response.items()
        }
        return {
            "id": websafe_encode(self.credential_id),
            "rawId": websafe_encode(self.credential_id),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": encoded,
        }
