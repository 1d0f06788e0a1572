"""All settings. What differs between machines comes from the environment; `.env.example` lists it.

Each may also be given as NAME_FILE, the path of a file that holds it, as secrets are. Missing or wrong
settings end the program with one line on standard error. On a local machine (DEBUG, DEMO or the embedded
servers) everything has a default; elsewhere nothing that matters has.
"""

import hmac
import os
import re
import sys
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _
from redis.backoff import NoBackoff
from redis.retry import Retry

from wise_marketing.embedded import Place, state_dir
from wise_marketing.environment import (
    celery_broker,
    parse_base,
    parse_database,
    parse_email,
    parse_mailbox,
    parse_place,
    parse_redis,
    parse_relay,
    parse_signing_key,
    parse_text_api,
    problems,
    read,
    read_all,
    read_flag,
    read_key,
    read_parsed,
)

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = state_dir()

# --- who and where -----------------------------------------------------------------------------------------

DEBUG = read_flag("DEBUG")
# Shows the mailbox page and the log-in hints.
DEMO = read_flag("DEMO")
IS_LOCAL = DEBUG or DEMO or read_flag("WISE_EMBEDDED")
EMBEDDED = Place(STATE_DIR)


def if_local(default: str) -> str | None:
    """Return a default that only a local machine may fall back on."""
    return default if IS_LOCAL else None


try:
    STATE_DIR.mkdir(parents=True, exist_ok=True)
except OSError as error:
    problems.append(f"WISE_STATE_DIR={STATE_DIR} cannot be made ({error.strerror})")

SECRET_KEY = read_key("SECRET_KEY", keep_in=STATE_DIR if IS_LOCAL else None)
SECRET_KEY_FALLBACKS = read("SECRET_KEY_FALLBACKS", "").split()
# Links in mails live for years, longer than a SECRET_KEY should: they have a key of their own.
LINK_KEY = read_key("LINK_KEY", keep_in=STATE_DIR if IS_LOCAL else None)
# Hashes the addresses of people who were erased, so that they are recognised for ever. Made of LINK_KEY when not given.
PRIVACY_KEY = read("PRIVACY_KEY", "") or hmac.digest(LINK_KEY.encode(), b"wise.privacy", "sha256").hex()
if len(PRIVACY_KEY) < 32:
    problems.append("PRIVACY_KEY must have at least 32 characters")

# Only for manage.py harden_database --create: the password of the web processes' own role.
WEB_DATABASE_PASSWORD = read("WEB_DATABASE_PASSWORD", "")

BASE_URL = read_parsed(
    "BASE_URL", if_local("http://localhost:8000"), parse_base, "http://localhost", "https://crm.example.nl"
)
IS_HTTPS = BASE_URL.startswith("https://")
SITE_HOST = urlsplit(BASE_URL).hostname or "localhost"
ALLOWED_HOSTS = read("ALLOWED_HOSTS", "").replace(",", " ").split() or [SITE_HOST]
ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]  # health checks come from the machine itself
CSRF_TRUSTED_ORIGINS = [BASE_URL]
# A proxy sets X-Forwarded-For and X-Forwarded-Proto, overwriting what a client sent.
BEHIND_PROXY = read_flag("BEHIND_PROXY")

# Where the daily lists for other mail tools are written; they fetch them there (SFTP, a mounted folder).
PUBLICATION_FOLDER = Path(read("PUBLICATION_FOLDER", str(STATE_DIR / "publications")))

# --- servers -----------------------------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **read_parsed(
            "DATABASE_URL",
            if_local(EMBEDDED.database_url),
            parse_database,
            {},
            "postgresql://user:password@host/name",
        ),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
DATABASES["default"]["OPTIONS"] = {"connect_timeout": 5, **DATABASES["default"].get("OPTIONS", {})}

REDIS_URL = read_parsed("REDIS_URL", if_local(EMBEDDED.redis_url), parse_redis, "", "redis://host:6379/0")
CACHES = {
    "default": {
        "BACKEND": "wise_marketing.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "wise",
        # One retry finds a restarted server again; redis-py's own ten would make every page wait.
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2, "retry": Retry(NoBackoff(), 1)},
    }
}

