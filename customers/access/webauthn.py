"""Makes the options for passkeys, and verifies the answers of authenticators (WebAuthn).

All passkeys are discoverable and verify the user: a finger, a face or a PIN. Butler asks for no
attestation, because it accepts authenticators of all makers. This module reads settings and no
database.
"""

import hashlib
import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from django.conf import settings
from fido2.cose import ES256, RS256, EdDSA
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationConveyancePreference,
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    AuthenticatorTransport,
    CollectedClientData,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

# The longest time between a challenge and its answer.
CHALLENGE_SECONDS = 300
CHALLENGE_LENGTH = 32
_MAX_CREDENTIAL_ID = 1023
_MAX_CREDENTIAL = 4096
# The algorithms that WebAuthn recommends. Every authenticator has one of them.
_ALGORITHMS = (ES256, EdDSA, RS256)
# The errors of the library for bodies that it cannot read.
_UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    struct.error,
    UnsupportedAlgorithm,
)


class InvalidCredential(ValueError):
    """The answer of the authenticator is unreadable, or does not prove the passkey."""


class Creation(NamedTuple):
    """A passkey that an authenticator created."""

    credential_id: bytes
    credential: bytes
    sign_count: int
    is_synced: bool
    transports: tuple[str, ...]


class Assertion(NamedTuple):
    """An answer to a challenge, which `verify` has not checked yet."""

    response: AuthenticationResponse

    @property
    def credential_id(self) -> bytes:
        """The id of the passkey that the answer names."""
        return bytes(self.response.raw_id)

    @property
    def challenge(self) -> bytes:
        """The challenge that the answer names."""
        return bytes(self.response.response.client_data.challenge)

    @property
    def user_handle(self) -> bytes:
        """The random name of the login that the answer names; empty if it names none."""
        return bytes(self.response.response.user_handle or b"")

    @property
    def sign_count(self) -> int:
        """The number of signatures that the authenticator reports."""
        return self.response.response.authenticator_data.counter

    def verify(self, credential: bytes) -> None:
        """Check origin, domain, user verification and signature. Raises InvalidCredential."""
        try:
            _refuse_frames(self.response.response.client_data)
            _server().authenticate_complete(
                _state(self.challenge), [AttestedCredentialData(credential)], self.response
            )
        except _UNREADABLE:
            raise InvalidCredential from None


def creation_options(
    challenge: bytes,
    *,
    user_handle: bytes,
    user_name: str,
    excluded: Sequence[tuple[bytes, Sequence[str]]],
) -> dict[str, Any]:
    """Return PublicKeyCredentialCreationOptions as JSON, for a discoverable passkey.

    excluded: credential ids with their transports, of the passkeys that the login has
    """
    options, _ = _server().register_begin(
        PublicKeyCredentialUserEntity(id=user_handle, name=user_name, display_name=user_name),
        [_descriptor(*credential) for credential in excluded],
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
        challenge=challenge,
        extensions={"credProps": True},
    )
    return _with_timeout(dict(options.public_key))


def request_options(challenge: bytes) -> dict[str, Any]:
    """Return PublicKeyCredentialRequestOptions as JSON. They name no passkey and no login."""
    options, _ = _server().authenticate_begin(
        user_verification=UserVerificationRequirement.REQUIRED,
        challenge=challenge,
    )
    return _with_timeout(dict(options.public_key))


def creation_challenge(credential: Mapping[str, Any]) -> bytes:
    """Return the challenge that a created passkey answers. Raises InvalidCredential."""
    return bytes(_read_creation(credential).response.client_data.challenge)


def verify_creation(credential: Mapping[str, Any]) -> Creation:
    """Return the passkey that an authenticator created. Raises InvalidCredential."""
    response = _read_creation(credential)
    client_data = response.response.client_data
    try:
        _refuse_frames(client_data)
        created = _server().register_complete(_state(client_data.challenge), response)
    except (*_UNREADABLE, AssertionError):
        raise InvalidCredential from None
    stored = created.credential_data
    if stored is None or not _is_usable(stored) or bytes(response.raw_id) != stored.credential_id:
        raise InvalidCredential
    return Creation(
        credential_id=stored.credential_id,
        credential=bytes(stored),
        sign_count=created.counter,
        is_synced=bool(created.flags & AuthenticatorData.FLAG.BE),
        transports=_transports(credential),
    )


def read_assertion(credential: Mapping[str, Any]) -> Assertion:
    """Return the answer of an authenticator to a sign-in. Raises InvalidCredential."""
    try:
        return Assertion(AuthenticationResponse.from_dict(credential))
    except _UNREADABLE:
        raise InvalidCredential from None


def unknown_credential(credential_id: bytes) -> bytes:
    """Return a credential with this id and a key that signed nothing.

    The answer for an unknown passkey takes as long as that for a wrong signature.
    """
    return bytes(AttestedCredentialData.create(Aaguid.NONE, credential_id, _UNKNOWN_KEY))


_UNKNOWN_KEY = ES256.from_cryptography_key(  # type: ignore[no-untyped-call]
    generate_private_key(SECP256R1()).public_key()
)


def _read_creation(credential: Mapping[str, Any]) -> RegistrationResponse:
    try:
        return RegistrationResponse.from_dict(credential)
    except _UNREADABLE:
        raise InvalidCredential from None


def _server() -> Fido2Server:
    domain = settings.BUTLER_PASSKEY_DOMAIN
    server = Fido2Server(
        PublicKeyCredentialRpEntity(id=domain, name=settings.BUTLER_COMPANY),
        attestation=AttestationConveyancePreference.NONE,
        verify_origin=lambda origin: origin in settings.BUTLER_PASSKEY_ORIGINS,
    )
    server.allowed_algorithms = [
        PublicKeyCredentialParameters(
            type=PublicKeyCredentialType.PUBLIC_KEY, alg=algorithm.ALGORITHM
        )
        for algorithm in _ALGORITHMS
    ]
    return server


def _state(challenge: bytes) -> dict[str, Any]:
    return {
        "challenge": websafe_encode(challenge),
        "user_verification": UserVerificationRequirement.REQUIRED,
    }


def _refuse_frames(client_data: CollectedClientData) -> None:
    """Refuse an answer that a frame in a page of another site got."""
    if client_data.cross_origin:
        raise InvalidCredential


def _is_usable(credential: AttestedCredentialData) -> bool:
    """Tell whether the key has an algorithm that we asked for, and a size that we store."""
    return (
        type(credential.public_key) in _ALGORITHMS
        and len(credential.credential_id) <= _MAX_CREDENTIAL_ID
        and len(credential) <= _MAX_CREDENTIAL
    )


def _transports(credential: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the transports that the browser named and WebAuthn defines."""
    response = credential.get("response")
    names = response.get("transports") if isinstance(response, Mapping) else None
    if not isinstance(names, list):
        return ()
    return tuple(transport.value for transport in AuthenticatorTransport if transport in names)


def _descriptor(credential_id: bytes, transports: Sequence[str]) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor.from_dict(
        {
            "type": PublicKeyCredentialType.PUBLIC_KEY,
            "id": websafe_encode(credential_id),
            "transports": list(transports),
        }
    )


def _with_timeout(options: dict[str, Any]) -> dict[str, Any]:
    return {**options, "timeout": CHALLENGE_SECONDS * 1000}


def digest(purpose: str, value: bytes) -> bytes:
    """Return the digest of a challenge or of what it is bound to."""
    return hashlib.blake2b(value, digest_size=32, person=purpose.encode()).digest()
