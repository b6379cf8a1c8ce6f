from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils.crypto import salted_hmac

from customers.models.customer import Customer


class UserManager(BaseUserManager["User"]):
    def create_user(
        self, email: str | None = None, password: str | None = None, **fields: Any
    ) -> "User":
        """Store and return a new login. Without a password, only other ways to sign in work."""
        user = self.model(email=self.normalize_email(email) or None, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str, **fields: Any) -> "User":
        """Create and return a staff login with all permissions."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A login of a customer or a staff member. The facts about a customer are in `Customer`."""

    # The address whose code opens the login: a mailbox, or a phone in the international form.
    email = models.EmailField(unique=True, null=True, blank=True)
    phone = models.CharField(max_length=16, unique=True, null=True, blank=True, editable=False)
    name = models.CharField(max_length=100, blank=True)
    language = models.CharField(max_length=8, default="en")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(db_default=Now(), editable=False)
    # The record of the proved address. The customer sees its canonical record.
    record = models.ForeignKey(
        Customer, on_delete=models.SET_NULL, null=True, blank=True, related_name="logins"
    )

    # A random name of the login for its passkeys, without personal data; None before the first one.
    passkey_handle = models.BinaryField(max_length=64, null=True, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_in_any_case"),
            models.CheckConstraint(
                condition=models.Q(email__isnull=False) | models.Q(phone__isnull=False),
                name="user_has_an_address",
            ),
        ]

    def __str__(self) -> str:
        return f"login #{self.pk}"

    @property
    def address(self) -> tuple[str, str]:
        """The kind and the value of the address whose code opens the login."""
        return ("phone", self.phone) if self.phone else ("email", self.email or "")

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # When a customer becomes staff, their sessions end, because they signed in with a code
        # only (channels.live repeats this in read_session_logins.sql). The salt is Django's.
        password_marker = f"staff:{self.password}" if self.is_staff else self.password
        return salted_hmac(
            _SESSION_SALT, password_marker, secret=secret, algorithm="sha256"
        ).hexdigest()


_SESSION_SALT = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"
