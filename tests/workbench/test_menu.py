from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser, User
from pytest_django import Settings

from workbench.menu import MENU, Entry, active_entry, address, menu_for

pytestmark = pytest.mark.django_db


def urls(user: User | AnonymousUser) -> list[str]:
    return [link.url for _section, links in menu_for(user, "/") for link in links]


def test_a_marketeer_sees_no_management(marketeer: User) -> None:
    assert "/" in urls(marketeer)
    assert "/users/" not in urls(marketeer)


def test_an_administrator_sees_the_users(administrator: User) -> None:
    assert "/users/" in urls(administrator)


@pytest.mark.parametrize("role", ["integrator", None])
def test_those_who_do_not_work_here_see_nothing(make_user: Callable[..., User], role: str | None) -> None:
    assert urls(make_user(role)) == []


def test_the_mailbox_is_only_shown_in_the_demo(marketeer: User, settings: Settings) -> None:
    settings.DEMO = False
    assert "/mailbox/" not in urls(marketeer)
    settings.DEMO = True
    assert "/mailbox/" in urls(marketeer)


def test_every_entry_leads_to_a_page() -> None:
    assert address("workbench:nowhere") == ""
    assert [entry.url_name for section in MENU for entry in section.entries if not address(entry.url_name)] == []


@pytest.mark.parametrize(
    ("path", "active"),
    [
        ("/", ["/"]),
        ("/users/", ["/users/"]),
        ("/users/3/password/", ["/users/"]),
        ("/editions/3/", ["/newsletters/"]),
        ("/triggers/3/", ["/actions/"]),
        ("/nowhere/", []),
    ],
)
def test_the_page_one_is_on_is_marked(administrator: User, path: str, active: list[str]) -> None:
    links = [link for _section, links in menu_for(administrator, path) for link in links]
    assert [link.url for link in links if link.active] == active


def test_the_longest_address_wins() -> None:
    short, long = (Entry("", name, "view_workbench", "circle") for name in ("a", "b"))  # type: ignore[arg-type]
    assert active_entry({short: "/a/", long: "/a/b/"}, "/a/b/c/") is long
