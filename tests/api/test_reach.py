from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from campaigns.actions import add_step, create_action, create_campaign, start_campaign
from campaigns.models import Campaign, Enrolment
from common.time import clock
from customers.actions import ensure_base_data, run_import
from customers.consents import states_of
from customers.models import Customer, ImportRun, Purpose
from labels.actions import create_label, give_label
from mailings.actions import ensure_sending_settings, save_content, start_mailing
from mailings.models import Decision, Mailing, SendingSettings
from newsletter.actions import create_newsletter
from selections.actions import create_selection, keep_selection
from tests.factories import NOW, BranchFactory, ConsentFactory, CustomerFactory, limit_messages

pytestmark = [pytest.mark.django_db, pytest.mark.rights("manage_campaigns")]


@pytest.fixture(autouse=True)
def base_data() -> None:
    ensure_base_data()


def test_the_customers_of_a_label_are_listed(api: APIClient) -> None:
    label = create_label(code="lezer", name="Lezer", kind="own", by=None, now=NOW)
    holder, _other = CustomerFactory(), CustomerFactory()
    give_label(label, Customer.objects.filter(pk=holder.pk), by="test", now=NOW)
    assert api.get("/api/v1/labels/lezer/customers/").data["results"] == [{"number": holder.number}]
    assert [row["code"] for row in api.get("/api/v1/labels/?kind=own").data["results"]] == ["lezer"]


def test_a_selection_tells_its_rule_in_words_its_size_and_its_customers(api: APIClient, marketeer: User) -> None:
    CustomerFactory(kind="prospect")
    member = CustomerFactory(kind="member")
    rule = {"version": 2, "op": "all", "children": [{"criterion": "customer.kind", "params": {"kinds": ["member"]}}]}
    selection = create_selection(name="Leden", rule=rule, by=marketeer, now=NOW)
    url = f"/api/v1/selections/{selection.pk}/"
    assert api.get(url).data["sentence"]
    assert api.post(f"{url}count/").data == {"count": 1}
    assert api.get(f"{url}customers/").data["results"] == [{"number": member.number}]


@pytest.fixture
def campaign(marketeer: User) -> Campaign:
    ensure_sending_settings()
    SendingSettings.objects.update(
        organisation="Bibliotheek", postal_address="Dam 1, Edam", sender_name="Bieb", sender_email="bieb@example.nl"
    )
    action = create_action(
        name="Welkom", purpose=Purpose.objects.get(code="service"), channels="email", subject="Welkom", by=marketeer,
        now=NOW,
    )  # fmt: skip
    save_content(
        action.content,
        name="Welkom",
        subject="Welkom",
        blocks=[{"type": "heading", "data": {"text": "Dag!"}}],
        by=marketeer,
        now=NOW,
    )
    made = create_campaign(name="Welkomstreeks", by=marketeer, now=NOW)
    add_step(made, action=action, day=3, by=marketeer, now=NOW)
    return start_campaign(made, by=marketeer, now=NOW)


def test_customers_are_let_into_a_campaign_and_out_again(api: APIClient, campaign: Campaign) -> None:
    customers = [CustomerFactory(), CustomerFactory()]
    body = {"customers": [customer.number for customer in customers]}
    url = f"/api/v1/campaigns/{campaign.pk}/"
    assert api.post(f"{url}enrol/", body, format="json").data == {"count": 2}
    assert api.post(f"{url}enrol/", body, format="json").data == {"count": 0}
    assert api.post(f"{url}leave/", {**body, "reason": "Verhuisd"}, format="json").data == {"count": 2}
    assert set(Enrolment.objects.values_list("state", "left_reason")) == {("left", "Verhuisd")}


def test_everybody_in_a_selection_or_a_result_set_is_let_in(api: APIClient, campaign: Campaign) -> None:
    rule = {"version": 2, "op": "all", "children": [{"criterion": "customer.kind", "params": {"kinds": ["member"]}}]}
    selection = create_selection(name="Leden", rule=rule, now=clock())
    CustomerFactory(kind="member")
    CustomerFactory(kind="prospect")
    kept = keep_selection(selection, name="Toen", by=None, now=clock())
    CustomerFactory(kind="member")
    url = f"/api/v1/campaigns/{campaign.pk}/"
    assert api.post(f"{url}enrol/", {"result_set": kept.pk}, format="json").data == {"count": 1}
    assert api.post(f"{url}enrol/", {"selection": selection.pk}, format="json").data == {"count": 1}
    assert api.post(f"{url}leave/", {"selection": selection.pk}, format="json").data == {"count": 2}
    for wrong in ({}, {"selection": selection.pk, "customers": ["1"]}, {"selection": 0}):
        assert api.post(f"{url}enrol/", wrong, format="json").status_code in (400, 422)


def test_unknown_customers_are_named_and_nobody_is_let_in(api: APIClient, campaign: Campaign) -> None:
    body = {"customers": [CustomerFactory().number, "nobody"]}
    answer = api.post(f"/api/v1/campaigns/{campaign.pk}/enrol/", body, format="json")
    assert answer.status_code == 400
    assert "nobody" in str(answer.data)
    assert not Enrolment.objects.exists()


