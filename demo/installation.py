"""The installation that the story happens in: an empty database, roles, and a login for each kind of user."""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from common import actions
from common.roles import ADMINISTRATOR, COUNTER, MARKETEER, ROLE_NAMES, ensure_roles
from wise_marketing.embedded import Place, state_dir

MARK = "demo of wise-marketing"
INTEGRATION = "theaterkassa"
# role: user name, name
STAFF = {
    ADMINISTRATOR: ("beheer", "Karim Haddad"),
    MARKETEER: ("marketing", "Marloes Mulder"),
    COUNTER: ("balie", "Joke Visser"),
}


class NotOurDatabase(Exception):  # noqa: N818 -- says what is the matter
    """DATABASE_URL names a database with somebody's data in it."""


@dataclass(frozen=True)
class Login:
    """Somebody who may try the demo; of an integration the password is its token."""

    role: str
    username: str
    password: str


def is_marked() -> bool:
    """Whether the database was filled by an earlier demo."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT obj_description('public'::regnamespace, 'pg_namespace')")
        return bool(cursor.fetchone()[0] == MARK)


def empty_database() -> None:
    """Make the database empty, marked as the demo's. Raises NotOurDatabase rather than lose anything.

    The embedded servers of this folder belong to the demo; another database only when it is empty or marked.
    """
    is_embedded = os.environ.get("DATABASE_URL") == Place(state_dir()).database_url
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        if cursor.fetchone()[0] and not is_embedded and not is_marked():
            raise NotOurDatabase(
                "DATABASE_URL names a database that is not empty, and the demo would empty it: "
                "give it one of its own, or leave DATABASE_URL out"
            )
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        cursor.execute("COMMENT ON SCHEMA public IS %s", [MARK])


def forget_files() -> None:
    """Remove what an earlier demo left: mails, uploads, letters and the scheduler's memory."""
    state = Path(settings.STATE_DIR)
    for name in ("mailbox", "media", "library"):
        shutil.rmtree(state / name, ignore_errors=True)
    for file in state.glob("beat-schedule*"):
        file.unlink()


def migrate() -> None:
    """Bring the database up to date."""
    call_command("migrate", verbosity=0, interactive=False)


def open_accounts() -> list[Login]:
    """Create an account per role, or give those of an earlier demo new passwords; return the logins.

    They also go to the state folder, readable for its owner only, where the log-in page finds them.
    """
    ensure_roles()
    logins = []
    administrator = _administrator()
    for role, (username, name) in STAFF.items():
        user = User.objects.filter(username=username).first()
        if user is None:
            email = f"{username}@example.nl"
            user, password = actions.add_user(username=username, name=name, email=email, role=role, by=administrator)
        else:
            password = actions.reset_password(user, by=administrator)
        logins.append(Login(str(ROLE_NAMES[role]), username, password))
    _keep(logins)
    return logins


def open_integration() -> Login:
    """Create the integration of the theatre's till, or give it one more token."""
    administrator = _administrator()
    user = User.objects.filter(username=INTEGRATION).first()
    if user is None:
        user, token = actions.add_integration(name=INTEGRATION, by=administrator)
    else:
        token = actions.add_token(user, by=administrator)
    return Login("Integrator (API)", INTEGRATION, token)


def _administrator() -> User:
    """Return the first administrator, who opens all other accounts; his password is set with the others'."""
    username, name = STAFF[ADMINISTRATOR]
    user, is_new = User.objects.get_or_create(
        username=username, defaults={"first_name": name, "email": f"{username}@example.nl"}
    )
    if is_new:
        user.groups.add(ensure_roles()[ADMINISTRATOR])
    return user


def logins_file() -> Path:
    """Return where the logins of the running demo are kept."""
    return Path(settings.STATE_DIR) / "demo-logins.json"


def _keep(logins: list[Login]) -> None:
    file = logins_file()
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps([asdict(login) for login in logins], ensure_ascii=False), encoding="utf-8")
