"""The routes of butler under /api/. Routes about a record exist under customers/<id>/ and me/."""

from django.urls import URLPattern, URLResolver, include, path

from butler.api import address_changes, consents, ledger, messages, preferences, tasks, topics

# The access log stores the names of these routes, and its entries never change. Do not rename.
_record_paths: list[URLPattern | URLResolver] = [
    path("messages/", messages.MessagesView.as_view(), name="messages"),
    path("messages/<uuid:message_id>/", messages.MessageView.as_view(), name="message"),
    path(
        "messages/<uuid:message_id>/read/",
        messages.MarkMessageReadView.as_view(),
        name="message-read",
    ),
    path("consents/", consents.ConsentsView.as_view(), name="consents"),
    path("consents/<str:purpose>/", consents.ConsentView.as_view(), name="consent"),
    path("objections/<str:subject>/", consents.ObjectionView.as_view(), name="objection"),
    path("preferences/", preferences.PreferencesView.as_view(), name="preferences"),
    path("ledger/", ledger.LedgerView.as_view(), name="ledger"),
    path("ledger/export/", ledger.ExportView.as_view(), name="ledger-export"),
    path("receipts/<uuid:entry_id>/", ledger.ReceiptView.as_view(), name="receipt"),
    path("why/", messages.DecisionsView.as_view(), name="why"),
    path("access-log/", messages.AccessLogView.as_view(), name="access-log"),
]

urlpatterns = [
    # Staff end a frozen change. A customer with an earlier passkey does it under me/addresses/.
    path(
        "customers/<uuid:customer_id>/address-changes/",
        address_changes.AddressChangesView.as_view(),
        name="address-changes",
    ),
    path(
        "customers/<uuid:customer_id>/address-changes/<int:change_id>/decide/",
        address_changes.DecideChangeView.as_view(),
        name="address-change-decide",
    ),
    path(
        "customers/<uuid:customer_id>/suppressions/lift/",
        address_changes.LiftSuppressionsView.as_view(),
        name="suppressions-lift",
    ),
    path("customers/<uuid:customer_id>/", include((_record_paths, "butler-customer"))),
    path("me/", include((_record_paths, "butler-me"))),
    path("topics/", topics.TopicsView.as_view(), name="topics"),
    path("topics/<str:key>/", topics.TopicView.as_view(), name="topic"),
    path("tasks/", tasks.TasksView.as_view(), name="tasks"),
    path("tasks/<uuid:task_id>/", tasks.TaskView.as_view(), name="task"),
    path("tasks/<uuid:task_id>/take/", tasks.TakeView.as_view(), name="task-take"),
    path("tasks/<uuid:task_id>/give-back/", tasks.GiveBackView.as_view(), name="task-give-back"),
    path("tasks/<uuid:task_id>/finish/", tasks.FinishView.as_view(), name="task-finish"),
]
