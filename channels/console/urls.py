from django.urls import path

from channels.console.views import (
    calls,
    codes,
    customers,
    history,
    home,
    merges,
    orders,
    preferences,
    sign_in,
    switches,
    tasks,
    topics,
)
from customers.api import path_converters

# What is imported for the converter that it registers.
__all__ = ["app_name", "path_converters", "urlpatterns"]

app_name = "console"
urlpatterns = [
    path("", home.home, name="home"),
    path("keys/", home.keys, name="keys"),
    path("codes/", codes.codes, name="codes"),
    path("sign-in/", sign_in.ask, name="sign-in"),
    path("sign-in/code/", sign_in.prove, name="code"),
    path("sign-in/set-up/", sign_in.set_up, name="set-up"),
    path("sign-out/", sign_in.leave, name="sign-out"),
    path("search/", customers.find, name="search"),
    path("customers/<uuid:customer_id>/", customers.show, name="customer"),
    path("customers/<uuid:customer_id>/looks/", customers.looks, name="looks"),
    path("customers/<uuid:customer_id>/wishes/", preferences.show, name="wishes"),
    path("customers/<uuid:customer_id>/wishes/<slug:what>/", preferences.say, name="wish"),
    path("customers/<uuid:customer_id>/new-order/", orders.new, name="order-new"),
    path("customers/<uuid:customer_id>/orders/", history.orders, name="orders"),
    path("customers/<uuid:customer_id>/happened/", history.happened, name="happened"),
    path("customers/<uuid:customer_id>/told/", history.told, name="told"),
    # What is of an order comes before the order: its number may have anything in it.
    path(
        "customers/<uuid:customer_id>/orders/<number:number>/lines/<number:line>/cancel/",
        orders.cancel_line,
        name="order-line-cancel",
    ),
    path(
        "customers/<uuid:customer_id>/orders/<number:number>/cancel/",
        orders.cancel,
        name="order-cancel",
    ),
    path(
        "customers/<uuid:customer_id>/orders/<number:number>/confirm/",
        orders.confirm,
        name="order-confirm",
    ),
    path(
        "customers/<uuid:customer_id>/orders/<number:number>/decline/",
        orders.decline,
        name="order-decline",
    ),
    path("customers/<uuid:customer_id>/orders/<number:number>/", orders.change, name="order"),
    path(
        "customers/<uuid:customer_id>/merges/<int:merge_id>/part/", merges.part, name="merge-part"
    ),
    path("calls/", calls.ringing, name="calls"),
    path("calls/<number:reference>/", calls.answer, name="call"),
    path("tasks/", tasks.listing, name="tasks"),
    path("tasks/<uuid:task_id>/take/", tasks.take, name="task-take"),
    path("tasks/<uuid:task_id>/give-back/", tasks.give_back, name="task-give-back"),
    path("tasks/<uuid:task_id>/finish/", tasks.finish, name="task-finish"),
    path("merges/", merges.listing, name="merges"),
    path("merges/<int:review_id>/", merges.compare, name="merge"),
    path("merges/<int:review_id>/join/", merges.join, name="merge-join"),
    path("merges/<int:review_id>/apart/", merges.keep_apart, name="merge-apart"),
    path("topics/", topics.listing, name="topics"),
    path("topics/say/", topics.say, name="topic-say"),
    path("switches/", switches.listing, name="switches"),
    path("switches/throw/", switches.throw, name="switch-throw"),
    path("switches/lift/", switches.lift, name="switch-lift"),
]
