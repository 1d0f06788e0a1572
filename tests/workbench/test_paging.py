"""Long lists end where nobody leafs on, and say so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from common.time import clock
from customers.models import Customer
from labels.actions import create_label, give_label
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

WORDS = "Je kunt door de eerste 50 bladeren"


@pytest.fixture
def client(client_of: Callable[[User], Client], marketeer: User) -> Client:
    return client_of(marketeer)


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> str:
    """Sixty customers with a label; lists end at fifty, since ten thousand would be slow."""
    monkeypatch.setattr("workbench.paging.MOST_LEAFED", 50)
    CustomerFactory.create_batch(60)
    label = create_label(name="Lezer", kind="own", now=clock())
    give_label(label, Customer.objects.all(), by="test", now=clock())
    return f"/labels/{label.pk}/"


def test_a_list_that_is_too_long_ends_and_tells_how_to_find_the_others(client: Client, many: str) -> None:
    for page in ("/customers/", many):
        answer = client.get(page, {"page": "2"})
        words = answer.content.decode()
        assert answer.context["total"] == 60
        assert answer.context["table"].page.number == 1
        assert len(answer.context["table"].page.object_list) == 50
        assert WORDS in words
        assert answer.context["table"].paginator.is_cut


def test_a_list_that_fits_says_nothing(client: Client) -> None:
    CustomerFactory.create_batch(51)
    answer = client.get("/customers/", {"page": "2"})
    assert answer.context["table"].page.number == 2
    assert "bladeren" not in answer.content.decode()
