"""Every setting of Django and of the project; four subjects have a module of their own.

The connections to Postgres are in config.database_settings, the company's policy in
config.policy_settings, the REST framework in config.rest_settings, Celery in
config.celery_settings. config.env reads the environment, and stops the boot on a missing or an
odd value.
"""

from datetime import timedelta
from pathlib import Path

from django.utils.csp import CSP

from config import env, service_urls
from config.database_settings import DATABASES as DATABASES
from config.database_settings import STATEMENT_TIMEOUT as STATEMENT_TIMEOUT
from config.policy_settings import BUTLER_BUDGETS as BUTLER_BUDGETS
from config.policy_settings import BUTLER_PLAUSIBLE_ZONES as BUTLER_PLAUSIBLE_ZONES
from config.policy_settings import BUTLER_QUIET_HOURS as BUTLER_QUIET_HOURS
from config.rest_settings import REST_FRAMEWORK as REST_FRAMEWORK
from config.rest_settings import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS

BASE_DIR = Path(__file__).resolve().parent.parent
BUTLER_HOME = Path(env.text("BUTLER_HOME", str(BASE_DIR / ".butler")))

DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = env.secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.listing("SECRET_KEY_FALLBACKS")
# What receipts are signed with (Ed25519). Not SECRET_KEY: a receipt outlives its next change.
RECEIPT_KEY = env.signing_seed("RECEIPT_KEY", source_secret=SECRET_KEY if DEBUG else "")
ALLOWED_HOSTS = env.listing("ALLOWED_HOSTS") or (["*"] if DEBUG else ["localhost"])
CSRF_TRUSTED_ORIGINS = env.listing("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.headless",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
    "customers",
    "butler",
    "channels",
    "channels.email",
    "channels.pages",
    "channels.portal",
    "channels.console",
]
# A worked example to look at, with invented people; never beside real ones.
BUTLER_EXAMPLE = env.text("BUTLER_EXAMPLE", "themepark" if DEBUG else "")
if BUTLER_EXAMPLE:
    INSTALLED_APPS += [f"examples.{BUTLER_EXAMPLE}"]

