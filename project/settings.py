"""How the parts are put together. What differs between machines comes from the environment (see README)."""

from pathlib import Path

from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from project import environment as env
from project.logs import logging_settings
from project.postgres import DATABASE, SUPERUSER, socket_folder

BASE_DIR = Path(__file__).resolve().parent.parent

# ---------------------------------------------------------------- which kind of place this is
# Whoever gives no secret of his own is trying it out: a demo, with known keys and for this machine's eyes only.

DEMO = env.flag("DEMO", default=not env.text("SECRET_KEY"))
DEBUG = env.flag("DEBUG")

SECRET_KEY = env.secret("SECRET_KEY", "demo-secret-key-refused-wherever-DEMO-is-off-0123456789abcdef", DEMO)
DEMO_FIELD_KEYS = "demo:ZGVtbyBrZXksIGRlbW8ga2V5LCBkZW1vIGtleSwgb2s=,index:ZGVtbyBpbmRleCBrZXkgb2YgdGhlIGRlbW8gb25seSE="
FIELD_KEYS, FIELD_INDEX_KEY = env.field_keys(env.secret("FIELD_KEYS", DEMO_FIELD_KEYS, DEMO))
SEAL_KEY = env.seal_key("SEAL_KEY", FIELD_INDEX_KEY)
SEAL_ORIGIN = env.text("SEAL_ORIGIN") or "zhuxue"

ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", *(["localhost", "127.0.0.1", "[::1]"] if DEMO else []))
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

# ---------------------------------------------------------------- applications

INSTALLED_APPS = [
    "project",
    "approvals.oversight",
    "approvals.review",
    "approvals.disbursement",
    "approvals.awards",
    "approvals.notices",
    "approvals.applications",
    "approvals.programmes",
    "approvals.people",
    "approvals.organisations",
    "notifications",
    "workflows",
    "viewflow",
    "viewflow.workflow",
    "guardian",
    "treebeard",
    "django_cotton",
    "django_filters",
    "django_htmx",
    "axes",
    "csp",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "project.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "project.middleware.PublicSiteMiddleware",  # before anything of sessions or sign-in
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "project.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "project.middleware.NoNulMiddleware",  # before anything asks the database
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "project.middleware.IdleTimeoutMiddleware",
    "project.middleware.OneTimePasswordMiddleware",
    "project.held_clock.HeldClockMiddleware",
    "project.not_allowed.NotAllowedMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "project.middleware.UploadLimitMiddleware",  # before anything reads the body, after what its page needs
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# viewflow would add its own middleware for its own pages, which are not mounted here.
VIEWFLOW = {"AUTOREGISTER": False}

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,  # django-cotton puts its loader in front
        "OPTIONS": {
            "builtins": [],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "csp.context_processors.nonce",
                "project.context.shell",
            ],
        },
    }
]

# ---------------------------------------------------------------- database
# One dialect. Locks that are not had within five seconds are refused as a busy case, never waited for. Statements
# here last milliseconds: compiling one to machine code would cost more than running it (1.6 s once, for 0.3), and so
# would planning a prepared one again (workflows/planned.py).

DATABASE_URL = env.text("DATABASE_URL")
EMBEDDED = {"ENGINE": "project.postgres", "NAME": DATABASE, "USER": SUPERUSER, "HOST": str(socket_folder())}
DATABASES = {"default": env.database(DATABASE_URL) if DATABASE_URL else EMBEDDED}

_default = DATABASES["default"]
_default["ATOMIC_REQUESTS"] = False  # a busy lock inside an outer transaction is an InternalError
_default["CONN_MAX_AGE"] = 60
_default["CONN_HEALTH_CHECKS"] = True
_default.setdefault("OPTIONS", {}).setdefault(
    "options",
    "-c lock_timeout=5s -c idle_in_transaction_session_timeout=5min -c jit=off -c plan_cache_mode=force_generic_plan"
    " -c random_page_cost=1.1",  # what is worked on is in memory: thousands of keys are found by index
)
_default["OPTIONS"].setdefault("application_name", "zhuxue")
# Several test runs at once on one server: each gives its own suffix.
_default["TEST"] = {"NAME": "_".join(filter(None, ["test_zhuxue", env.text("TEST_DB_SUFFIX")]))}

