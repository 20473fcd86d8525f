"""The one settings file: every difference between installations is an environment variable.

docs/operating.md lists them all; config/checks.py refuses the combinations that contradict
themselves.
"""

import re
import sys
from pathlib import Path

import dj_database_url
from django.templatetags.static import static
from environs import Env

from config.mail_url import mail_settings

BASE_DIR = Path(__file__).resolve().parent.parent
TESTING = "pytest" in sys.modules

env = Env()
if not TESTING:
    # The file is written once by `make run`; real environment variables win over it.
    env.read_env(BASE_DIR / ".env", recurse=False)


def version_from_changelog():
    """The newest version named in CHANGELOG.md: the one place that knows the number."""
    match = re.search(r"^## v(\S+)", (BASE_DIR / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    return match.group(1) if match else "0"


VERSION = version_from_changelog()

DEBUG = env.bool("DEBUG", False)
INSECURE_SECRET_KEY = "insecure-key-for-tests-and-checks-only-0123456789"  # noqa: S105
SECRET_KEY = env.str("SECRET_KEY", INSECURE_SECRET_KEY)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
BASE_URL = env.str("BASE_URL", f"http://localhost:{env.int('PORT', 8000)}").rstrip("/")
CSRF_TRUSTED_ORIGINS = env.list(
    "CSRF_TRUSTED_ORIGINS", [BASE_URL] if BASE_URL.startswith("https://") else []
)
# How many reverse proxies stand in front and append to X-Forwarded-For; 0 ignores the header.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)

# number:secret pairs; the highest number signs, the others are still understood.
TOKEN_PEPPERS = {
    int(number): pepper
    for number, _, pepper in (
        item.partition(":") for item in env.list("TOKEN_PEPPERS", []) if item.strip()
    )
}

INSTALLED_APPS = [
    # Before ours, which take its page out of the back office: its table knows no tenant.
    "django_tasks",
    "django_tasks_db",
    "tenancy",
    "events",
    "customers",
    "groups",
    "loyalty",
    # Not "unfold": its own configuration would put another site in the place of ours.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "config.admin_site.RegularsAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "config",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.RequestIdMiddleware",
    "config.middleware.BodyLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.middleware.AdminTenantMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
# Every route of ours serves with and without a final slash; a redirected POST loses its body.
APPEND_SLASH = False

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
            ],
        },
    },
]


# --- Database ------------------------------------------------------------------------------
def database(url):
    """One entry of DATABASES from a URL, with what each engine needs to be safe.

    SQLite: write-ahead log, write transactions that take their lock at the start, a wait instead
    of "database is locked", and freed pages overwritten (an erased person leaves no trace).
    PostgreSQL: a pool of connections per process and bounds on how long anything may wait.
    """
    parsed = dj_database_url.parse(url)
    if parsed["ENGINE"] == "django.db.backends.sqlite3":
        if parsed["NAME"] not in ("", ":memory:"):
            path = Path(parsed["NAME"])
            parsed["NAME"] = path if path.is_absolute() else BASE_DIR / path
            if not TESTING:
                parsed["NAME"].parent.mkdir(parents=True, exist_ok=True)
        parsed["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
                "PRAGMA secure_delete=ON; PRAGMA foreign_keys=ON; "
                # Without it INSERT OR REPLACE deletes rows past the triggers that refuse it.
                "PRAGMA recursive_triggers=ON;"
            ),
        }
    else:
        milliseconds = 1000
        bounds = {
            "statement_timeout": env.int("DATABASE_STATEMENT_TIMEOUT", 60) * milliseconds,
            "lock_timeout": env.int("DATABASE_LOCK_TIMEOUT", 10) * milliseconds,
            "idle_in_transaction_session_timeout": 60 * milliseconds,
        }
        options = parsed.setdefault("OPTIONS", {})
        options["options"] = " ".join(f"-c {name}={value}" for name, value in bounds.items())
        if env.bool("DATABASE_POOL", True):
            options["pool"] = {
                "min_size": 1,
                "max_size": env.int("DATABASE_POOL_SIZE", 10),
                "timeout": 10,
            }
        parsed["CONN_MAX_AGE"] = 0
        parsed["CONN_HEALTH_CHECKS"] = True
        # Behind a pooler in transaction mode a server-side cursor belongs to nobody.
        parsed["DISABLE_SERVER_SIDE_CURSORS"] = env.bool("DATABASE_BEHIND_POOLER", False)
    return parsed