MIDDLEWARE = [
    "config.health.HealthMiddleware",
    "config.logging.RequestMiddleware",
    # Above what may find the database away: its page has a policy, and a sheet, all the same.
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "config.errors.DatabaseUnavailableMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.csp.AdminCspMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "channels.console.views.access.AdminAccessMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
# A redirect turns a client's POST into a GET: an event would be lost without a word.
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Redis and the tables' ids -----------------------------------------------------------

REDIS_URL = env.service_url("REDIS_URL")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Who signs in ------------------------------------------------------------------------

AUTH_USER_MODEL = "customers.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Logins are opened by config.api and customers.actions.sign_in alone: nobody signs up with
# a password, or changes the address of a login.
HEADLESS_ONLY = True
HEADLESS_CLIENTS = ("app", "browser")
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
# Staff show a second factor; its secrets are encrypted in the database.
MFA_ADAPTER = "customers.access.mfa.EncryptingMFAAdapter"
# Nobody at a console for this long: whoever comes next signs in anew.
CONSOLE_IDLE_MINUTES = env.number("CONSOLE_IDLE_MINUTES", default=30)
# How many proxies stand in front and write down who called (X-Forwarded-For).
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("PROXIES", default=0)
SESSION_ENGINE = "customers.db.sessions"
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_AGE = int(timedelta(days=60).total_seconds())
CSRF_FAILURE_VIEW = "config.errors.csrf_failed"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
if ALLAUTH_TRUSTED_PROXY_COUNT:
    # The proxy speaks TLS for us and says so; signatures over our address depend on it.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Mail and SMS ------------------------------------------------------------------------

DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Butler <butler@localhost>")
# Without a relay, a developer reads what was sent at /dev/outbox/.
MAILERS = {
    "default": service_urls.mailer("MAIL_URL", "outbox:" if DEBUG else "smtp://localhost:25")
}
# Who carries mail while that one fails; empty: nobody, it waits.
if env.text("MAIL_FALLBACK_URL", ""):
    MAILERS["fallback"] = service_urls.mailer("MAIL_FALLBACK_URL", "")
# Not every provider knows every header; what it does not know is left out.
ANYMAIL = {"REQUESTS_TIMEOUT": 10, "IGNORE_UNSUPPORTED_FEATURES": True}
# How the provider of MAIL_URL shows that a report is its own; empty: reports are not taken.
MAIL_WEBHOOK = env.options("MAIL_WEBHOOK")
# Where mail that cannot be delivered comes back to, each as name+<message>@domain.
BOUNCE_ADDRESS = env.text("BOUNCE_ADDRESS", "")
# Who carries SMS. "outbox:": a developer reads them; empty: there is no SMS.
SMS_URL = env.text("SMS_URL", "outbox:" if DEBUG else "")
SMS_ACCOUNT = service_urls.sms_account("SMS_URL", SMS_URL)
# Who carries SMS while that one fails.
SMS_FALLBACK = service_urls.sms_account("SMS_FALLBACK_URL", "")

# Administration ----------------------------------------------------------------------

UNFOLD = {"SITE_TITLE": "Butler", "SITE_HEADER": "Butler"}

# Language and time -------------------------------------------------------------------

LANGUAGES = [
    ("en", "English"),
    ("nl", "Nederlands"),
    ("sv", "Svenska"),
    ("da", "Dansk"),
]
# The language of messages and pages for customers whose language is unknown.
BUTLER_LANGUAGE = env.choice("BUTLER_LANGUAGE", dict(LANGUAGES), default="en")
LANGUAGE_CODE = BUTLER_LANGUAGE
# The company's civil time: a visit is on a day of the park, and pages tell its clock.
BUTLER_ZONE = env.text("BUTLER_ZONE", "Europe/Amsterdam")
TIME_ZONE = BUTLER_ZONE
USE_TZ = True

# Files and headers -------------------------------------------------------------------

# Pages load their own files and nothing else; those that need more say so themselves.
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
STATIC_URL = "/static/"
STATIC_ROOT = BUTLER_HOME / "static"
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = False

# Limits ------------------------------------------------------------------------------

# How long a code to sign in with is good, in seconds, and how many guesses it takes.
BUTLER_CODE_SECONDS = 600
BUTLER_CODE_TRIES = 5
# How many codes an hour one address and one network address may ask for.
BUTLER_CODES_PER_ADDRESS = env.number("BUTLER_CODES_PER_ADDRESS", default=1000 if DEBUG else 5)
BUTLER_CODES_PER_NETWORK = env.number("BUTLER_CODES_PER_NETWORK", default=1000 if DEBUG else 60)
# The largest body after decompression; phones send 475,000 bytes and one event more.
BUTLER_MAX_BODY = 4 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = BUTLER_MAX_BODY
FILE_UPLOAD_HANDLERS = ["config.request_limits.RefuseFiles"]
# How many events one source may send in a minute, 0 for no limit.
BUTLER_EVENTS_PER_MINUTE = env.number("BUTLER_EVENTS_PER_MINUTE", default=0)
# How long the answer to a POST with an Idempotency-Key is kept.
BUTLER_IDEMPOTENCY_DAYS = 7
# Where browsers find the live streams; empty: the proxy puts them on the same host.
LIVE_URL = env.text("LIVE_URL", "")

# What the butler says, and when --------------------------------------------------------

# Whose park, shop or desk it is: its name and country.
BUTLER_COMPANY = env.text("BUTLER_COMPANY", "Larkmoor" if BUTLER_EXAMPLE else "Butler")
BUTLER_COUNTRY = env.text("BUTLER_COUNTRY", "NL")
# The address of this site as customers reach it, for links in what is sent.
BUTLER_SITE_URL = env.text("BUTLER_SITE_URL", f"http://localhost:{env.text('PORT', '8000')}")
# The adapters of each channel; a channel that is not listed is not offered.
# Each returns the adapters of one channel: the first is preferred, the others stand in for it.
BUTLER_ADAPTERS = {
    "inbox": "channels.inbox.adapter.adapters",
    "email": "channels.email.adapter.adapters",
    "phone": "channels.phone.adapter.adapters",
}
if SMS_URL:
    BUTLER_ADAPTERS["sms"] = "channels.sms.adapter.adapters"
# Batches of one provider that may be sent at the same time: fewer than there are workers, so
# that a provider that hangs leaves workers for the others.
BUTLER_PROVIDER_BATCHES = env.number("BUTLER_PROVIDER_BATCHES", default=2)
# Whether workers are notified of new work; without notifications ticks find it by themselves.
BUTLER_NOTIFY_WORKERS = env.flag("BUTLER_NOTIFY_WORKERS", default=True)
# Seconds from the activation of a version to the first event that starts it: processes look
# for new versions every two.
BUTLER_ACTIVATION_SECONDS = env.number("BUTLER_ACTIVATION_SECONDS", default=3)

# What is logged and counted ----------------------------------------------------------

LOGGING_CONFIG = "config.logging.configure"
LOGGING = {"is_readable": DEBUG, "level": env.text("LOG_LEVEL", "INFO")}
