"""The settings of the baseline."""

from config import service_urls

SECRET_KEY = "the baseline signs nothing and serves nobody but the benchmark"
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "rest_framework",
    "bench.baseline.apps.BaselineConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
ROOT_URLCONF = "bench.baseline.urls"
# Without ATOMIC_REQUESTS, because two batches that lock the same customers in different orders
# would deadlock. Each event is a separate transaction.
DATABASES = {"default": service_urls.database("DATABASE_URL")}
DATABASES["default"]["OPTIONS"] |= {"pool": {"min_size": 1, "max_size": 8, "timeout": 10}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["bench.baseline.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
MAILERS = {"default": service_urls.mailer("MAIL_URL", "smtp://localhost:25")}