def test_a_sign_up_form_subscribes_and_unsubscribes(api: APIClient, marketeer: User) -> None:
    newsletter = create_newsletter(name="Uittips", by=marketeer, now=NOW)
    customer = CustomerFactory()
    body = {"customer": customer.number, "source": "website", "wording_version": "2026-1"}
    for verb, allowed in (("subscribe", True), ("unsubscribe", False)):
        answer = api.post(f"/api/v1/newsletters/{newsletter.pk}/{verb}/", body, format="json")
        assert answer.status_code == 200, answer.data
        assert answer.data == {"subscribed": allowed}
    from common.time import clock

    [state] = [s for s in states_of(customer, now=clock()) if s.purpose == newsletter.purpose]
    assert not state.is_allowed


def test_a_mailing_reports_its_funnel(api: APIClient, campaign: Campaign, marketeer: User) -> None:
    CustomerFactory()
    CustomerFactory(email="")
    content = campaign.steps.get().action.content
    mailing = start_mailing(
        name="Proef", origin="test:1", due_key="test:1", purpose=Purpose.objects.get(code="service"),
        channels=Mailing.Channels.EMAIL, content=content, candidates=Customer.objects.all(), by=marketeer, now=NOW,
    )  # fmt: skip
    report = api.get(f"/api/v1/mailings/{mailing.pk}/report/").data
    assert report["candidates"] == 2 == sum(report["decisions"].values())
    assert report["decisions"] == {"accepted": 1, "no_address": 1}
    assert report["messages"] == {"queued": 1}
    action = campaign.steps.get().action
    assert api.get(f"/api/v1/actions/{action.pk}/report/").data == report
    assert api.get(f"/api/v1/campaigns/{campaign.pk}/report/").data["candidates"] == 0
    Mailing.objects.filter(pk=mailing.pk).update(origin=f"step:{campaign.steps.get().pk}")
    assert api.get(f"/api/v1/campaigns/{campaign.pk}/report/").data == report
    behind = api.get(f"/api/v1/campaigns/{campaign.pk}/report/people/", {"step": "candidates"}).data
    assert behind["count"] == 2
    newsletter = create_newsletter(name="Uittips", by=marketeer, now=NOW)
    assert api.get(f"/api/v1/newsletters/{newsletter.pk}/report/").data["candidates"] == 0
    decisions = api.get(f"/api/v1/mailings/{mailing.pk}/decisions/").data["results"]
    assert {row["outcome"] for row in decisions} == {"accepted", "no_address"}
    assert len(api.get(f"/api/v1/mailings/{mailing.pk}/messages/").data["results"]) == 1


def test_a_file_is_handed_in_and_its_errors_can_be_read(api: APIClient) -> None:
    BranchFactory(code="EDAM")
    text = "code;naam;straat;huisnummer;postcode;plaats;telefoon;email\nVOL;Volendam;;;;;;\n;Zonder code;;;;;;\n"
    answer = api.post(
        "/api/v1/imports/",
        {"format": "branches", "source": "library", "file": SimpleUploadedFile("vestigingen.csv", text.encode())},
        format="multipart",
    )
    assert answer.status_code == 202, answer.data
    run = run_import(ImportRun.objects.get(pk=answer.data["id"]), now=NOW)
    shown = api.get(f"/api/v1/imports/{run.pk}/").data
    assert (shown["state"], shown["new_count"], shown["refused_count"]) == ("done", 1, 1)
    [error] = api.get(f"/api/v1/imports/{run.pk}/errors/").data["results"]
    assert error["row_number"] == 3
    assert error["remedy"]


def test_the_funnel_of_a_mailing_to_be_decides_nothing(api: APIClient) -> None:
    CustomerFactory(kind="member")
    CustomerFactory(kind="member", email="")
    rule = {"version": 2, "op": "all", "children": [{"criterion": "customer.kind", "params": {"kinds": ["member"]}}]}
    selection = create_selection(name="Leden", rule=rule, now=NOW)
    question = {"purpose": "service", "channels": "email", "selection": selection.pk}
    answer = api.get("/api/v1/mailings/funnel/", question).data
    assert answer == {"candidates": 2, "accepted": 1, "decisions": {"accepted": 1, "no_address": 1}}
    assert api.get("/api/v1/mailings/funnel/", {**question, "purpose": "niets"}).status_code == 400
    assert api.get("/api/v1/mailings/funnel/").status_code == 400
    assert not Decision.objects.exists()


def test_who_waits_is_told_with_what_was_decided_before(api: APIClient, campaign: Campaign) -> None:
    ensure_sending_settings()
    SendingSettings.objects.update(
        organisation="Bibliotheek", postal_address="Dam 1, Edam", sender_name="Bieb", sender_email="bieb@example.nl"
    )
    limit_messages(1, days=7, wait_days=10)
    marketing = Purpose.objects.get(code="marketing")
    customer = CustomerFactory()
    ConsentFactory(customer=customer, purpose=marketing)
    low, _high = (
        start_mailing(
            name="Proef", origin="test:1", due_key=f"test:{priority}", purpose=marketing, channels="email",
            content=campaign.steps.get().action.content, candidates=Customer.objects.all(), priority=priority, now=NOW,
        )
        for priority in (1, 3)
    )  # fmt: skip
    address = f"/api/v1/mailings/{low.pk}/"
    [waiting] = api.get(f"{address}decisions/?outcome=waits").data["results"]
    assert (waiting["customer"], waiting["until"] is not None) == (customer.number, True)
    assert api.get(f"{address}decisions/?outcome=accepted").data["results"] == []
    earlier = api.get(f"{address}earlier-decisions/").data["results"]
    assert [row["outcome"] for row in earlier] == ["accepted"]
