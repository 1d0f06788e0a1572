"""Deny by default: what a token may do beyond reading and keeping records, an administrator let it by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import URLResolver, get_resolver
from rest_framework.test import APIClient

from common.actions import give_rights
from common.roles import GIVEN_RIGHTS, PERMISSIONS

pytestmark = pytest.mark.django_db

READ = {"get", "head", "options"}

#: Resources that every token may write, each with the reason; all others ask for a right, call by call.
OPEN = {
    "calls": "a call centre tells what came of a call; a no holds at once",
    "customers": "the customer file is kept in step with other systems",
    "duplicates": "the customer file is kept in step with other systems",
    "facts": "what customers did is told by other systems",
    "feeds": "deliveries are brought by other systems",
    "imports": "deliveries are brought by other systems",
    "label-groups": "labels say what is known; they reach nobody",
    "labels": "labels say what is known; they reach nobody",
    "merges": "the customer file is kept in step with other systems",
    "newsletters": "a sign-up form subscribes and unsubscribes who filled it in",
    "notes": "the customer file is kept in step with other systems",
    "post-returns": "a return is noted; it stops post, and taking a slip back gives no consent",
    "records": "the customer file is kept in step with other systems",
    "computed-values": "labels say what is known; they reach nobody",
    "result-sets": "a question is kept; it reaches nobody",
    "selection-folders": "a question is kept; it reaches nobody",
    "selections": "a question is kept; it reaches nobody",
    "sign-ups": "a sign-up form subscribes who filled it in",
    "sources": "deliveries are brought by other systems",
    "system-labels": "labels say what is known; they reach nobody",
    "voucher-definitions": "a till issues and redeems",
    "vouchers": "a till issues and redeems",
    "redemptions": "a till issues and redeems",
    "web-tokens": "a website asks who follows its pages",
}
#: Calls of open resources that do ask, since they take customers out or send.
ASKING = {"export", "make_call_list", "make_address_labels", "enrol", "leave", "take_call", "put_back"}


def calls(resolver: URLResolver | None = None, before: str = "") -> Iterator[tuple[str, Any, str, str]]:
    """Each writing call of the API: its resource, its view, the method and the name of the action."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from calls(pattern, before + str(pattern.pattern))
        elif before.startswith("api/v1/"):
            view: Any = pattern.callback
            resource = str(pattern.pattern).lstrip("^").split("/")[0]
            for method, name in (getattr(view, "actions", None) or {}).items():
                if method not in READ:
                    yield resource, view, method, name


def test_what_writes_asks_for_a_right_or_says_why_not() -> None:
    found, without, open_ones = list(calls()), [], set()
    assert len(found) > 80
    for resource, view, _method, name in found:
        classes = view.initkwargs.get("permission_classes", view.cls.permission_classes)
        by_class = [one.__name__ for one in classes] != ["HasApiPermission"]
        right = getattr(view.cls, "rights", {}).get(name)
        if not (right or by_class):
            open_ones.add(resource)
            if name in ASKING or resource not in OPEN:
                without.append(f"{resource}: {name}")
    assert not without
    assert open_ones == set(OPEN)  # nothing is open that is no longer there


def test_rights_are_of_calls_that_exist_and_can_be_given() -> None:
    assert set(GIVEN_RIGHTS) <= set(PERMISSIONS)
    views = {view.cls for _resource, view, _method, _name in calls() if getattr(view.cls, "rights", None)}
    assert len(views) > 10
    for view in views:
        for name, right in view.rights.items():
            assert hasattr(view, name), (view, name)
            assert right in GIVEN_RIGHTS, (view, right)


@pytest.mark.parametrize(
    ("method", "address", "right"),
    [
        ("post", "/api/v1/selections/0/export/", "export_customers"),
        ("post", "/api/v1/result-sets/0/call-list/", "export_customers"),
        ("post", "/api/v1/selections/0/address-labels/", "export_customers"),
        ("post", "/api/v1/actions/0/run/", "manage_campaigns"),
        ("post", "/api/v1/triggers/", "manage_campaigns"),
        ("post", "/api/v1/triggers/0/on/", "manage_campaigns"),
        ("delete", "/api/v1/triggers/0/", "manage_campaigns"),
        ("post", "/api/v1/campaigns/0/enrol/", "manage_campaigns"),
        ("post", "/api/v1/campaigns/0/leave/", "manage_campaigns"),
        ("patch", "/api/v1/contents/0/", "manage_mailings"),
        ("post", "/api/v1/contents/0/send-test/", "manage_mailings"),
        ("post", "/api/v1/letter-batches/", "manage_mailings"),
        ("get", "/api/v1/letter-batches/0/file/", "manage_mailings"),
        ("post", "/api/v1/letter-batches/0/reprint/", "manage_mailings"),
        ("post", "/api/v1/calls/take/", "manage_mailings"),
        ("post", "/api/v1/saved-blocks/", "manage_mailings"),
        ("patch", "/api/v1/text-settings/", "manage_sending"),
        ("put", "/api/v1/texts/0/", "manage_mailings"),
        ("post", "/api/v1/texts/0/send-test/", "manage_mailings"),
        ("post", "/api/v1/experiments/0/send-test/", "manage_mailings"),
        ("post", "/api/v1/experiments/0/choose/", "manage_mailings"),
        ("post", "/api/v1/doubts/settle/", "manage_mailings"),
        ("post", "/api/v1/blocked-addresses/", "manage_mailings"),
        ("post", "/api/v1/blocked-addresses/0/release/", "manage_mailings"),
        ("patch", "/api/v1/house-styles/organisation/", "manage_sending"),
        ("post", "/api/v1/mailings/0/approve/", "approve_mailings"),
    ],
)
def test_without_the_right_it_is_refused_with_where_it_is_given(
    api: APIClient, administrator: User, method: str, address: str, right: str
) -> None:
    answer = getattr(api, method)(address, {}, format="json")
    assert (answer.status_code, answer.data["code"]) == (403, "no_right")
    assert str(GIVEN_RIGHTS[right]) in answer.data["message"]
    integration = User.objects.get(username="website")
    give_rights(integration, rights=set(GIVEN_RIGHTS) - {right}, by=administrator)
    assert getattr(api, method)(address, {}, format="json").status_code == 403
    give_rights(integration, rights=[right], by=administrator)
    assert getattr(api, method)(address, {}, format="json").status_code in {200, 400, 404, 422}


def test_looking_at_who_may_be_reached_needs_no_more_than_a_token(api: APIClient) -> None:
    for address in ("/api/v1/selections/0/call-list/", "/api/v1/actions/0/run/", "/api/v1/triggers/kinds/"):
        assert api.get(address).status_code != 403


def test_a_right_without_a_token_opens_nothing(marketeer: User) -> None:
    client = APIClient()
    client.force_authenticate(marketeer)  # who runs actions in the workbench
    answer = client.post("/api/v1/actions/0/run/", {})
    assert (answer.status_code, answer.data["code"]) == (403, "permission_denied")
