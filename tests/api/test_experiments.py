from __future__ import annotations

import datetime as dt

import pytest
from rest_framework.test import APIClient

from customers.actions import ensure_base_data
from customers.models import Customer, Purpose
from mailings.actions import change_sending_settings, save_content, start_mailing
from mailings.models import Content, Experiment
from tests.factories import NOW, ConsentFactory, CustomerFactory, limit_messages

pytestmark = [pytest.mark.django_db, pytest.mark.rights("manage_mailings")]
EXPERIMENTS = "/api/v1/experiments/"


@pytest.fixture
def content(db: None) -> Content:
    ensure_base_data()
    limit_messages(0)
    change_sending_settings(organisation="Bieb", postal_address="Postbus 1", sender_email="bieb@example.nl")
    text = {"type": "text", "data": {"text": "<p>Dag</p>"}}
    return save_content(None, name="Zomer", subject="Zomer", blocks=[text], now=NOW)


def test_a_test_is_set_up_changed_and_taken_back(api: APIClient, content: Content) -> None:
    wish = {
        "content": content.pk,
        "metric": "facts",
        "fact_kind": "loan",
        "decide_after_hours": 48,
        "arms": [{"percent": 20}, {"percent": 20, "subject": "Anders", "moment": "09:30"},
                 {"percent": 20, "has_own_content": True}],
    }  # fmt: skip
    made = api.post(EXPERIMENTS, wish, format="json")
    assert made.status_code == 201, made.data
    assert [(arm["letter"], arm["percent"], arm["subject"]) for arm in made.data["arms"]] == [
        ("A", 20, ""), ("B", 20, "Anders"), ("C", 20, ""),
    ]  # fmt: skip
    assert made.data["arms"][1]["moment"] == "09:30:00"
    own = made.data["arms"][2]["content"]
    assert Content.objects.filter(pk=own).exists()
    address = f"{EXPERIMENTS}{made.data['id']}/"
    changed = api.patch(address, {"is_automatic": False, "arms": [{"percent": 50}, {"percent": 50, "subject": "B"}]},
                        format="json")  # fmt: skip
    assert (changed.data["is_automatic"], changed.data["decide_after_hours"]) == (False, 48)
    assert [arm["percent"] for arm in changed.data["arms"]] == [50, 50]
    assert not Content.objects.filter(pk=own).exists()
    assert api.get(EXPERIMENTS, {"content": content.pk}).data["results"][0]["id"] == made.data["id"]
    assert api.delete(address).status_code == 204
    assert not Experiment.objects.exists()


@pytest.mark.parametrize(
    "wish",
    [{"arms": [{"percent": 60}, {"percent": 60}]}, {"arms": [{"percent": 10}]}, {"metric": "facts", "fact_kind": ""},
     {"decide_after_hours": 0}, {"fact_kind": "toverij", "metric": "facts"}],
)  # fmt: skip
def test_what_cannot_be_tested_is_refused_and_leaves_nothing(api: APIClient, content: Content, wish: dict) -> None:  # type: ignore[type-arg]
    answer = api.post(EXPERIMENTS, {"content": content.pk, **wish}, format="json")
    assert 400 <= answer.status_code < 500
    assert not Experiment.objects.exists()


def test_the_figures_are_followed_and_a_version_is_chosen(api: APIClient, content: Content) -> None:
    purpose = Purpose.objects.get(code="marketing")
    for _number in range(20):
        ConsentFactory(customer=CustomerFactory(), purpose=purpose)
    wish = {"content": content.pk, "arms": [{"percent": 40}, {"percent": 40, "subject": "Anders"}]}
    address = f"{EXPERIMENTS}{api.post(EXPERIMENTS, wish, format='json').data['id']}/"
    mailing = start_mailing(
        name="Zomer", origin="action:1", due_key="t", purpose=purpose, channels="email", content=content,
        candidates=Customer.objects.all(), with_test=True, now=NOW,
    )  # fmt: skip
    mailing.messages.exclude(arm=None).update(state="sent", sent_at=NOW, state_at=NOW)
    scores = api.get(f"{address}scores/").data
    assert sum(score["sent"] for score in scores["scores"]) == mailing.messages.filter(state="sent").count()
    assert (scores["p"], scores["is_difference"]) == (None, False)
    assert dt.datetime.fromisoformat(str(scores["due_at"])) == NOW + dt.timedelta(hours=24)
    assert api.patch(address, {"decide_after_hours": 3}, format="json").status_code in (400, 409, 422)
    assert api.post(f"{address}choose/", {"version": "F"}, format="json").status_code == 400
    chosen = api.post(f"{address}choose/", {"version": "b"}, format="json")
    assert (chosen.data["winner"], chosen.data["outcome"]) == ("B", "by_hand")
    assert chosen.data["mailing"] == mailing.pk
    assert api.get(f"{address}scores/").data["due_at"] is None