EMAIL: dict[str, Any] = read_parsed(
    "EMAIL_URL",
    if_local("smtp://127.0.0.1:2525"),
    parse_email,
    {},
    "smtp://, smtp+tls:// or smtps://user:password@host:port",
)
# Mail servers for mailings, beside or instead of that of EMAIL_URL: RELAY_SES=smtp+tls://…, RELAY_OWN_FILE=/run/…
# or a provider that is asked over the web: RELAY_WEB=anymail:mailgun
RELAYS: dict[str, dict[str, Any]] = {
    name: read_parsed(name, "", parse_relay, {}, "smtps://user:password@host:port, or anymail: and a provider's name")
    for name in sorted({name.removesuffix("_FILE") for name in os.environ if name.startswith("RELAY_")})
}
RELAYS = {"EMAIL_URL": EMAIL} | {name: relay for name, relay in RELAYS.items() if relay}
EMAIL_HOST = EMAIL.get("EMAIL_HOST", "")
EMAIL_PORT = EMAIL.get("EMAIL_PORT", 25)
EMAIL_HOST_USER = EMAIL.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = EMAIL.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = EMAIL.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = EMAIL.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = read("FROM_EMAIL", f"noreply@{SITE_HOST}")
if "@" not in parseaddr(DEFAULT_FROM_EMAIL)[1]:
    problems.append("FROM_EMAIL must look like Bibliotheek Waterland <nieuws@example.nl>")
# Where mail servers report what they could not deliver; each message has its own: bounce+<which>@the same host.
BOUNCE_ADDRESS = read("BOUNCE_ADDRESS", "").lower()
if BOUNCE_ADDRESS and not re.fullmatch(r"[a-z0-9._-]{1,24}@[a-z0-9.-]+", BOUNCE_ADDRESS):
    problems.append("BOUNCE_ADDRESS must look like bounce@example.nl, with at most 24 characters before the @")
BOUNCE_MAILBOX = read_parsed(
    "BOUNCE_MAILBOX", "", parse_mailbox, "", "imaps://user:password@host/INBOX or pop3s://user:password@host"
)
BOUNCE_SMTP = read_parsed("BOUNCE_SMTP", "", parse_place, "", "0.0.0.0:2526")
if BOUNCE_SMTP and not BOUNCE_ADDRESS:
    problems.append("BOUNCE_SMTP needs BOUNCE_ADDRESS: the only address it takes mail for")
# Keys that sign our mail (DKIM_…): the name of the record in the DNS, and the private key behind it.
DKIM: dict[str, dict[str, str]] = {
    name: read_parsed(name, "", parse_signing_key, {}, "selector._domainkey.example.nl and a private key in PEM")
    for name in sorted({name.removesuffix("_FILE") for name in os.environ if name.startswith("DKIM_")})
}
DKIM = {name: key for name, key in DKIM.items() if key}
# host:port of a DNS server to ask instead of the system's.
DNS_SERVER = read_parsed("DNS_SERVER", "", parse_place, "", "127.0.0.1:53")
# Settings of django-anymail, by its own names: ANYMAIL_WEBHOOK_SECRET, ANYMAIL_MAILGUN_WEBHOOK_SIGNING_KEY, …
ANYMAIL: dict[str, Any] = read_all("ANYMAIL_")
if "REQUESTS_TIMEOUT" in ANYMAIL:
    ANYMAIL["REQUESTS_TIMEOUT"] = read_parsed("ANYMAIL_REQUESTS_TIMEOUT", "", float, 30.0, "30, in seconds")

# Who carries text messages: how to ask it (JSON, see docs), else a folder. What it reports comes with the secret.
SMS_API = read_parsed("SMS_API", "", parse_text_api, "", '{"url": "https://api.example.nl/messages", …}')
SMS_FOLDER = Path(read("SMS_FOLDER", str(STATE_DIR / "texts")))
SMS_WEBHOOK_SECRET = read("SMS_WEBHOOK_SECRET", "")
if SMS_WEBHOOK_SECRET and len(SMS_WEBHOOK_SECRET) < 20:
    problems.append("SMS_WEBHOOK_SECRET must have at least 20 characters")
# A short address of this site for links in text messages (https://bieb.nl); without it that of BASE_URL.
SHORT_URL = read_parsed("SHORT_URL", BASE_URL, parse_base, BASE_URL, "https://bieb.nl")
ALLOWED_HOSTS += [host for host in [urlsplit(SHORT_URL).hostname] if host and host not in ALLOWED_HOSTS]

LOG_LEVEL = read("LOG_LEVEL", "INFO").upper()
if LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
    problems.append("LOG_LEVEL must be one of DEBUG, INFO, WARNING and ERROR")

