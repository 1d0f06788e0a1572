import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from mailings.gate import HoldOut
from mailings.models import Mailing, Message, Settlement
from tests.factories import FactFactory
from tests.mailings.conftest import base_data, house, make_content, marketing, reader, readers, start

__all__ = ["base_data", "house", "make_content", "marketing", "reader", "readers", "start"]

pytestmark = [pytest.mark.django_db, pytest.mark.rights("manage_mailings")]


def test_a_system_that_reads_the_log_of_the_mail_server_settles_doubts(
    api: APIClient, start: Callable[..., Mailing], readers: Any, now: dt.datetime
) -> None:
    readers(3)
    mailing = start()
    mailing.messages.update(state="in_doubt")
    found = api.get(f"/api/v1/doubts/?mailing={mailing.pk}").data["results"]
    one, two, three = (row["id"] for row in found)
    answer = api.post("/api/v1/doubts/settle/", {"messages": [one, two], "decision": "sent"}, format="json")
    assert answer.data == {"settled": 2}
    assert list(Message.objects.in_doubt().values_list("pk", flat=True)) == [three]
    assert Settlement.objects.filter(settled_by__isnull=False).count() == 2
    again = api.post("/api/v1/doubts/settle/", {"messages": [three], "decision": "again"}, format="json")
    assert again.status_code == 400
    assert api.post("/api/v1/doubts/settle/", {"messages": [one], "decision": "sent"}, format="json").status_code >= 400


def test_a_report_tells_what_people_did_beside_the_control_group(
    api: APIClient, start: Callable[..., Mailing], readers: Any, now: dt.datetime
) -> None:
    readers(40)
    mailing = start(hold_out=HoldOut(40, "action:1"))
    mailing.messages.update(state="sent", sent_at=now)
    for message in mailing.messages.all():
        FactFactory(customer=message.customer, occurred_at=now + dt.timedelta(days=2))
    told = api.get(f"/api/v1/mailings/{mailing.pk}/report/", {"days": 7, "kind": "loan"}).data
    assert (told["days"], told["sent"], told["did"]) == (7, told["drawn"], told["drawn"])
    loan = next(one for one in told["activities"] if one["kind"] == "loan")
    assert loan["beside"]["verdict"] == "more"
    assert loan["beside"]["held_did"] == 0
    assert sum(moment["sent"] for moment in told["course"]["moments"]) == told["sent"]
    hours = api.get(f"/api/v1/mailings/{mailing.pk}/report/", {"unit": "hour"}).data["course"]
    assert (hours["unit"], hours["moments"][0]["sent"]) == ("hour", told["sent"])
    assert {group["dimension"] for group in told["groups"]} >= {"branch", "domain", "channel"}
    behind = f"/api/v1/mailings/{mailing.pk}/report/people/"
    assert api.get(behind, {"step": "did", "days": 7, "kind": "loan"}).data["count"] == told["did"]
    assert api.get(behind, {"step": "held"}).data["count"] == told["held"]
    domain = next(group for group in told["groups"] if group["dimension"] == "domain")
    assert api.get(behind, {"domain": domain["key"]}).data["count"] == domain["sent"]
    assert api.get(behind, {"branch": "nergens"}).status_code == 400
    assert api.get(behind, {"link": 999_999_999}).status_code == 404
    assert api.get(f"/api/v1/mailings/{mailing.pk}/report/", {"days": 5}).status_code == 400
    assert api.get(f"/api/v1/mailings/{mailing.pk}/report/", {"kind": "click"}).status_code == 400


def test_a_system_blocks_an_address_and_releases_it(
    api: APIClient, start: Callable[..., Mailing], readers: Any, now: dt.datetime
) -> None:
    address = "/api/v1/blocked-addresses/"
    wrong = api.post(address, {"address": "geen adres"}, format="json")
    assert (wrong.status_code, wrong.data["field"]) == (422, "address")
    made = api.post(address, {"address": " Jan@Example.nl ", "detail": "vroeg erom"}, format="json")
    assert made.status_code == 201
    assert (made.data["address"], made.data["reason"], made.data["released_at"]) == ("jan@example.nl", "manual", None)
    again = api.post(address, {"address": "jan@example.nl", "detail": "anders"}, format="json")
    assert again.data == made.data  # a block that is in force keeps what it says
    one = f"{address}{made.data['id']}/"
    assert api.get(f"{one}release/").status_code == 405
    released = api.post(f"{one}release/").data
    assert (released["released_by"], released["released_at"] is None) == ("website", False)
    assert api.get(address, {"released_at__isnull": "true"}).data["results"] == []
    assert api.post(address, {"address": "jan@example.nl"}, format="json").data["released_at"] is None
    assert [row["id"] for row in api.get(address, {"address__iexact": "JAN@example.nl"}).data["results"]] == [
        made.data["id"]
    ]