DEFAULT_DATABASE_URL = "sqlite:///var/regulars.sqlite3"
if TESTING:
    DATABASE_URL = env.str("TEST_DATABASE_URL", "sqlite:///var/test.sqlite3")
else:
    DATABASE_URL = env.str("DATABASE_URL", DEFAULT_DATABASE_URL)
DATABASES = {"default": database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": env.dj_cache_url("CACHE_URL", "locmem://")}

# --- Signing in ----------------------------------------------------------------------------
AUTH_USER_MODEL = "tenancy.User"
AUTHENTICATION_BACKENDS = ["tenancy.backends.CountedBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "tenancy.passwords.MaximumLengthValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
SESSION_COOKIE_AGE = env.int("SESSION_HOURS", 12) * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
ACCESS_TOKEN_MINUTES = env.int("ACCESS_TOKEN_MINUTES", 60)
REFRESH_TOKEN_DAYS = env.int("REFRESH_TOKEN_DAYS", 14)

# --- Language, time, files -----------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
# The languages of the back office. The APIs answer in English, whoever asks: programs read them.
LANGUAGES = [("en-gb", "English"), ("nb", "Norsk bokmål")]
FORMAT_MODULE_PATH = "config.formats"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(BASE_DIR / "static")))
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", str(BASE_DIR / "media")))
# Every erasure leaves a line here, outside the database, so that a restored backup can repeat it.
ERASURE_JOURNAL = Path(env.str("ERASURE_JOURNAL", str(BASE_DIR / "var" / "erasures.jsonl")))
# Files of customers are never served by path: a view checks the right first.
MEDIA_URL = "/media-is-served-by-views/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if TESTING or DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("MAX_BODY_BYTES", 2_621_440)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
# Of any request, files included.
MAX_UPLOAD_BYTES = env.int("MAX_UPLOAD_BYTES", 8_388_608)

# Of a file that is imported over the API.
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_BYTES", 1 << 30)
# So long nobody else takes over an import whose holder shows no sign of life.
IMPORT_LEASE_SECONDS = env.int("IMPORT_LEASE_SECONDS", 60)

# --- Mail and SMS --------------------------------------------------------------------------
EMAIL_URL_SETTINGS, EMAIL_URL_PROBLEMS = mail_settings(env.str("EMAIL_URL", "console://"))
EMAIL_BACKEND = EMAIL_URL_SETTINGS["EMAIL_BACKEND"]
EMAIL_HOST = EMAIL_URL_SETTINGS["EMAIL_HOST"]
EMAIL_PORT = EMAIL_URL_SETTINGS["EMAIL_PORT"]
EMAIL_HOST_USER = EMAIL_URL_SETTINGS["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = EMAIL_URL_SETTINGS["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = EMAIL_URL_SETTINGS["EMAIL_USE_TLS"]
EMAIL_USE_SSL = EMAIL_URL_SETTINGS["EMAIL_USE_SSL"]
EMAIL_TIMEOUT = EMAIL_URL_SETTINGS["EMAIL_TIMEOUT"]
ANYMAIL = EMAIL_URL_SETTINGS["ANYMAIL"]
# The folder wins over EMAIL_URL.
EMAIL_FILE_PATH = env.str("EMAIL_FILE_PATH", None) or EMAIL_URL_SETTINGS["EMAIL_FILE_PATH"]
if env.str("EMAIL_FILE_PATH", None):
    EMAIL_BACKEND = "config.mail_files.EmailBackend"
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "regulars@localhost")
# See events/messages/sms.py; SMS_FILE_PATH names a folder directly and wins.
SMS_URL = env.str("SMS_URL", "console:")
SMS_FILE_PATH = env.str("SMS_FILE_PATH", None)
SMS_FROM = env.str("SMS_FROM", "")
# The most SMS that one tenant causes in a day; the tenant's own setting may be lower.
SMS_PER_TENANT_AND_DAY = env.int("SMS_PER_TENANT_AND_DAY", 1000)
# How long it stays on record that a message was sent, or why not. Its text is never kept.
MESSAGE_DAYS = env.int("MESSAGE_DAYS", 90)

