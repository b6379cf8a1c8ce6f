"""The addresses under /api/. Those of a record exist twice: with its id, and under `me/`."""

from django.urls import URLPattern, URLResolver, include, path

from customers.api import (
    accounts,
    address_refusals,
    addresses,
    earlier_history,
    erasure,
    identity,
    numbering,
    open_order_requests,
    order_cancellations,
    order_requests,
    orders,
    parties,
    passkey_sign_in,
    passkeys,
    path_converters,
    quarantine,
    records,
    refiling,
    requests,
    reviews,
    sessions,
    sign_in,
    tickets,
)

# Importing path_converters registers the converter `number`.
__all__ = ["path_converters", "urlpatterns"]

_record_paths: list[URLPattern | URLResolver] = [
    path("", records.RecordView.as_view(), name="record"),
    path("timeline/", records.TimelineView.as_view(), name="timeline"),
    path("interactions/", records.InteractionsView.as_view(), name="interactions"),
    path("orders/", orders.OrdersView.as_view(), name="orders"),
    # The longer paths come before the path of the order, because an order number may contain any
    # character.
    path(
        "orders/<number:number>/lines/<number:line>/cancel/",
        order_cancellations.CancelLineView.as_view(),
        name="order-line-cancel",
    ),
    path(
        "orders/<number:number>/cancel/",
        order_cancellations.CancelView.as_view(),
        name="order-cancel",
    ),
    path(
        "orders/<number:number>/history/", orders.OrderHistoryView.as_view(), name="order-history"
    ),
    path("orders/<number:number>/tickets/", tickets.TicketsView.as_view(), name="order-tickets"),
    path("orders/<number:number>/", orders.OrderView.as_view(), name="order"),
    path("party/", parties.PartyView.as_view(), name="party"),
    path("party/<number:reference>/", parties.MemberView.as_view(), name="party-member"),
    path("requests/", requests.RequestsView.as_view(), name="requests"),
    path("requests/<number:reference>/close/", requests.CloseView.as_view(), name="request-close"),
    path("merges/", reviews.MergesView.as_view(), name="merges"),
    path("identifiers/", identity.IdentifiersView.as_view(), name="identifiers"),
]

