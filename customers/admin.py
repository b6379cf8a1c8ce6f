"""The administrator's tables. The record itself is only looked at here: what changes it is an
event, and comes in through the API or a channel."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm

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


class ReadOnly:
    """Rows to look at."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


# A session's key is as good as its login, and an address of a login is proved or is none: there is
# nothing here for anybody to read or to write.
for _model in (UserSession, EmailAddress, Authenticator):
    admin.site.unregister(_model)


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnly, ModelAdmin):
    """Second factors: to be deleted when a phone was lost, and never shown or made here."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    search_fields = ("user__email",)
    fields = list_display

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("mfa.delete_authenticator")


class UserCreationForm(AdminUserCreationForm):  # type: ignore[type-arg]  # generic in stubs only
    class Meta:
        model = User
        fields = ("email",)


@admin.register(User)
class LoginAdmin(UserAdmin, ModelAdmin):  # type: ignore[type-arg]  # generic in stubs only
    """Logins of customers and staff, and what staff may do."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    ordering = ("email",)
    list_display = ("email", "name", "is_staff", "is_active")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email", "name")
    readonly_fields = ("date_joined", "last_login", "record")
    fieldsets = (
        (None, {"fields": ("email", "password", "name", "language", "record")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("More rights", {"fields": ("user_permissions",)}),
        ("Dates", {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)


class KeyInline(ReadOnly, TabularInline):
    """A source's keys. New ones come from manage.py, which shows each text once."""

    model = SourceKey
    fields = ("prefix", "is_secret", "scopes", "last_used_at", "expires_at", "revoked_at")
    readonly_fields = fields
    extra = 0


@admin.register(Source)
class SourceAdmin(ModelAdmin):
    """Who sends events. Made by manage.py create_source, together with a key."""

    list_display = ("name", "channel", "is_shared", "default_region")
    list_filter = ("channel", "is_shared")
    search_fields = ("name",)
    fields = ("name", "channel", "is_shared", "default_region", "created_at")
    readonly_fields = ("created_at",)
    inlines = (KeyInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class IdentifierInline(ReadOnly, TabularInline):
    model = Identifier
    fk_name = "customer"
    fields = ("kind", "value", "trust", "is_shared", "first_seen_at")
    readonly_fields = fields
    extra = 0


@admin.register(Customer)
class CustomerAdmin(ReadOnly, ModelAdmin):
    """Records, and the identifiers that lead to them."""

    list_display = ("id", "version", "created_at", "last_seen_at")
    search_fields = ("id__exact", "identifiers__value__exact")
    # Counting a million rows takes longer than showing a page of them.
    show_full_result_count = False
    inlines = (IdentifierInline,)


@admin.register(BlockedValue)
class BlockedValueAdmin(ModelAdmin):
    """Values that are nobody's, such as the phone of an office."""

    list_display = ("kind", "value", "reason", "created_at")
    list_filter = ("kind",)
    search_fields = ("value",)


@admin.register(Merge)
class MergeAdmin(ReadOnly, ModelAdmin):
    """Which records became one, and why."""

    list_display = ("kept_id", "joined_id", "reason", "actor", "joined_at", "parted_at")
    list_filter = ("reason",)
    show_full_result_count = False


@admin.register(Review)
class ReviewAdmin(ReadOnly, ModelAdmin):
    """What waits for a person; settled through the API and the console."""

    list_display = ("kind", "left_id", "right_id", "status", "created_at", "settled_by")
    list_filter = ("status", "kind")
    show_full_result_count = False


@admin.register(QuarantinedItem)
class QuarantinedItemAdmin(ReadOnly, ModelAdmin):
    """What came in and could not become an event."""

    list_display = ("source", "reason", "detail", "received_at", "replayed_at")
    list_filter = ("reason", "source")
    list_select_related = ("source",)
    exclude = ("raw",)
    show_full_result_count = False
