"""The administrator's tables.

The administration only shows records. Only events change them, through the API or a channel.
"""

from contextlib import suppress
from http import HTTPStatus
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm

from customers.actions.sign_in import end_sessions
from customers.identity import lookup
from customers.models import (
    BlockedValue,
    Customer,
    Identifier,
    Merge,
    QuarantinedItem,
    Review,
    Source,
    SourceKey,
    User,
)
from customers.read_only_admin import (
    ReadOnlyAdmin,
    ReadOnlyAdminMixin,
    log_admin_access,
    record_link,
)

# The key of a session gives the rights of its login, and an administrator must not mark an address
# of a login as proved. So the administration has no pages for sessions and addresses, and its own
# page for second factors.
for _model in (UserSession, EmailAddress, Authenticator):
    admin.site.unregister(_model)


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """Second factors. Administrators can delete one if a phone is lost, but not see its secret."""

    list_display = ("login", "name", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__email", "user__name")
    fields = list_display

    @admin.display
    def login(self, factor: Authenticator) -> str:
        """Return the e-mail address of the login."""
        return str(factor.user.email)

    @admin.display
    def name(self, factor: Authenticator) -> str:
        return str(factor.user.name)

    def has_delete_permission(self, request: HttpRequest, row: Any = None) -> bool:
        return request.user.has_perm("mfa.delete_authenticator")

    # A person who found or stole the phone may have open sessions, so these end too.
    def delete_model(self, request: HttpRequest, factor: Authenticator) -> None:
        """Delete the factor, and end all sessions of its login."""
        super().delete_model(request, factor)
        end_sessions(factor.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Authenticator]) -> None:
        """Delete the factors, and end all sessions of their logins."""
        users = list(User.objects.filter(authenticator__in=queryset).distinct())
        super().delete_queryset(request, queryset)
        for user in users:
            end_sessions(user)


class UserCreationForm(AdminUserCreationForm):  # type: ignore[type-arg]  # generic in stubs only
    class Meta:
        model = User
        fields = ("email",)


@admin.register(User)
class LoginAdmin(UserAdmin, ModelAdmin):  # type: ignore[type-arg]  # generic in stubs only
    """Logins of customers and staff, with the rights of staff."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    ordering = ("email",)
    list_display = ("email", "name", "is_staff", "roles", "is_active")
    list_filter = ("is_staff", "is_active", "groups")
    search_fields = ("email", "name")
    readonly_fields = ("date_joined", "last_login", "record")
    fieldsets = (
        (None, {"fields": ("email", "password", "name", "language", "record")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("More rights", {"fields": ("user_permissions",)}),
        ("Dates", {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display
    def roles(self, user: User) -> str:
        """Return the names of the roles of a login, separated by commas."""
        return ", ".join(sorted(group.name for group in user.groups.all()))


class KeyInline(ReadOnlyAdminMixin, TabularInline):
    """The keys of a source. Commands of manage.py make new keys and show each text once."""

    model = SourceKey
    fields = ("prefix", "is_secret", "scopes", "last_used_at", "expires_at", "revoked_at")
    readonly_fields = fields
    extra = 0


@admin.register(Source)
class SourceAdmin(ModelAdmin):
    """Sources of events. Commands of manage.py create a source and move it to another space."""

    list_display = ("name", "channel", "space", "addresses", "is_shared", "default_region")
    list_filter = ("channel", "space", "addresses", "is_shared")
    list_select_related = ("space",)
    search_fields = ("name",)
    fields = (
        "name",
        "channel",
        "space",
        "addresses",
        "order_numbers",
        "is_shared",
        "default_region",
        "created_at",
    )
    readonly_fields = ("space", "created_at")
    inlines = (KeyInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, row: Any = None) -> bool:
        return False


class IdentifierInline(ReadOnlyAdminMixin, TabularInline):
    model = Identifier
    fk_name = "customer"
    fields = ("kind", "value", "evidence", "is_shared", "first_seen_at")
    readonly_fields = fields
    extra = 0


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    """Records, and the identifiers that lead to them."""

    list_display = ("id", "record", "version", "created_at", "last_seen_at")
    search_fields = ("id__exact",)
    search_help_text = "The id of a record, or a whole address, card or number."
    inlines = (IdentifierInline,)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        """Return the records with this id or identifier, a number with or without its source."""
        text = search_term.strip()
        if not text:
            return queryset, False
        ids = lookup.find_records_by_value(text)
        with suppress(ValueError):
            ids.add(UUID(text))
        return queryset.filter(pk__in=ids), False

    @admin.display
    def record(self, customer: Customer) -> str:
        return record_link(customer.pk)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Return the page of a record, and log the access if the page shows the record."""
        response = super().change_view(request, object_id, form_url, extra_context)
        # For a record that does not exist, the page redirects and shows no facts.
        if response.status_code == HTTPStatus.OK:
            customer = Customer.objects.get(pk=object_id)
            log_admin_access(
                request, [customer.canonical_id or customer.pk], what="record", now=timezone.now()
            )
        return response


@admin.register(BlockedValue)
class BlockedValueAdmin(ModelAdmin):
    """Values that identify no customer, such as the phone number of an office."""

    list_display = ("kind", "value", "reason", "created_at")
    list_filter = ("kind",)
    search_fields = ("value",)


@admin.register(Merge)
class MergeAdmin(ReadOnlyAdmin):
    """Merges of records, with their reasons."""

    list_display = ("merged_at", "reason", "actor", "undone_at", "live_record")
    list_filter = ("reason",)

    @admin.display(description="record")
    def live_record(self, merge: Merge) -> str:
        return record_link(merge.merged_into_id)


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    """Reviews. Staff settle them through the API and the console."""

    list_display = ("kind", "status", "created_at", "settled_by", "first_record", "second_record")
    list_filter = ("status", "kind")

    @admin.display(description="first")
    def first_record(self, review: Review) -> str:
        return record_link(review.first_id)

    @admin.display(description="second")
    def second_record(self, review: Review) -> str:
        return record_link(review.second_id)


@admin.register(QuarantinedItem)
class QuarantinedItemAdmin(ReadOnlyAdmin):
    """Received items that could not become events, with the reasons."""

    list_display = ("source", "reason", "detail", "received_at", "replayed_at")
    # There is no filter by reason: listing the reasons would read the whole table.
    list_filter = ("source",)
    list_select_related = ("source",)
    exclude = ("raw",)
