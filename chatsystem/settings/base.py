"""What every profile shares. Values an operator may set come from `apps.core.conf`."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import django_stubs_ext
from csp.constants import NONCE
from django.utils.translation import gettext_lazy as _

from apps.core.conf import loading
from apps.core.http.headers import of_static
from chatsystem.settings.parts.database import database
from chatsystem.settings.parts.logs import logging_settings

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parents[2]
CONFIGURATION = loading.load()
_server, _security = CONFIGURATION.server, CONFIGURATION.security

DEBUG = False
PROFILE = os.environ.get("DJANGO_SETTINGS_MODULE", __name__).rpartition(".")[2]
SECRET_KEY = _security.secret_key.get_secret_value()
SECRET_KEY_FALLBACKS = [key for key in _security.secret_key_fallbacks.split(",") if key]
PUBLIC_URL = _server.public_url
DATA_DIR = _server.data_dir
WALLS_RAISE = False  # outside every organization nothing is seen; development and tests raise
INSTANCE = _server.instance
_public = urlsplit(PUBLIC_URL)
FILES_BASE_URL = _server.files_base_url
_files_host = urlsplit(FILES_BASE_URL).hostname
ALLOWED_HOSTS = [
    _public.hostname or "localhost",
    *([_files_host] if _files_host else []),
    *(host for host in _server.allowed_hosts.split(",") if host),
]
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]

INSTALLED_APPS = [
    "apps.core",
    "apps.accounts",
    "apps.runs",
    "apps.notify",
    "apps.security",
    "apps.llm",
    "apps.elyza",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "apps.core.admin_site.SiteConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_otp",
    "guardian",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_prometheus",
    "channels",
    "csp",
    "apps.files",
    "apps.chat",
    "apps.documents",
    "apps.rag",
    "apps.agents",
    "apps.ops",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "apps.core.http.observing.observed",
    # Before all that may refuse: a refusal carries the same headers.
    "apps.core.http.middleware.response_headers",
    "apps.core.http.headers.ContentPolicy",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "apps.core.http.middleware.refusals",
    "apps.core.http.middleware.limited",
    "apps.files.middleware.separate_hosts",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "apps.accounts.middleware.language",
    "apps.core.http.local_time.local_time",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "apps.accounts.middleware.organization",
    "apps.core.http.pacing.paced",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "apps.accounts.middleware.sign_in_required",
]
# For async views under /api/, which have no session and look at their caller themselves (`apps.core.http.handler`).
ASYNC_API_MIDDLEWARE = [
    "apps.core.http.middleware.secure_address",
    "apps.core.http.observing.observed",
    "apps.core.http.middleware.response_headers",
    "apps.core.http.middleware.refusals",
    "apps.core.http.middleware.limited",
    "apps.files.middleware.separate_hosts",
    "apps.accounts.middleware.language",
    "apps.accounts.middleware.organization",
]

ROOT_URLCONF = "chatsystem.urls"
ASGI_APPLICATION = "chatsystem.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "apps.accounts.context_processors.viewer",
                "apps.notify.context_processors.bell",
            ],
            "builtins": ["apps.core.templatetags.parts", "apps.core.templatetags.texts"],
        },
    }
]

DATABASES = {"default": database(CONFIGURATION)}
REDIS_URL = CONFIGURATION.redis.redis_url.get_secret_value()

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, "max_connections": 200}], "prefix": "layer"},
    }
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["apps.accounts.page_sessions.Backend"]
# django-guardian keeps rows and decides nothing: `can()` reads them. So no backend of it, no anonymous user in the
# database, no methods on users and groups that would be a second way to ask.
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = GUARDIAN_MONKEY_PATCH_GROUP = False
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "apps.accounts.passwords.CommonVariantValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

ACCOUNT_ADAPTER = "apps.accounts.allauth_adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # an invitation proves the address
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = False  # counted by `core.services.limits`, which goes on while Redis is away
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 300
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 3
ACCOUNT_LOGIN_BY_CODE_MAX_RESEND_COUNT = 0  # another code is another request, counted by our limits
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"  # noqa: S105 - a class
MFA_ADAPTER = "apps.accounts.allauth_adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_RECOVERY_CODE_DIGITS = 10
OTP_LOGIN_URL = "factor_required"
USERSESSIONS_TRACK_ACTIVITY = False  # `accounts.middleware` writes once a minute

SESSION_ENGINE = "apps.accounts.page_sessions"  # an ended session must not survive in a cache
SESSION_COOKIE_AGE = _security.session_days * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True  # pages carry the token for our scripts (`page-data`)
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "apps.core.http.error_pages.csrf_failure"
if _public.scheme == "https":
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS, SECURE_HSTS_INCLUDE_SUBDOMAINS, SECURE_HSTS_PRELOAD = 365 * 24 * 3600, True, True
    SECURE_SSL_REDIRECT = False  # the proxy in front does that
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _server.trusted_proxies else None
else:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "session", "csrf"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

_files_origin = [FILES_BASE_URL] if FILES_BASE_URL else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": [NONCE],  # not our own address as such: it also serves what people sent
        "object-src": ["'none'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:", *_files_origin],
        "font-src": ["'self'"],
        "connect-src": ["'self'", PUBLIC_URL.replace("http", "ws", 1)],
        "manifest-src": ["'self'"],
        "media-src": ["'self'", *_files_origin],
        "worker-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "report-uri": ["/csp-report/"],
    }
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024  # an upload chunk is 4 MiB
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

LANGUAGE_CODE = "en"
LANGUAGES = [("de", _("German")), ("en", _("English"))]
LANGUAGE_COOKIE_NAME = "language"
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "files"},
    },
    "staticfiles": {"BACKEND": "chatsystem.static_storage.ModuleManifestStorage"},
}
# In `static/css/`, on every page and in this order. Where the sources are served, each has a link of its own.
STYLESHEETS = (
    "tokens", "base", "layout", "icon", "button", "field", "signs", "progress", "navigation", "message", "composer",
    "card", "answer", "viewer", "search", "console", "notification", "sheet", "state", "menu", "overlay", "narrow",
)  # fmt: skip
JOINED_STYLESHEET = "css/joined.css"
WHITENOISE_MAX_AGE = 60
WHITENOISE_KEEP_ONLY_HASHED_FILES = True  # no page names the others, and each is compressed once more
# Files at the top: a service worker hears of messages under the address it came from.
WHITENOISE_ROOT = BASE_DIR / "static" / "root"
WHITENOISE_ADD_HEADERS_FUNCTION = of_static
WHITENOISE_ALLOW_ALL_ORIGINS = False

EMAIL_FILE_PATH = DATA_DIR / "mail"
DEFAULT_FROM_EMAIL = CONFIGURATION.mail.mail_from
if _smtp := CONFIGURATION.mail.server:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT, EMAIL_TIMEOUT = _smtp.host, _smtp.port, _smtp.timeout_seconds
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _smtp.user, _smtp.password
    EMAIL_USE_SSL, EMAIL_USE_TLS = _smtp.has_tls, _smtp.starts_tls
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.accounts.api.authentication.ApiKeyAuthentication",
        "apps.accounts.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["apps.accounts.api.permissions.HasOrganization"],
    "DEFAULT_RENDERER_CLASSES": ["apps.core.api.encoding.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.core.api.encoding.OrjsonParser"],
    "DEFAULT_SCHEMA_CLASS": "apps.core.api.schema.Schema",
    "DEFAULT_THROTTLE_CLASSES": ["apps.core.api.throttling.PrincipalThrottle"],
    "DEFAULT_VERSIONING_CLASS": None,
    "EXCEPTION_HANDLER": "apps.core.api.problems.handle",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,  # one form only, and `?format=` is refused by name like any other strange word
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "TEST_REQUEST_RENDERER_CLASSES": ["apps.core.api.encoding.OrjsonRenderer"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "chatsystem",
    "DESCRIPTION": "Conversations, files, documents, search and answers of one organization.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",  # its schemas are plain JSON Schema, so that tests can hold answers against them
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["apps.accounts.api.permissions.SignedIn"],
    "SERVE_AUTHENTICATION": None,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [],  # choices stay where they are used: shared names for them change as apps are added
}

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "global_keyprefix": "celery:"}

LOGGING = logging_settings()
PROMETHEUS_EXPORT_MIGRATIONS = False
# The proxy in front redirects to https: this process speaks http only and cannot tell what the proxy was asked.
# django-guardian keeps rows and decides nothing, so its backend is left out.
SILENCED_SYSTEM_CHECKS = ["security.W008", "guardian.W001"]