# ---------------------------------------------------------------- people and sign-in

AUTH_USER_MODEL = "organisations.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: it locks out before a password is looked at
    "django.contrib.auth.backends.ModelBackend",
    "approvals.organisations.backends.PostBackend",  # before guardian: the posts have the last word
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None  # guardian: no row for nobody

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

# Five wrong passwords for one account from one place close it to that place for a quarter of an hour.
AXES_FAILURE_LIMIT = 5
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_COOLOFF_TIME = 0.25
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "approvals.organisations.signing_in.address_of"
AXES_LOCKOUT_CALLABLE = "project.views.locked_out"
AXES_DISABLE_ACCESS_LOG = True  # the record keeps who signed in: approvals/organisations/signing_in.py
AXES_VERBOSE = False

SESSION_COOKIE_AGE = 60 * 60  # idle; a visit renews it, see IdleTimeoutMiddleware
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

# ---------------------------------------------------------------- security

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEMO
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = not DEMO
SECURE_HSTS_SECONDS = 0 if DEMO else 60 * 60 * 24 * 365
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
TRUSTED_PROXIES = env.networks(
    "TRUSTED_PROXIES"
)  # whose X-Forwarded-For is believed; else every visitor has its address
if env.flag("BEHIND_PROXY"):  # a proxy that sets the header and drops one that a client sent
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_FAILURE_VIEW = "project.views.csrf_failure"
X_FRAME_OPTIONS = "SAMEORIGIN"  # evidence is looked at inside our own pages

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [SELF],
        "base-uri": [NONE],
    }
}

# Whoever serves a changed copy to others must offer its source (AGPL §13): where it can be had.
SOURCE_URL = env.text("SOURCE_URL")

# The public site keeps pages in the memory of its process; each is checked against the database before it is shown.
KEEP_PUBLIC_PAGES = env.flag("KEEP_PUBLIC_PAGES", default=True)
# Where the public site is reached, for the code on printed lists; where none is given, as the reader has reached it.
PUBLIC_URL = env.text("PUBLIC_URL").rstrip("/")

# ---------------------------------------------------------------- language and time
# Simplified Chinese unless the person chose otherwise; the browser's wish is not asked.

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LANGUAGE_COOKIE_AGE = 60 * 60 * 24 * 365
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_I18N = True
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
BUSINESS_CLOCK = "workflows.clock.now"  # what messages are dated by; the demo's date where there is one

# ---------------------------------------------------------------- files
# Evidence lies outside the static root and is served by a view that checks who asks.

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_DIR") or BASE_DIR / "var" / "static")
MEDIA_ROOT = Path(env.text("EVIDENCE_DIR") or BASE_DIR / "var" / "evidence")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_TEMP_DIR = None
NOTICE_ARCHIVE_YEARS = env.number("NOTICE_ARCHIVE_YEARS", 10)  # 公示档案 are kept so long, from the year after
ROSTER_FILE_DAYS = env.number("ROSTER_FILE_DAYS", 30)  # an uploaded roster is kept, for its error sheet, so long
BANK_PROFILE = env.text("BANK_PROFILE") or "rural_credit_text"  # of fixtures/banks: the county's own bank
MAX_REQUEST_BYTES = 55 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024  # of a form without its files
DATA_UPLOAD_MAX_NUMBER_FIELDS = 12_000  # ten thousand tasks ticked on one page

# ---------------------------------------------------------------- background
# Work that is owed is a row; a sweep every two seconds is the truth, and a broker only carries its beat.

CELERY_BROKER_URL = env.text("CELERY_BROKER_URL") or "memory://localhost"
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"visibility_timeout": 60 * 60 * 6} if CELERY_BROKER_URL.startswith(("redis", "rediss")) else {}
)
CELERY_BEAT_SCHEDULE = {
    f"sweep-{queue}": {
        "task": "project.tasks.sweep",
        "schedule": 2.0,
        "args": [queue],
        "options": {"queue": queue, "expires": 10},
    }
    for queue in ("default", "long")
}

# ---------------------------------------------------------------- logs

LOGGING = logging_settings(env.text("LOG_LEVEL") or "INFO")