urlpatterns = [
    path(
        "orders/requests/",
        open_order_requests.OpenOrderRequestsView.as_view(),
        name="order-requests",
    ),
    path(
        "orders/requests/<uuid:request_id>/confirm/",
        open_order_requests.ConfirmRequestView.as_view(),
        name="order-request-confirm",
    ),
    path(
        "orders/requests/<uuid:request_id>/decline/",
        open_order_requests.DeclineRequestView.as_view(),
        name="order-request-decline",
    ),
    # Not under me/: customers cannot confirm orders. Before the path of the order, as above.
    path(
        "customers/<uuid:customer_id>/orders/<number:number>/confirm/",
        order_requests.ConfirmOrderRequestView.as_view(),
        name="order-confirm",
    ),
    path(
        "customers/<uuid:customer_id>/orders/<number:number>/decline/",
        order_requests.DeclineOrderRequestView.as_view(),
        name="order-decline",
    ),
    path(
        "customers/<uuid:customer_id>/earlier-history/open/",
        earlier_history.OpenHistoryView.as_view(),
        name="earlier-history-open",
    ),
    path("customers/<uuid:customer_id>/erase/", erasure.EraseView.as_view(), name="erase"),
    path("customers/<uuid:customer_id>/", include((_record_paths, "customer"))),
    path("me/", include((_record_paths, "me"))),
    path(
        "address-refusals/",
        address_refusals.AddressRefusalsView.as_view(),
        name="address-refusals",
    ),
    path("customers/search/", records.SearchView.as_view(), name="search"),
    path("customers/", records.CustomersView.as_view(), name="customers"),
    path("sign-in/", sign_in.SignInView.as_view(), name="sign-in"),
    path(
        "sign-in/passkey/options/",
        passkey_sign_in.PasskeySignInOptionsView.as_view(),
        name="passkey-sign-in-options",
    ),
    path("sign-in/passkey/", passkey_sign_in.PasskeySignInView.as_view(), name="passkey-sign-in"),
    path("me/accounts/", accounts.AccountsView.as_view(), name="accounts"),
    path("me/accounts/join/", accounts.JoinAccountsView.as_view(), name="accounts-join"),
    path(
        "me/accounts/<int:account_id>/open/",
        accounts.OpenAccountView.as_view(),
        name="account-open",
    ),
    path(
        "me/accounts/<int:account_id>/refuse/",
        accounts.RefuseAccountView.as_view(),
        name="account-refuse",
    ),
    path("me/addresses/", addresses.AddressesView.as_view(), name="addresses"),
    path("me/addresses/confirm/", addresses.ConfirmAddressView.as_view(), name="address-confirm"),
    path("me/addresses/<int:address_id>/", addresses.AddressView.as_view(), name="address"),
    path(
        "me/addresses/<int:address_id>/join/",
        addresses.JoinAddressView.as_view(),
        name="address-join",
    ),
    path(
        "me/addresses/<int:address_id>/prefer/",
        addresses.PreferAddressView.as_view(),
        name="address-prefer",
    ),
    path("me/addresses/<int:address_id>/lift/", addresses.LiftView.as_view(), name="address-lift"),
    path(
        "me/addresses/changes/<int:change_id>/",
        addresses.ChangeView.as_view(),
        name="address-change",
    ),
    path(
        "me/addresses/changes/<int:change_id>/release/",
        addresses.ReleaseChangeView.as_view(),
        name="address-change-release",
    ),
    path("me/passkeys/", passkeys.PasskeysView.as_view(), name="passkeys"),
    path("me/passkeys/options/", passkeys.PasskeyOptionsView.as_view(), name="passkey-options"),
    path("me/passkeys/<int:passkey_id>/", passkeys.PasskeyView.as_view(), name="passkey"),
    path(
        "me/earlier-history/",
        earlier_history.EarlierHistoryView.as_view(),
        name="earlier-history",
    ),
    path("me/sessions/", sessions.SessionsView.as_view(), name="sessions"),
    path("me/sessions/<int:session_id>/", sessions.SessionView.as_view(), name="session"),
    path(
        "customers/<uuid:customer_id>/merges/<int:merge_id>/undo/",
        reviews.UndoMergeView.as_view(),
        name="merge-undo",
    ),
    path(
        "customers/<uuid:customer_id>/decisions/",
        identity.DecisionsView.as_view(),
        name="decisions",
    ),
    path(
        "customers/<uuid:customer_id>/decisions/<int:decision_id>/undo/",
        identity.UndoDecisionView.as_view(),
        name="decision-undo",
    ),
    path(
        "customers/<uuid:customer_id>/timeline/<uuid:log>/<int:version>/refile/",
        refiling.RefileView.as_view(),
        name="event-refile",
    ),
    path(
        "numbering-questions/",
        numbering.NumberingQuestionsView.as_view(),
        name="numbering-questions",
    ),
    path(
        "numbering-questions/<int:question_id>/answer/",
        numbering.AnswerQuestionView.as_view(),
        name="numbering-answer",
    ),
    path("reviews/", reviews.ReviewsView.as_view(), name="reviews"),
    path("reviews/<int:review_id>/", reviews.ReviewView.as_view(), name="review"),
    path(
        "reviews/<int:review_id>/accept/", reviews.AcceptReviewView.as_view(), name="review-accept"
    ),
    path(
        "reviews/<int:review_id>/decline/",
        reviews.DeclineReviewView.as_view(),
        name="review-decline",
    ),
    path("quarantine/", quarantine.QuarantineView.as_view(), name="quarantine"),
    path(
        "quarantine/<int:item_id>/",
        quarantine.QuarantinedItemView.as_view(),
        name="quarantine-item",
    ),
]
