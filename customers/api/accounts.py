"""The accounts that a session opens, and those that state its mailbox and stay closed."""

from typing import ClassVar

import msgspec
from django.contrib.sessions.backends.base import SessionBase
from django.http import Http404, HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from customers.access.accounts import read_accounts
from customers.access.permissions import Right
from customers.actions import own_accounts
from customers.actions.address_changes import ChangesFrozen
from customers.actions.earlier_history import HistoryClosed
from customers.api import schema
from customers.api.addresses import PROBLEMS
from customers.api.base import history_closed, shape_response
from customers.api.own_login import OwnLoginView
from customers.api.problems import Problem
from customers.models import User

_TAGS = ("accounts",)
_AUTH = ["token", "cookie"]


class AccountShape(msgspec.Struct, frozen=True):
    """A record that the session opens: its sources, and the end of its account number."""

    id: int
    sources: tuple[str, ...]
    number: str
    is_open: bool


class ClosedAccountShape(msgspec.Struct, frozen=True):
    """An account that states the address of the session, and stays closed."""

    id: int
    source: str


class AccountsShape(msgspec.Struct, frozen=True):
    """The accounts of a session. With several and none open, choose one."""

    accounts: tuple[AccountShape, ...]
    closed: tuple[ClosedAccountShape, ...]
    # The address has more accounts than these lists show.
    has_more: bool


class AccountsView(OwnLoginView):
    """The accounts of the session."""

    rights: ClassVar = {"GET": Right.OWN_LOGIN}

    @schema.describe(
        "List the accounts that you can open, and those that only state your address",
        answer=schema.shape(AccountsShape),
        tags=_TAGS,
        auth=_AUTH,
    )
    def get(self, request: Request) -> HttpResponse:
        return _accounts_response(*self.session(request))


class OpenAccountView(OwnLoginView):
    """Opens one of several accounts."""

    rights: ClassVar = {"POST": Right.OWN_LOGIN}

    @schema.describe(
        "Open one of your accounts in this session",
        answer=schema.shape(AccountsShape),
        tags=_TAGS,
        auth=_AUTH,
    )
    def post(self, request: Request, account_id: int) -> HttpResponse:
        user, session = self.session(request)
        try:
            own_accounts.choose_account(user, session, account_id)
        except own_accounts.NoSuchAccount:
            raise Http404 from None
        session.save()
        return _accounts_response(user, session)


class RefuseAccountView(OwnLoginView):
    """Takes the address off an account of somebody else."""

    rights: ClassVar = {"POST": Right.OWN_LOGIN}

    @schema.describe(
        "Say that an account with your address is not yours",
        answer=schema.shape(AccountsShape),
        problems=(409,),
        tags=_TAGS,
        auth=_AUTH,
    )
    def post(self, request: Request, account_id: int) -> HttpResponse:
        user, session = self.session(request)
        try:
            own_accounts.refuse_account(user, session, account_id, now=timezone.now())
        except own_accounts.NoSuchAccount:
            raise Http404 from None
        except own_accounts.OldProof:
            raise _confirm_again("refuse the account") from None
        session.save()
        return _accounts_response(user, session)


class JoinAccountsView(OwnLoginView):
    """Joins the accounts of the session."""

    rights: ClassVar = {"POST": Right.OWN_LOGIN}

    @schema.describe(
        "Say that all accounts that you can open are yours; they become one record",
        answer=schema.shape(AccountsShape),
        problems=(409,),
        tags=_TAGS,
        auth=_AUTH,
    )
    def post(self, request: Request) -> HttpResponse:
        user, session = self.session(request)
        try:
            own_accounts.join_accounts(user, session, now=timezone.now())
        except own_accounts.OldProof:
            raise _confirm_again("join the accounts") from None
        except ChangesFrozen as error:
            raise PROBLEMS[ChangesFrozen](error) from None
        except HistoryClosed:
            raise history_closed() from None
        return _accounts_response(user, session)


def _confirm_again(step: str) -> Problem:
    return Problem(409, "confirm-again", f"Confirm your addresses again, then {step}.")


def _accounts_response(user: User, session: SessionBase) -> HttpResponse:
    """Return the accounts of the session, as they are after the request."""
    accounts = read_accounts(user, session)
    shape = AccountsShape(
        accounts=tuple(
            AccountShape(choice.account_id, choice.sources, choice.masked_number, choice.is_chosen)
            for choice in accounts.choices
        ),
        closed=tuple(ClosedAccountShape(*account) for account in accounts.closed),
        has_more=accounts.has_more,
    )
    return shape_response(shape)