# --- Speaking to other servers ---------------------------------------------------------------
# Hosts and networks inside the operator's own walls that webhooks and searches may reach.
OUTBOUND_ALLOW = [entry.strip() for entry in env.list("OUTBOUND_ALLOW", []) if entry.strip()]
# For trying out: http:// as well.
OUTBOUND_ALLOW_HTTP = env.bool("OUTBOUND_ALLOW_HTTP", False)
OUTBOUND_PORTS = env.list("OUTBOUND_PORTS", [443, 8443], subcast=int)
# Authorities to trust instead of the public ones, in PEM.
OUTBOUND_CA_FILE = env.str("OUTBOUND_CA_FILE", None)

# --- Background jobs -----------------------------------------------------------------------
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
# How long a job that has ended stays to be looked at.
JOBS_KEEP_DAYS = env.int("JOBS_KEEP_DAYS", 30)

# --- HTTP security -------------------------------------------------------------------------
HTTPS = env.bool("HTTPS", BASE_URL.startswith("https://"))
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# The schema and its two viewers: open while trying things out, else behind a sign-in.
OPEN_SCHEMA = env.bool("OPEN_SCHEMA", not HTTPS)

# --- API -----------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["api.permissions.TablePermission"],
    "DEFAULT_RENDERER_CLASSES": ["api.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["api.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "api.ordering.StableOrderingFilter",
    ],
    "DEFAULT_PAGINATION_CLASS": "api.pagination.CursorOrPagePagination",
    "DEFAULT_THROTTLE_CLASSES": ["api.throttling.TokenThrottle"],
    "DEFAULT_SCHEMA_CLASS": "api.schema.Schema",
    "EXCEPTION_HANDLER": "api.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "COERCE_DECIMAL_TO_STRING": False,
}
API_PAGE_SIZE = env.int("API_PAGE_SIZE", 50)
API_MAX_PAGE_SIZE = env.int("API_MAX_PAGE_SIZE", 1000)
API_BATCH_LIMIT = env.int("API_BATCH_LIMIT", 1000)
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", 1200)
IDEMPOTENCY_HOURS = env.int("IDEMPOTENCY_HOURS", 48)
# The change feed tells of what happened in these days; who was away longer starts anew.
EVENTS_KEEP_DAYS = env.int("EVENTS_KEEP_DAYS", 90)
# How long it stays in the history who looked at whom, where a tenant has it written down.
READS_KEEP_DAYS = env.int("READS_KEEP_DAYS", 365)
# How long the log of webhooks remembers what was delivered or given up.
WEBHOOK_LOG_DAYS = env.int("WEBHOOK_LOG_DAYS", 30)

SPECTACULAR_SETTINGS = {
    "TITLE": "Regulars",
    "DESCRIPTION": (
        "Customers, groups and consents of a retailer. Send a token as `Authorization: Bearer "
        "<token>`; errors are problem documents (RFC 9457) that name the field."
    ),
    "VERSION": "v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "CustomerKind": "customers.models.Customer.Kind",
        "PhoneKind": "customers.models.Phone.Kind",
        "AddressKind": "customers.models.Address.Kind",
        "EntryKind": "loyalty.models.Entry.Kind",
        "TransactionKind": "loyalty.models.Transaction.Kind",
        "EarningRuleKind": "loyalty.models.EarningRule.Kind",
        "DataRequestKind": "customers.models.DataRequest.Kind",
        "DataRequestChannel": "customers.models.DataRequest.Channel",
    },
    "DISABLE_ERRORS_AND_WARNINGS": False,
}

# --- Back office ---------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": "Regulars",
    "SITE_HEADER": "Regulars",
    "SITE_SYMBOL": "loyalty",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("tenancy/icon.svg"),
        }
    ],
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "config.admin_site.environment_label",
    "STYLES": [lambda request: static("tenancy/admin.css")],
    "SCRIPTS": [
        lambda request: static("tenancy/admin.js"),
        lambda request: static("tenancy/facts.js"),
        lambda request: static("tenancy/typing.js"),
        lambda request: static("tenancy/watching.js"),
    ],
    "DASHBOARD_CALLBACK": "customers.admin.start.start_page",
    "SIDEBAR": {"show_search": False, "navigation": "tenancy.admin.navigation.sidebar"},
    "COMMAND": {"search_models": False, "show_history": False},
}

# --- Logging -------------------------------------------------------------------------------
# Ids and path templates only: no bodies, no query strings, no names (docs/operating.md).
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {"django.request": {"level": "ERROR"}},
}