if problems:
    sys.exit(
        f"wise-marketing cannot start: {'; '.join(problems)} "
        "(see .env.example; DEBUG=1 fills in what a local machine needs)"
    )

# --- Django ------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "common",
    "customers",
    "selections",
    "website",
    "labels",
    "vouchers",
    "mailings",
    "campaigns",
    "newsletter",
    "workbench",
    "counter",
    "mijnmenu",
    "api",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "django_cotton",
    "django_tables2",
    "widget_tweaks",
    "lucide",
    "axes",
    "pgtrigger",
    "pghistory",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "wise_marketing.middleware.ChosenLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "pghistory.middleware.HistoryMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "wise_marketing.context.site",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
FILTERS_EMPTY_CHOICE_LABEL = _("All")

ROOT_URLCONF = "wise_marketing.urls"
WSGI_APPLICATION = "wise_marketing.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEST_RUNNER = "django.test.runner.DiscoverRunner"

LANGUAGE_CODE = "nl"
LANGUAGES = [("nl", _("Dutch")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Europe/Amsterdam"
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = None if IS_LOCAL else Path(read("STATIC_ROOT", str(STATE_DIR / "static")))
MEDIA_ROOT = STATE_DIR / "media"
# Where other systems drop their files; each delivery has a folder below it.
IMPORT_FOLDER = Path(read("IMPORT_FOLDER", str(STATE_DIR / "imports")))
# Who was erased or let in again, as hashes; what a restored back-up does not know (manage.py erase_again).
ERASURE_JOURNAL = Path(read("ERASURE_JOURNAL", str(STATE_DIR / "erased.jsonl")))
# Production collects and fingerprints; a local machine serves the files as they lie in the tree.
WHITENOISE_USE_FINDERS = IS_LOCAL
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if IS_LOCAL
        else "wise_marketing.storage.GzipManifestStorage"
    },
}
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
FILE_UPLOAD_PERMISSIONS = 0o640

# --- access ------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
PASSWORD_RESET_TIMEOUT = 60 * 60 * 24

AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_DISABLE_ACCESS_LOG = True

SESSION_COOKIE_AGE = 60 * 60 * 12
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 60 * 60 * 24 * 365
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if IS_HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"  # previews of mails are frames of our own
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        # Trix adds its style sheet itself, with the nonce it finds in the page's head.
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}

# --- Celery: a doorbell, the work itself lies in PostgreSQL ------------------------------------------------

CELERY_BROKER_URL = celery_broker(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 3, "socket_timeout": 30, "max_retries": 1}
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20.0
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE_FILENAME = str(STATE_DIR / "beat-schedule")

# --- API ---------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["api.permissions.HasApiPermission"],
    "EXCEPTION_HANDLER": "api.errors.exception_handler",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["api.parsers.BoundedJSONParser", "rest_framework.parsers.MultiPartParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "api.pages.Pages",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {"anon": "30/min", "user": "1200/min"},
    "NUM_PROXIES": 1 if BEHIND_PROXY else 0,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_TTL": timedelta(days=365)}
SPECTACULAR_SETTINGS = {
    "TITLE": "Wise Marketing API",
    "DESCRIPTION": "Customers, facts, selections and vouchers for the systems around the library or theatre.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "ConsentChannelEnum": "customers.models.consents.Channel",
        "ConsentStateEnum": "customers.models.Consent.State",
        "ImportStateEnum": "customers.models.ImportRun.State",
        "MessageChannelEnum": "mailings.models.Message.Channel",
        "DecisionOutcomeEnum": "mailings.models.Decision.Outcome",
        "CallOutcomeEnum": "mailings.models.Call.Outcome",
        "ExperimentOutcomeEnum": "mailings.models.Experiment.Outcome",
        "CustomerKindEnum": "customers.models.Customer.Kind",
        "NoteKindEnum": "customers.models.Note.Kind",
        "SuppressionReasonEnum": "mailings.models.Suppression.Reason",
        "PostReturnReasonEnum": "mailings.models.PostReturn.Reason",
    },
}

# --- logging: to standard output, and nothing that names a person ------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.request": {"level": "ERROR"},
        "axes": {"level": "ERROR"},  # its lower levels print user names and addresses
        "mail.log": {"level": "ERROR"},  # aiosmtpd's: names who sends and receives
        "flufl.bounce": {"level": "CRITICAL"},  # tells each rule it tries, and mails it stumbles over
        "weasyprint": {"level": "ERROR"},
        "fontTools": {"level": "ERROR"},
    },
}
