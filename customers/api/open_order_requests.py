"""Endpoints with which staff and sources list and answer the requests of customers about orders."""

from collections.abc import Callable
from typing import ClassVar
from uuid import UUID

from django.http import Http404, HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from customers.access.permissions import Right, request_principal
from customers.actions import order_requests
from customers.actions.orders import OrderTarget
from customers.api import schema
from customers.api.base import (
    ApiView,
    expected_version,
    idempotent_response,
    log_request_access,
    page_parameters,
    page_response,
    read_body,
)
from customers.api.changes import PROBLEMS, change_response, request_author
from customers.api.order_cancellations import CancellationReason
from customers.api.order_changes import describe_order_change, is_customer
from customers.queries import open_requests
from customers.queries.open_requests import OpenOrderRequestShape
from customers.types import IngestOutcome


class OpenOrderRequestsView(ApiView):
    """The requests about orders that wait for an answer."""

    rights: ClassVar = {"GET": Right.CHANGE_ORDER}

    @schema.describe(
        "List the requests about orders that wait for an answer; a key gets those that it may answer",
        answer=schema.pages_of(OpenOrderRequestShape),
        parameters=schema.PAGING,
        tags=("orders",),
    )
    def get(self, request: Request) -> HttpResponse:
        _hide_from_customers(request)
        cursor, limit = page_parameters(request)
        sender = request_principal(request).sender
        page = open_requests.open_order_requests(sender, cursor=cursor, limit=limit)
        log_request_access(request, {open_request.customer for open_request in page.results})
        return page_response(request, page)


class _AnswerView(ApiView):
    rights: ClassVar = {"POST": Right.CHANGE_ORDER}
    problems = PROBLEMS

    def answer(
        self,
        request: Request,
        request_id: UUID,
        answer: Callable[[OrderTarget], IngestOutcome],
    ) -> HttpResponse:
        """Answer a request once; raise Http404 if the caller may not see or answer it."""
        _hide_from_customers(request)
        order = order_requests.find_order(request_id)
        author = request_author(request)
        if order is None or not order_requests.may_answer(order, author.sender):
            raise Http404
        target = OrderTarget(
            order.customer_id, order.number, author, timezone.now(), expected_version(request)
        )
        return idempotent_response(request, lambda: change_response(answer(target)))


class ConfirmRequestView(_AnswerView):
    """Confirms one request."""

    @describe_order_change("Confirm one request: place the order, or make the requested change")
    def post(self, request: Request, request_id: UUID) -> HttpResponse:
        return self.answer(
            request,
            request_id,
            lambda target: order_requests.confirm_request(
                target=target, request_id=str(request_id)
            ),
        )


class DeclineRequestView(_AnswerView):
    """Declines one request."""

    @describe_order_change(
        "Decline one request, with a reason that the customer reads", body=CancellationReason
    )
    def post(self, request: Request, request_id: UUID) -> HttpResponse:
        reason = read_body(request, CancellationReason).reason
        return self.answer(
            request,
            request_id,
            lambda target: order_requests.decline_request(
                target=target, request_id=str(request_id), reason=reason
            ),
        )


def _hide_from_customers(request: Request) -> None:
    """Raise Http404 for a customer, so that the answer does not show whether the request exists."""
    if is_customer(request):
        raise Http404
