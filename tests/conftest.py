"""What every test may ask for. The servers come from the environment: `make test` starts throw-away ones."""

from __future__ import annotations

import datetime as dt
import gc
import os
from collections.abc import Callable, Iterator
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import pytest_django
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client
from hypothesis import HealthCheck
from hypothesis import settings as trying

from tests.database import Maker, Template, keep_rows
from tests.tries import TREES

# A run must not fail by chance: no limits of time on examples, and the same examples each time. `make test-long` tries
# others each time.
trying.register_profile(
    "tests", deadline=None, derandomize=TREES <= 200, suppress_health_check=[HealthCheck.too_slow]
)  # fmt: skip
trying.load_profile("tests")

pytest_plugins = ["tests.browser", "tests.mail_servers", "tests.smtp_sink"]


def pytest_configure(config: pytest.Config) -> None:
    """Let the database be made while the processes of pytest-xdist collect their tests."""
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput") and not config.option.collectonly:
        config.option.testrunuid = config.option.testrunuid or uuid4().hex
        maker = Maker(config.option.testrunuid, leave=config.option.reuse_db)
        config.add_cleanup(maker.end)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    gc.freeze()
    gc.enable()  # tests/settings.py had it wait for all that was imported and collected


@pytest.fixture
def now() -> dt.datetime:
    """A Monday morning in summer time, so that a mix-up of UTC and Amsterdam shows."""
    return dt.datetime(2026, 6, 15, 10, 0, tzinfo=ZoneInfo("Europe/Amsterdam"))


@pytest.fixture(scope="session")
def database_template(django_db_modify_db_settings_parallel_suffix: None) -> Template:
    return Template()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(database_template: Template, django_db_blocker: pytest_django.DjangoDbBlocker) -> None:
    gc.disable()  # migrations make a million objects that live long
    with django_db_blocker.unblock():
        database_template.expect()


@pytest.fixture(scope="session")
def django_db_setup(
    database_template: Template,
    django_db_setup: None,
    django_db_blocker: pytest_django.DjangoDbBlocker,
) -> None:
    """The database of an organisation that has begun: it has roles, and confirmed the conditions of the relation."""
    from common.roles import ensure_roles
    from tests.factories import confirm_relations

    with django_db_blocker.unblock():
        confirm_relations()
        ensure_roles()
        keep_rows()
        database_template.keep()
        gc.enable()
        gc.collect()
        gc.freeze()  # what was imported and collected stays: a fifth of the time went to walking it again and again


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    from customers.facts import fact_kinds
    from labels.facts import of_values
    from labels.system.thresholds import chosen
    from labels.values import defined

    for known in (fact_kinds, chosen, of_values, defined):
        known.FRESH_SECONDS = 600.0  # or who counts queries would count more of them where a test takes two seconds
        known.forget()
    yield
    cache.clear()


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    def make(role: str | None, username: str = "", **fields: object) -> User:
        username = username or role or "nobody"
        user = User.objects.create_user(username, f"{username}@example.nl", "geheim-wachtwoord", **fields)
        if role:
            user.groups.add(Group.objects.get(name=role))
        return user

    return make


@pytest.fixture
def marketeer(make_user: Callable[..., User]) -> User:
    return make_user("marketeer")


@pytest.fixture
def counter_staff(make_user: Callable[..., User]) -> User:
    return make_user("counter")


@pytest.fixture
def administrator(make_user: Callable[..., User]) -> User:
    return make_user("administrator")


@pytest.fixture
def integrator(make_user: Callable[..., User]) -> User:
    return make_user("integrator")


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    """Give a test client in which this user has signed in."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in


@pytest.fixture
def process_environment(transactional_db: None) -> dict[str, str]:
    """The environment in which another process (a worker, a command) sees this test's database and broker."""
    from django.conf import settings
    from django.db import connection

    database = connection.settings_dict
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "wise_marketing.settings",
        "WISE_EMBEDDED": "1",
        "DATABASE_URL": (
            f"postgresql://{database['USER']}:{database['PASSWORD']}@/{database['NAME']}"
            f"?host={database['HOST'] or 'localhost'}&port={database['PORT'] or 5432}"
        ),
        "REDIS_URL": settings.REDIS_URL,
        "EMAIL_URL": f"smtp://{settings.EMAIL_HOST}:{settings.EMAIL_PORT}",
    }


#: What takes longest begins first, or one process would still be at it when the other has nothing left to do.
LONGEST = (
    "tests/journeys/test_accessibility.py",
    "tests/demo/",
    "tests/customers/test_merge_machine.py",
    "tests/journeys/",
    "tests/labels/test_incremental.py",
    "tests/customers/test_killed_imports.py",
    "tests/faults/test_rig.py",
)


@pytest.hookimpl(trylast=True)  # after they were shuffled
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        return next((place for place, path in enumerate(LONGEST) if item.nodeid.startswith(path)), len(LONGEST))

    items.sort(key=place)
