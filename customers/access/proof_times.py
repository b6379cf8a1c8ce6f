"""When a session proved its identifiers.

A session may stay open for weeks, on a phone that others pick up. An address that somebody proved
before is changed at once only by a session that proved it within the last minutes.
"""

from datetime import datetime, timedelta

from django.contrib.sessions.backends.base import SessionBase

from customers.identity.openable_graph import PROVED, OpenableGraph

# The keys of the session data, with times in seconds since 1970: of the sign-in, and of each later
# proof by the id of its identifier.
SIGNED_IN_AT = "signed_in_at"
PROOF_TIMES = "proof_times"
FRESH = timedelta(minutes=15)
# The id of the passkey that opened the session, and when it did.
PASSKEY = "passkey"
PASSKEY_AT = "passkey_at"


def note_sign_in(session: SessionBase, now: datetime) -> None:
    """Store when the session proved the mailbox of its login. The caller saves the session."""
    session[SIGNED_IN_AT] = now.timestamp()


def note_passkey(session: SessionBase, now: datetime, *, passkey_id: int) -> None:
    """Store which passkey opened the session. The caller saves the session.

    A passkey does not show that its holder can still read the mail, so it is no fresh proof of the
    mailbox.
    """
    session[PASSKEY] = passkey_id
    session[PASSKEY_AT] = now.timestamp()


def fresh_passkey(session: SessionBase, now: datetime) -> int | None:
    """Return the passkey that opened the session within the last 15 minutes, or None."""
    is_fresh = session.get(PASSKEY_AT, 0) >= (now - FRESH).timestamp()
    passkey_id: int | None = session.get(PASSKEY)
    return passkey_id if is_fresh else None


def note_proof(
    session: SessionBase, identifier_id: int, graph: OpenableGraph, now: datetime
) -> None:
    """Store that the session proved an identifier. The caller saves the session.

    graph: what the session had proved before
    """
    if identifier_id not in graph.proved:
        session[PROVED] = [*session.get(PROVED, ()), identifier_id]
    session[PROOF_TIMES] = {
        **session.get(PROOF_TIMES, {}),
        str(identifier_id): now.timestamp(),
    }


def forget_proof(session: SessionBase, identifier_id: int | None) -> None:
    """Forget the proof of an address that the customer removed. The caller saves the session.

    identifier_id: None if it took off no address
    """
    session[PROVED] = [id_ for id_ in session.get(PROVED, ()) if id_ != identifier_id]
    times = session.get(PROOF_TIMES, {})
    session[PROOF_TIMES] = {key: at for key, at in times.items() if key != str(identifier_id)}


def fresh_proofs(session: SessionBase, graph: OpenableGraph, now: datetime) -> frozenset[int]:
    """Return the identifiers that the session proved within the last 15 minutes."""
    times = session.get(PROOF_TIMES, {})
    later_proofs = set(session.get(PROVED, ()))
    signed_in_at = session.get(SIGNED_IN_AT, 0)
    earliest = (now - FRESH).timestamp()
    return frozenset(
        id_
        for id_ in graph.proved
        if max(times.get(str(id_), 0), 0 if id_ in later_proofs else signed_in_at) >= earliest
    )
