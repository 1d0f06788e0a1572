"""Deny by default: every address has a rule, and every role is tried at every address."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from common.roles import ROLES

#: Addresses without a sign-in, each with the reason.
PUBLIC = {
    "healthz/": "tells a load balancer that the process lives",
    "readyz/": "tells a load balancer that the servers are reached",
    "favicon.ico": "browsers ask for it before signing in",
    "language/": "the language is chosen before signing in",
    "accounts/login/": "signing in",
    "accounts/logout/": "signing out; POST only, harmless for strangers",
    "s/": "short links in text messages: signed codes, tested in tests/mailings",
    "m/": "links in mails: signed tokens, tested in tests/mailings",
    "w/": "the script on a website sends what visitors do; tested in tests/website",
    "mijn/": "customers are no users: signed links and a session of their own, tested in tests/mijnmenu",
}
SIGNED_IN_ONLY = {"accounts/password/": "one's own password"}


class Address(NamedTuple):
    route: str
    callback: Callable[..., Any]

    @property
    def permissions(self) -> set[str]:
        """The codenames that the view asks for; an empty one when it asks for none."""
        view = getattr(self.callback, "view_class", None) or getattr(self.callback, "cls", None)
        if view is not None and hasattr(view, "permission_classes"):
            names = [p.__name__ for p in self.callback.initkwargs.get("permission_classes", view.permission_classes)]
            known = {
                "HasApiPermission": "use_api",
                "MayManagePrivacy": "manage_privacy",
                "MayManageSending": "manage_sending",
                "MayManageMailings": "manage_mailings",
                "MayApproveMailings": "approve_mailings",
                "MayReadDocumentation": "use_api|view_workbench",
            }
            return {known.get(name, "") for name in names}
        return {getattr(view, "permission", "") or getattr(self.callback, "permission", "")}

    def needs(self, method: str) -> set[str]:
        """The codenames of which all are needed for a method: those of the address, and the right of its action."""
        view, actions = getattr(self.callback, "cls", None), getattr(self.callback, "actions", None) or {}
        right = getattr(view, "rights", {}).get(actions.get(method))
        return self.permissions | ({right} if right else set())

    @property
    def path(self) -> str:
        """An address of this route; what it names does not exist."""
        filled = re.sub(r"\(\?P<\w+>(?:[^()]|\([^()]*\))*\)", "0", self.route)
        filled = re.sub(r"<(?:(\w+):)?\w+>", lambda match: _sample(match[1]), filled)
        return "/" + filled.replace("^", "").replace("$", "").replace("\\", "").replace("/?", "")


def _sample(converter: str | None) -> str:
    return {"int": "0", "uuid": "00000000-0000-4000-8000-000000000000", "slug": "x", "path": "x"}.get(
        converter or "", "x"
    )


def addresses(resolver: URLResolver | None = None, before: str = "") -> Iterator[Address]:
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            yield Address(before + str(pattern.pattern), pattern.callback)
        else:
            yield from addresses(pattern, before + str(pattern.pattern))


def is_under(address: Address, table: dict[str, str]) -> bool:
    return any(address.route.startswith(start) for start in table)


def guarded() -> list[Address]:
    return [a for a in addresses() if not is_under(a, PUBLIC) and not is_under(a, SIGNED_IN_ONLY)]


class Remembered(ModelBackend):
    """Who walks past a thousand addresses is read once, with what he may; each address still decides by that itself."""

    users: dict[int, User] = {}

    def get_user(self, user_id: int) -> User | None:
        if user_id not in self.users:
            self.users[user_id] = User.objects.get(pk=user_id)
        return self.users[user_id]


@pytest.fixture
def client_as(make_user: Callable[..., User], settings: Settings) -> Callable[[str | None], Client]:
    own = f"{__name__}.Remembered"
    settings.AUTHENTICATION_BACKENDS = [own]
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    Remembered.users = {}
    made: dict[str | None, Client] = {}

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend=own)
        return client

    def get(role: str | None) -> Client:
        if role not in made:
            made[role] = sign_in(make_user(role))
            made[role].raise_request_exception = True
        return made[role]

    return get


def test_every_address_has_a_rule() -> None:
    found = list(addresses())
    assert len(found) > 100
    without = [a.route for a in guarded() if "" in a.permissions]
    assert not without, f"these addresses ask for no permission: {without}"


def test_every_public_prefix_still_exists() -> None:
    for start in {**PUBLIC, **SIGNED_IN_ONLY}:
        assert any(a.route.startswith(start) for a in addresses()), start


def test_strangers_reach_nothing_that_is_guarded(client: Client, db: None) -> None:
    let_in = []
    for address in [a for a in addresses() if not is_under(a, PUBLIC)]:
        for answer in (client.get(address.path), client.post(address.path)):
            turned_away = answer.status_code in {401, 403} or (
                answer.status_code == 302 and answer.headers["Location"].startswith("/accounts/login/")
            )
            if not turned_away:
                let_in.append((address.route, answer.status_code))
    assert not let_in


@pytest.mark.parametrize("role", [*ROLES, None])
def test_a_role_reaches_exactly_what_it_may(
    role: str | None, client_as: Callable[[str | None], Client], settings: Settings
) -> None:
    settings.DEMO = True  # the mailbox exists in the demo only
    client, wrong = client_as(role), []
    for address in guarded():
        held = ROLES[role] if role else frozenset()
        for method in ("get", "post"):
            may = all(held & set(one.split("|")) for one in address.needs(method))
            status = getattr(client, method)(address.path).status_code
            if may and status in {401, 403}:
                wrong.append((method, address.route, status, "should be let in"))
            # A method that a view does not have may be refused before or after the permission.
            leads_home = address.route == "" and status == 302  # the front door brings each role to its own face
            if not may and not leads_home and status not in {401, 403, 405}:
                wrong.append((method, address.route, status, "should be turned away"))
    assert not wrong


def test_a_role_without_permission_is_not_even_told_whether_something_exists(
    client_as: Callable[[str | None], Client],
) -> None:
    assert client_as("counter").get("/customers/0/").status_code == 403
    assert client_as("marketeer").get("/customers/0/").status_code == 404
