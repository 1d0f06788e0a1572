"""The product's settings with a fast hasher and, per process of the tests, a Valkey database of its own."""

import gc
import os
import sys
from urllib.parse import urlsplit

os.environ.setdefault("WISE_EMBEDDED", "1")
# Playwright keeps an event loop in the main thread, which Django would take for asynchronous code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
if not os.environ.get("DATABASE_URL"):
    sys.exit("the tests need their servers: run 'make test', or 'make test T=tests/customers' for some of them")
os.environ.pop("DEMO", None)
# A mail that a test did not expect goes nowhere: nothing listens at port 1.
os.environ["EMAIL_URL"] = "smtp://127.0.0.1:1"

from wise_marketing.environment import celery_broker
from wise_marketing.settings import *  # noqa: F403
from wise_marketing.settings import REDIS_URL

# What is imported, collected and migrated are millions of objects that stay; conftest.py begins with garbage after it.
gc.disable()

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["*"]
WHITENOISE_AUTOREFRESH = True  # looks for a file when it is asked for, instead of reading all at start

# Workers of pytest-xdist are gw0, gw1, ...; each has its own broker and cache.
_process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_server = urlsplit(REDIS_URL)
REDIS_URL = (
    f"unix://{_server.path}?db={_process + 1}"
    if _server.scheme == "unix"
    else f"{_server.scheme}://{_server.netloc}/{_process + 1}"
)
CELERY_BROKER_URL = celery_broker(REDIS_URL)
CACHES["default"]["LOCATION"] = REDIS_URL  # noqa: F405
