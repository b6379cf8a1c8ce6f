"""The settings of Django and of the project, except those of five other modules.

config.database_settings has the connections to Postgres, config.policy_settings the company's
policy, config.identity_settings the values that identify customers, config.rest_settings the REST
framework, and config.celery_settings Celery. config.env reads the environment, and stops the start
on a missing or invalid value.
"""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from django.utils.csp import CSP

from config import env, service_urls
from config.database_settings import DATABASES as DATABASES
from config.database_settings import STATEMENT_TIMEOUT as STATEMENT_TIMEOUT
from config.identity_settings import (
    BUTLER_ALLOW_RESERVED_DOMAINS as BUTLER_ALLOW_RESERVED_DOMAINS,
)
from config.identity_settings import BUTLER_NON_IDENTIFIERS as BUTLER_NON_IDENTIFIERS
from config.identity_settings import BUTLER_ORDER_RULES as BUTLER_ORDER_RULES
from config.identity_settings import BUTLER_OWN_ADDRESSES as BUTLER_OWN_ADDRESSES
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
# The key that signs receipts (Ed25519). It is not SECRET_KEY, because receipts must stay valid
# after a change of SECRET_KEY.
RECEIPT_KEY = env.signing_seed("RECEIPT_KEY", source_secret=SECRET_KEY if DEBUG else "")
# The key of the digests of erased identifiers. If it changes, Butler no longer recognizes them.
ERASURE_KEY = env.text("ERASURE_KEY", "") or SECRET_KEY
# The key of the digests of ticket codes, and of the encrypted codes. With another key, no code opens
# the gate.
TICKET_KEY = env.text("TICKET_KEY", "") or SECRET_KEY
ALLOWED_HOSTS = env.listing("ALLOWED_HOSTS") or (["*"] if DEBUG else ["localhost"])
CSRF_TRUSTED_ORIGINS = env.listing("CSRF_TRUSTED_ORIGINS")
# The origins of pages on other hosts that may call the REST API.
BUTLER_API_ORIGINS = env.origins("BUTLER_API_ORIGINS")

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
# An example company with invented customers. Never load it into a database with real customers.
BUTLER_EXAMPLE = env.text("BUTLER_EXAMPLE", "themepark" if DEBUG else "")
if BUTLER_EXAMPLE:
    INSTALLED_APPS += [f"examples.{BUTLER_EXAMPLE}"]

