"""Authenticate the request for a stream by a key, a ticket or a session."""

from channels.live.access import Viewer
from channels.live.credentials import Credential, CredentialKind
from channels.live.event_reader import EventReader
from channels.live.problems import UNAUTHENTICATED, StreamProblem


async def authenticate(event_reader: EventReader, credential: Credential | None) -> Viewer:
    """Return the viewer of a credential. Raises StreamProblem or DatabaseUnavailable."""
    if credential is None:
        raise StreamProblem(*UNAUTHENTICATED)
    kind, secret = credential
    if kind is CredentialKind.KEY:
        key_viewer = await event_reader.viewer_by_key(secret)
        if key_viewer is None:
            raise StreamProblem(*UNAUTHENTICATED)
        viewer, may_read = key_viewer
        if not may_read:
            raise StreamProblem(403, "Not allowed", "This key does not allow reading records.")
        return viewer
    session = await event_reader.redeem_ticket(secret) if kind is CredentialKind.TICKET else secret
    session_viewer = await event_reader.viewer_by_session(session) if session else None
    if session_viewer is None:
        raise StreamProblem(*UNAUTHENTICATED)
    return session_viewer
