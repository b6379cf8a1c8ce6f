from django.urls import path

from channels.console.views import (
    addresses,
    calls,
    codes,
    customer_views,
    customers,
    history,
    home,
    identity,
    merge_search,
    merges,
    order_actions,
    orders,
    preferences,
    refiling,
    sign_in,
    sources,
    switches,
    tasks,
    topics,
)
from customers.api import path_converters

# path_converters is imported because it registers the converter "number".
__all__ = ["app_name", "path_converters", "urlpatterns"]

app_name = "console"
urlpatterns = [
    path("", home.home, name="home"),
    path("keys/", home.shortcuts, name="shortcuts"),
    path("codes/", codes.show_or_renew, name="recovery-codes"),
    path("sign-in/", sign_in.check_password, name="sign-in"),
    path("sign-in/code/", sign_in.check_code, name="sign-in-code"),
    path("sign-in/set-up/", sign_in.set_up_second_factor, name="set-up"),
    path("sign-out/", sign_in.sign_out, name="sign-out"),
    path("search/", customers.search_customers, name="search"),
    path("customers/<uuid:customer_id>/", customers.show_customer, name="customer"),
    path("customers/<uuid:customer_id>/access-log/", customers.access_log, name="access-log"),
    path(
        "customers/<uuid:customer_id>/preferences/",
        preferences.show_preferences,
        name="preferences",
    ),
    path(
        "customers/<uuid:customer_id>/preferences/<slug:name>/",
        preferences.change,
        name="preference-change",
    ),
    path("customers/<uuid:customer_id>/as-customer/", customer_views.show, name="as-customer"),
    path("address-changes/", addresses.list_changes, name="address-changes"),
    path("customers/<uuid:customer_id>/addresses/", addresses.show_addresses, name="addresses"),
    path(
        "customers/<uuid:customer_id>/addresses/propose/", addresses.propose, name="address-propose"
    ),
    path(
        "customers/<uuid:customer_id>/addresses/changes/<int:change_id>/",
        addresses.decide,
        name="address-decide",
    ),
    path("customers/<uuid:customer_id>/new-order/", orders.new, name="order-new"),
    path("customers/<uuid:customer_id>/orders/", history.list_orders, name="orders"),
    path("customers/<uuid:customer_id>/timeline/", history.show_timeline, name="timeline"),
    path(
        "customers/<uuid:customer_id>/timeline/<uuid:log>/<int:version>/move/",
        refiling.move_event,
        name="event-move",
    ),
    path(
        "customers/<uuid:customer_id>/timeline/<uuid:log>/<int:version>/move/undo/",
        refiling.undo_move,
        name="event-move-undo",
    ),
    path("customers/<uuid:customer_id>/decisions/", history.list_decisions, name="decisions"),
    # The paths below an order come before the order, whose number may contain slashes.
    path(
        "customers/<uuid:customer_id>/orders/<number:number>/lines/<number:line>/cancel/",
        order_actions.cancel_line,
        name="order-line-cancel",
    ),
    path(
        "customers/<uuid:customer_id>/orders/<number:number>/cancel/",
        order_actions.cancel,
        name="order-cancel",
    ),
    path(
        "customers/<uuid:customer_id>/orders/<number:number>/codes/replace/",
        order_actions.replace_codes,
        name="order-codes-replace",
    ),
    path(
        "customers/<uuid:customer_id>/orders/<number:number>/confirm/",
        order_actions.confirm,
        name="order-confirm",
    ),
    path(
        "customers/<uuid:customer_id>/orders/<number:number>/decline/",
        order_actions.decline,
        name="order-decline",
    ),
    path("customers/<uuid:customer_id>/orders/<number:number>/", orders.change, name="order"),
    path(
        "customers/<uuid:customer_id>/merges/<int:merge_id>/undo/", merges.undo, name="merge-undo"
    ),
    path("customers/<uuid:customer_id>/identity/", identity.show_identity, name="identity"),
    path(
        "customers/<uuid:customer_id>/identity/merge/",
        merge_search.choose_record,
        name="merge-search",
    ),
    path("customers/<uuid:customer_id>/identity/decide/", identity.decide, name="decide"),
    path(
        "customers/<uuid:customer_id>/identity/<int:decision_id>/undo/",
        identity.undo,
        name="decision-undo",
    ),
    path("order-requests/", order_actions.list_requests, name="order-requests"),
    path("calls/", calls.list_ringing, name="calls"),
    path("calls/<number:reference>/open/", calls.open_caller, name="call-open"),
    path("calls/<number:reference>/", calls.answer, name="call"),
    path(
        "customers/<uuid:customer_id>/calls/<number:reference>/move/",
        calls.move_call,
        name="call-move",
    ),
    path("tasks/", tasks.list_tasks, name="tasks"),
    path("tasks/<uuid:task_id>/take/", tasks.take, name="task-take"),
    path("tasks/<uuid:task_id>/give-back/", tasks.give_back, name="task-give-back"),
    path("tasks/<uuid:task_id>/finish/", tasks.finish, name="task-finish"),
    path("merges/", merges.list_reviews, name="merges"),
    path("merges/<int:review_id>/", merges.compare, name="merge"),
    path("merges/<int:review_id>/accept/", merges.accept, name="merge-accept"),
    path("merges/<int:review_id>/decline/", merges.decline, name="merge-decline"),
    path("topics/", topics.list_topics, name="topics"),
    path("topics/status/", topics.set_topic_status, name="topic-status"),
    path("sources/", sources.list_sources, name="sources"),
    path("sources/questions/<int:question_id>/", sources.answer_question, name="numbering-answer"),
    path("switches/", switches.list_switches, name="switches"),
    path("switches/engage/", switches.engage, name="switch-engage"),
    path("switches/release/", switches.release, name="switch-release"),
]