MIDDLEWARE = [
    "config.health.HealthMiddleware",
    "config.logging.RequestMiddleware",
    # Above DatabaseUnavailableMiddleware, so that pages of other origins can also read its answer.
    "config.cors.ApiCorsMiddleware",
    # Above DatabaseUnavailableMiddleware, so that its page also has a policy and a style sheet.
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
# A redirect turns a client's POST into a GET: the event would be lost without an error.
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

# Redis and the default type of primary keys ------------------------------------------

REDIS_URL = env.service_url("REDIS_URL")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Sign-in -----------------------------------------------------------------------------

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
# Only the portal and customers.actions.sign_in open logins. Customers cannot sign up with a
# password, and cannot change the address of their login.
HEADLESS_ONLY = True
HEADLESS_CLIENTS = ("app", "browser")
HEADLESS_TOKEN_STRATEGY = "customers.access.token_strategy.OneStatementTokenStrategy"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
# Staff sign in with a second factor. The adapter encrypts its secrets in the database.
MFA_ADAPTER = "customers.access.mfa.EncryptingMFAAdapter"
# Minutes without activity after which staff must sign in to the console again.
CONSOLE_IDLE_MINUTES = env.number("CONSOLE_IDLE_MINUTES", default=30)
# Whether the list of calls opens the record of a caller if only one customer proved the number.
CONSOLE_OPENS_CALLERS = env.flag("CONSOLE_OPENS_CALLERS", default=True)
# The number of proxies in front of Butler that add the caller's address to X-Forwarded-For.
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("PROXIES", default=0)
SESSION_ENGINE = "customers.db.sessions"
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_AGE = int(timedelta(days=60).total_seconds())
CSRF_FAILURE_VIEW = "config.errors.csrf_failed"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
if ALLAUTH_TRUSTED_PROXY_COUNT:
    # The proxy terminates TLS and sends this header. Signatures over our URL depend on it.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Mail and SMS ------------------------------------------------------------------------

DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Butler <butler@localhost>")
# The relay or provider of mail. With "outbox:", developers read the mail at /dev/outbox/.
MAILERS = {
    "default": service_urls.mailer("MAIL_URL", "outbox:" if DEBUG else "smtp://localhost:25")
}
# The relay or provider to use while the first one fails. If empty, mail waits.
if env.text("MAIL_FALLBACK_URL", ""):
    MAILERS["fallback"] = service_urls.mailer("MAIL_FALLBACK_URL", "")
# Not every provider supports every header. Anymail leaves out unsupported ones.
ANYMAIL = {"REQUESTS_TIMEOUT": 10, "IGNORE_UNSUPPORTED_FEATURES": True}
# The credentials with which the provider of MAIL_URL signs its reports. If empty, Butler takes
# no reports.
MAIL_WEBHOOK = env.options("MAIL_WEBHOOK")
# The return address for undeliverable mail; each message uses name+<message>@domain.
BOUNCE_ADDRESS = env.text("BOUNCE_ADDRESS", "")
# The provider of SMS. With "outbox:", developers read them at /dev/outbox/. If empty, Butler has
# no SMS channel.
SMS_URL = env.text("SMS_URL", "outbox:" if DEBUG else "")
SMS_ACCOUNT = service_urls.sms_account("SMS_URL", SMS_URL)
# The provider of SMS to use while the first one fails.
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
# The company's time zone. Dates of visits and the times on pages use it.
BUTLER_ZONE = env.text("BUTLER_ZONE", "Europe/Amsterdam")
TIME_ZONE = BUTLER_ZONE
USE_TZ = True

# Files and headers -------------------------------------------------------------------

# Pages may load only files of this site. Views that need more set their own policy.
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

# The lifetime of a sign-in code in seconds, and the number of tries for it.
BUTLER_CODE_SECONDS = 600
BUTLER_CODE_TRIES = 5
# The number of codes an hour that one address, and one network address, may request.
BUTLER_CODES_PER_ADDRESS = env.number("BUTLER_CODES_PER_ADDRESS", default=1000 if DEBUG else 5)
BUTLER_CODES_PER_NETWORK = env.number("BUTLER_CODES_PER_NETWORK", default=1000 if DEBUG else 60)
# The number of codes a day by SMS that one phone, and all phones of one country, may request: of the
# company's country, and of each other one. Fraudsters earn money with SMS to numbers abroad.
BUTLER_SMS_CODES_PER_DAY = env.number("BUTLER_SMS_CODES_PER_DAY", default=1000 if DEBUG else 10)
BUTLER_SMS_CODES_AT_HOME = env.number("BUTLER_SMS_CODES_AT_HOME", default=5000)
BUTLER_SMS_CODES_ABROAD = env.number("BUTLER_SMS_CODES_ABROAD", default=200)
# The beginnings of the numbers that get codes by SMS, such as +31. If empty, all numbers get them.
BUTLER_SMS_PREFIXES = env.prefixes("BUTLER_SMS_PREFIXES")
# The largest body in bytes after decompression. Phones send 475,000 bytes plus one event.
BUTLER_MAX_BODY = 4 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = BUTLER_MAX_BODY
FILE_UPLOAD_HANDLERS = ["config.request_limits.RefuseFiles"]
# The number of events that one source may send in a minute; 0 means no limit.
BUTLER_EVENTS_PER_MINUTE = env.number("BUTLER_EVENTS_PER_MINUTE", default=0)
# The number of days for which Butler stores the answer to a POST with an Idempotency-Key.
BUTLER_IDEMPOTENCY_DAYS = 7
# The URL of the live streams for browsers. If empty, the proxy serves them on the same host.
LIVE_URL = env.text("LIVE_URL", "")

# Tickets ------------------------------------------------------------------------------

# Whether each guest of an order gets a ticket code, or the order one for all.
BUTLER_TICKETS_PER = env.choice("BUTLER_TICKETS_PER", {"order", "guest"}, default="order")
# Whether a ticket opens the gate again on the day on which it was admitted.
BUTLER_REENTRY = env.flag("BUTLER_REENTRY", default=False)
# Whether the number of an order opens the gate, as tickets without a code have it.
BUTLER_ORDER_NUMBERS_OPEN_GATE = env.flag("BUTLER_ORDER_NUMBERS_OPEN_GATE", default=False)
# The number of unknown codes that a source may scan within 15 minutes. Then it must wait.
BUTLER_UNKNOWN_CODES_PER_SOURCE = env.number("BUTLER_UNKNOWN_CODES_PER_SOURCE", default=300)

# Company, channels and workers -------------------------------------------------------

# The company's name and country.
BUTLER_COMPANY = env.text("BUTLER_COMPANY", "Larkmoor" if BUTLER_EXAMPLE else "Butler")
BUTLER_COUNTRY = env.text("BUTLER_COUNTRY", "NL")
# The public URL of this site, for links in messages.
BUTLER_SITE_URL = env.text("BUTLER_SITE_URL", f"http://localhost:{env.text('PORT', '8000')}")
# The domain of passkeys, and the origins of the pages and apps that may use them.
BUTLER_PASSKEY_DOMAIN = env.text(
    "BUTLER_PASSKEY_DOMAIN", urlsplit(BUTLER_SITE_URL).hostname or "localhost"
)
BUTLER_PASSKEY_ORIGINS = env.listing("BUTLER_PASSKEY_ORIGINS") or [
    f"{urlsplit(BUTLER_SITE_URL).scheme}://{urlsplit(BUTLER_SITE_URL).netloc}"
]
# Each function returns the adapters of one channel. Butler uses the first, and the others while
# the first one fails. Butler does not offer a channel that is not listed.
BUTLER_ADAPTERS = {
    "inbox": "channels.inbox.adapter.adapters",
    "email": "channels.email.adapter.adapters",
    "phone": "channels.phone.adapter.adapters",
}
if SMS_URL:
    BUTLER_ADAPTERS["sms"] = "channels.sms.adapter.adapters"
# The function that sends a text by SMS at once. If empty, customers get codes by mail only.
BUTLER_TEXT_SENDER = "channels.sms.texts.send_text" if SMS_URL else ""
# The number of batches that Butler sends to one provider at the same time. Use fewer than there
# are workers, so that a provider that hangs leaves workers for the others.
BUTLER_PROVIDER_BATCHES = env.number("BUTLER_PROVIDER_BATCHES", default=2)
# Whether to notify workers of new work. Without notifications, the next tick finds the work.
BUTLER_NOTIFY_WORKERS = env.flag("BUTLER_NOTIFY_WORKERS", default=True)
# Seconds from the activation of a version to the first event that may start it. Processes look
# for new versions every two seconds.
BUTLER_ACTIVATION_SECONDS = env.number("BUTLER_ACTIVATION_SECONDS", default=3)

# Logs --------------------------------------------------------------------------------

LOGGING_CONFIG = "config.logging.configure"
LOGGING = {"is_readable": DEBUG, "level": env.text("LOG_LEVEL", "INFO")}
