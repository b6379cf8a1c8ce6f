import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.test import override_settings

from channels.live.access import (
    SessionLogin,
    StreamAccess,
    StreamOpening,
    StreamRight,
    Viewer,
    check_access,
    session_user,
    viewer_of,
)
from tests.channels.live.conftest import sign_in

pytestmark = pytest.mark.django_db

SARA, HOUSE = "sara", "house"


def login_of(signed_in) -> SessionLogin:
    user = get_user_model().objects.get(pk=signed_in.user.pk)
    session_data = Session.objects.get(pk=signed_in.session).session_data
    opened_with = f"staff:{user.password}" if user.is_staff else user.password
    return SessionLogin(
        signed_in.session,
        session_data,
        user.pk,
        opened_with,
        user.is_staff,
        record_id=None,
        address_kind="email",
        address=user.email,
        live_id=None,
        grouping_version=None,
    )


def opening_of(login: SessionLogin, customer_id: str = SARA) -> dict[str, StreamOpening]:
    return {login.session_key: StreamOpening(customer_id, None, ())}


def test_a_session_made_by_django_is_understood():
    login = login_of(sign_in(None))

    assert session_user(login.session_data) == login.user_id
    assert viewer_of(login) == Viewer(
        session_key=login.session_key,
        user_id=login.user_id,
        session_digest=viewer_of(login).session_digest,
    )


def test_session_is_refused_after_a_password_change():
    login = login_of(sign_in(None))

    assert viewer_of(login._replace(password="another")) is None


def test_a_session_of_somebody_else_is_refused():
    login = login_of(sign_in(None))

    assert viewer_of(login._replace(user_id=login.user_id + 1)) is None


def test_session_with_a_wrong_signature_is_refused():
    login = login_of(sign_in(None))

    assert session_user(login.session_data[:-1]) is None
    assert viewer_of(login._replace(session_data=login.session_data[:-1])) is None


def test_a_session_outlives_a_change_of_the_secret_key_only_as_a_fallback(settings):
    login = login_of(sign_in(None))
    old = settings.SECRET_KEY

    with override_settings(SECRET_KEY="k" * 50, SECRET_KEY_FALLBACKS=[old]):
        assert viewer_of(login) is not None
    with override_settings(SECRET_KEY="k" * 50, SECRET_KEY_FALLBACKS=[]):
        assert viewer_of(login) is None


def judge(
    viewer, right, followed=SARA, *, logins=(), opened=SARA, keys=(), canonical=None
) -> StreamAccess:
    return check_access(
        viewer,
        right,
        followed,
        logins={login.session_key: login for login in logins},
        openings={
            key: opening for login in logins for key, opening in opening_of(login, opened).items()
        },
        keys=frozenset(keys),
        canonical_ids={SARA: SARA} if canonical is None else canonical,
    )


def test_a_stream_goes_on_while_nothing_changes():
    login = login_of(sign_in(None))

    assert judge(viewer_of(login), StreamRight.OWN, logins=[login]) == (True, SARA)
    assert judge(Viewer(key_id=5), StreamRight.EVERY, keys=[5]) == (True, SARA)


def test_a_stream_ends_with_its_key():
    assert not judge(Viewer(key_id=5), StreamRight.EVERY, keys=[6]).is_allowed


def test_a_stream_ends_with_its_session():
    viewer = viewer_of(login_of(sign_in(None)))

    assert not judge(viewer, StreamRight.OWN, logins=[]).is_allowed


def test_a_session_that_was_written_to_is_checked_anew():
    signed_in = sign_in(None)
    login = login_of(signed_in)
    viewer = viewer_of(login)
    rewritten = login._replace(session_data=login_of(signed_in).session_data)
    forged = login._replace(session_data="x")

    assert judge(viewer, StreamRight.OWN, logins=[rewritten]).is_allowed
    assert not judge(viewer, StreamRight.OWN, logins=[forged]).is_allowed


def test_staff_who_are_staff_no_longer_see_nobody():
    staff = login_of(sign_in(None, is_staff=True))
    viewer = viewer_of(staff)

    assert judge(viewer, StreamRight.EVERY, logins=[staff]).is_allowed
    assert not judge(
        viewer, StreamRight.EVERY, logins=[staff._replace(reads_every=False)]
    ).is_allowed


def test_stream_of_a_merged_record_follows_the_canonical_one():
    login = login_of(sign_in(None))

    verdict = judge(
        viewer_of(login), StreamRight.OWN, logins=[login], opened=HOUSE, canonical={SARA: HOUSE}
    )

    assert verdict == (True, HOUSE)


def test_separated_record_ends_the_stream_of_the_merged_one():
    login = login_of(sign_in(None))

    verdict = judge(
        viewer_of(login), StreamRight.OWN, HOUSE, logins=[login], canonical={HOUSE: HOUSE}
    )

    assert not verdict.is_allowed


def test_missing_record_ends_its_streams():
    assert not judge(Viewer(key_id=5), StreamRight.EVERY, keys=[5], canonical={}).is_allowed
