"""Authenticate the request for a stream by a key, a ticket, an identity token or a session."""

from channels.live.access import Viewer
from channels.live.credentials import Credential, CredentialKind
from channels.live.event_reader import EventReader
from channels.live.problems import UNAUTHENTICATED, StreamProblem
from customers.access import keys
from customers.access.identity_tokens import InvalidToken
from customers.access.keys import READ_FOR


async def authenticate(event_reader: EventReader, credential: Credential | None) -> Viewer:
    """Return the viewer of a credential. Raises StreamProblem or DatabaseUnavailable."""
    if credential is None:
        raise StreamProblem(*UNAUTHENTICATED)
    if credential.kind is CredentialKind.KEY:
        return await _viewer_by_key(event_reader, credential)
    if credential.kind is CredentialKind.IDENTITY_TOKEN:
        try:
            return await event_reader.accounts.viewer_by_token(credential.text)
        except InvalidToken as error:
            status, title, _ = UNAUTHENTICATED
            raise StreamProblem(status, title, error.detail) from None
    if credential.kind is CredentialKind.TICKET:
        viewer = await event_reader.viewer_by_ticket(credential.text)
    else:
        viewer = await event_reader.viewer_by_session(credential.text)
    if viewer is None:
        raise StreamProblem(*UNAUTHENTICATED)
    return viewer


async def _viewer_by_key(event_reader: EventReader, credential: Credential) -> Viewer:
    """Return the viewer of a key, which reads every record or one account."""
    digest = keys.digest(credential.text)
    key = await event_reader.accounts.find_key(digest)
    if key is None:
        raise StreamProblem(*UNAUTHENTICATED)
    if credential.account is not None:
        if not key.may_read_for:
            raise StreamProblem(403, "Not allowed", f"This key does not have the scope {READ_FOR}.")
        return await event_reader.accounts.viewer_for(credential.account, key, key_digest=digest)
    if not key.may_read:
        raise StreamProblem(403, "Not allowed", "This key does not allow reading records.")
    return key.viewer
