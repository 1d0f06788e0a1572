"""The pages of A/B tests, and what the pages of actions, editions and mailings tell of them."""

# ruff: noqa: F401, F811 - fixtures are imported, and asked for by name

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.models import Action
from common.errors import Refused
from common.time import clock
from customers.models import Customer
from mailings.actions import change_arm, change_content, plan_experiment, undo, write_arm
from mailings.models import Arm, Content, Experiment, Mailing, Message, SentTest
from newsletter.actions import plan_edition, send_due_editions, send_edition
from newsletter.models import Edition
from selections.models import Selection
from tests.api.conftest import api
from tests.campaigns.conftest import house, make_action, make_trigger, member, select
from tests.factories import follow_link
from tests.newsletter.conftest import edition, newsletter, reader
from tests.smtp_sink import Sink

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def now() -> dt.datetime:
    """Pages read the clock."""
    return clock()


@pytest.fixture
def client(marketeer: Any, client_of: Make) -> Client:
    return client_of(marketeer)


@pytest.fixture
def members(select: Make, member: Make) -> Selection:
    for _number in range(40):
        member()
    found: Selection = select("customer.kind", name="Alle leden", kinds=["member"])
    return found


@pytest.fixture
def action(make_action: Make) -> Action:
    made: Action = make_action("Zomeractie")
    return made


def url(name: str, *args: Any) -> str:
    return reverse(f"workbench:{name}", args=args)


def text(response: Any) -> str:
    assert response.status_code in (200, 422), response.status_code
    return " ".join(response.content.decode().split())


@pytest.fixture
def planned(client: Client, action: Action) -> Experiment:
    """A test of two subjects, set up by the buttons of the pages."""
    answer = client.post(url("action_test", action.pk))
    experiment = Experiment.objects.get()
    assert answer.headers["Location"] == url("experiment_detail", experiment.pk)
    second = experiment.versions[1]
    given = {"percent": 30, "subject": "Mis het niet", "sender_name": "", "moment": ""}
    client.post(url("arm_change", second.pk), given)
    client.post(url("arm_change", experiment.versions[0].pk), {**given, "subject": ""})
    return experiment


def run(client: Client, action: Action, selection: Selection) -> Mailing:
    page = client.get(url("action_run", action.pk), {"selection": selection.pk})
    confirmed = page.context["findings"].report.fingerprint
    answer = client.post(url("action_run", action.pk), {"selection": selection.pk, "key": "k", "confirmed": confirmed})
    assert answer.status_code == 302, text(answer)
    return Mailing.objects.get()


def test_from_the_page_of_an_action_a_test_is_set_up_and_filled_in(
    client: Client, action: Action, planned: Experiment
) -> None:
    page = text(client.get(url("experiment_detail", planned.pk)))
    assert "Mis het niet" in page
    assert "De andere 40% wacht tot er is beslist" in page
    own = text(client.get(url("action_detail", action.pk)))
    assert "<strong>B</strong> 30%: onderwerp “Mis het niet”" in own
    assert url("experiment_detail", planned.pk) in own
    assert url("experiment_detail", planned.pk) in text(client.get(url("experiment_list")))


def test_what_counts_and_when_is_changed(client: Client, planned: Experiment) -> None:
    page = url("experiment_change", planned.pk)
    assert 'data-show-if="metric=facts"' in text(client.get(page))
    given = {"metric": "facts", "fact_kind": "", "decide_after_hours": 48}
    answer = client.post(page, given)
    assert answer.status_code == 422
    assert "Kies wat lezers moeten doen." in text(answer)
    client.post(page, {**given, "fact_kind": "loan"})
    planned.refresh_from_db()
    assert (planned.metric, planned.fact_kind, planned.decide_after_hours, planned.is_automatic) == (
        "facts", "loan", 48, False,
    )  # fmt: skip


def test_versions_are_added_written_dropped_and_removed(client: Client, planned: Experiment) -> None:
    client.post(url("arm_add", planned.pk))
    third = planned.versions[2]
    answer = client.post(url("arm_write", third.pk))
    content = Content.objects.get(arm=third)
    assert answer.headers["Location"] == url("content", content.pk)
    editor = text(client.get(url("content", content.pk)))
    assert "Test van “Zomeractie”" in editor
    assert url("experiment_detail", planned.pk) in editor
    form = text(client.get(url("arm_change", third.pk)))
    assert 'name="subject"' not in form
    assert "een eigen tekst" in text(client.get(url("experiment_detail", planned.pk)))
    client.post(url("arm_unwrite", third.pk))
    assert not Content.objects.filter(pk=content.pk).exists()
    client.post(url("arm_remove", third.pk))
    assert len(planned.versions) == 2
    client.post(url("experiment_remove", planned.pk))
    assert not Experiment.objects.exists()


def test_a_share_that_is_not_there_is_refused_at_its_field(client: Client, planned: Experiment) -> None:
    first = planned.versions[0]
    answer = client.post(url("arm_change", first.pk), {"percent": 80, "subject": "", "sender_name": "", "moment": ""})
    assert "percent" in answer.context["form"].errors


def test_each_version_is_previewed_before_and_after_it_leaves(
    client: Client, action: Action, planned: Experiment, members: Selection
) -> None:
    second = planned.versions[1]
    change_arm(second, percent=30, subject="Mis het niet", sender_name="Anna")
    page = text(client.get(url("arm_preview", second.pk)))
    assert "<strong>Anna</strong>" in page
    assert "<strong>Mis het niet</strong>" in page
    assert "sandbox" in client.get(url("arm_frame", second.pk)).headers["Content-Security-Policy"]
    run(client, action, members)
    Content.objects.filter(pk=action.content_id).update(subject="Later veranderd")
    first = planned.versions[0]
    assert "Later veranderd" not in text(client.get(url("arm_preview", first.pk)))
    assert client.get(url("arm_frame", first.pk)).status_code == 200


def test_before_sending_the_page_says_that_it_is_a_test_and_what_is_wrong_with_which_version(
    client: Client, action: Action, planned: Experiment, members: Selection
) -> None:
    second = planned.versions[1]
    change_arm(second, percent=30, subject="GRATIS!!! KLIK HIER NU SNEL!!!")
    page = client.get(url("action_run", action.pk), {"selection": members.pk})
    assert "Dit gaat eruit als A/B-test" in text(page)
    assert "(ongeveer 12 lezers)" in text(page)
    words = [one.words for one in page.context["findings"].report.findings]
    assert any(one.startswith("Versie B: ") for one in words)
    assert "Versie B: wat de controles vonden" in text(client.get(url("experiment_detail", planned.pk)))
    post = {"selection": members.pk, "key": "k", "confirmed": ""}
    assert client.post(url("action_run", action.pk), post).status_code == 422
    assert not Mailing.objects.exists()
    assert run(client, action, members).experiment == planned


def test_versions_that_are_the_same_are_an_error_before_sending(
    client: Client, action: Action, members: Selection
) -> None:
    plan_experiment(action.content, now=clock())
    page = client.get(url("action_run", action.pk), {"selection": members.pk})
    assert "Twee versies van de A/B-test zijn gelijk" in text(page)
    answer = client.post(url("action_run", action.pk), {"selection": members.pk, "key": "k"})
    assert answer.status_code == 422
    assert not Mailing.objects.exists()


def test_the_mailing_shows_its_test_and_somebody_chooses(
    client: Client, action: Action, planned: Experiment, members: Selection, django_assert_max_num_queries: Any
) -> None:
    mailing = run(client, action, members)
    at = clock() - 30 * HOUR
    mailing.messages.filter(arm__isnull=False).update(state="sent", sent_at=at, state_at=at)
    follow_link_of = mailing.messages.filter(arm__position=1)[:2]
    assert len(follow_link_of) == 2
    with django_assert_max_num_queries(60):
        page = text(client.get(url("mailing_detail", mailing.pk)))
    assert "A/B-test" in page
    assert "wachten op de uitslag" in page or "wacht op de uitslag" in page
    assert "is klaar: kies een versie" not in text(client.get("/"))
    Experiment.objects.update(is_automatic=False)
    assert "De A/B-test van “Zomeractie” is klaar: kies een versie voor de rest" in text(client.get("/"))
    assert "Kies een versie voor de rest" in text(client.get(url("experiment_detail", planned.pk)))
    client.post(url("arm_choose", planned.versions[1].pk))
    planned.refresh_from_db()
    assert planned.winner == planned.versions[1]
    page = text(client.get(url("experiment_detail", planned.pk)))
    assert "De rest krijgt versie B" in page
    assert "Gaat naar de rest" in page
    assert "te weinig lezers" in page
    assert not mailing.messages.filter(next_attempt_at__year=9999).exists()
    assert "is klaar: kies een versie" not in text(client.get("/"))
    client.post(url("arm_choose", planned.versions[0].pk))
    planned.refresh_from_db()
    assert planned.winner == planned.versions[1]
    assert "Met de hand gekozen" in text(client.get(url("experiment_list")))


def test_what_was_chosen_too_early_proves_nothing_and_on_pause_nothing_is_decided_by_itself(
    client: Client, action: Action, planned: Experiment, members: Selection
) -> None:
    mailing = run(client, action, members)
    mailing.messages.filter(arm__isnull=False).update(state="sent", sent_at=clock(), state_at=clock())
    Mailing.objects.update(state="paused")
    assert "wordt er niets vanzelf beslist" in text(client.get(url("experiment_detail", planned.pk)))
    Mailing.objects.update(state="sending")
    client.post(url("arm_choose", planned.versions[1].pk))
    page = text(client.get(url("experiment_detail", planned.pk)))
    assert "wat ze toen zeiden bewijst niets" in page
    assert "te weinig lezers" not in page


def test_the_page_of_who_waits_for_the_outcome_says_so(
    client: Client, planned: Experiment, action: Action, members: Selection
) -> None:
    mailing = run(client, action, members)
    waits = Message.objects.filter(mailing=mailing, arm=None).first()
    assert waits
    page = text(client.get(url("customer_messages", waits.customer_id)))
    assert "welke versie van de A/B-test" in page
    assert not re.search(r"\b9999\b", page)  # the year in which who waits would be sent


def test_triggers_send_the_action_as_it_is(planned: Experiment, make_trigger: Make, member: Make) -> None:
    from campaigns.actions import run_action

    member()
    mailing = run_action(
        Action.objects.get(), Customer.objects.all(), due_key="t", origin="trigger:1", by=None, now=clock()
    )
    assert set(mailing.messages.values_list("arm", flat=True)) == {None}
    planned.refresh_from_db()
    assert planned.mailing is None


def test_an_edition_is_tested_too(client: Client, edition: Edition, reader: Make) -> None:
    for _number in range(30):
        reader()
    client.post(url("edition_test", edition.pk))
    experiment = Experiment.objects.get()
    for arm, subject in zip(experiment.versions, ["", "Anders"], strict=True):
        change_arm(Arm.objects.get(pk=arm.pk), percent=50, subject=subject)
    assert "A/B-test" in text(client.get(url("edition_detail", edition.pk)))
    check = client.get(url("edition_check", edition.pk))
    assert "Dit gaat eruit als A/B-test" in text(check)
    client.post(url("edition_send", edition.pk), {"confirmed": check.context["findings"].report.fingerprint})
    mailing = Mailing.objects.get()
    assert set(mailing.messages.values_list("arm__position", flat=True)) == {0, 1}
    assert mailing.experiment == experiment


def test_a_planned_edition_is_tested_when_it_leaves(edition: Edition, reader: Make, now: dt.datetime) -> None:
    reader()
    noon = (now + 24 * HOUR).replace(hour=11)  # at night it is not tried again
    plan_edition(edition, send_at=noon, by=None, now=now)
    edition.refresh_from_db()
    experiment = plan_experiment(edition.content, now=now)
    assert send_due_editions(now=noon) == []
    edition.refresh_from_db()
    assert "A/B-test" in edition.error or "version" in edition.error  # two versions that are the same
    change_arm(experiment.versions[1], percent=50, subject="Anders")
    assert send_due_editions(now=noon + HOUR)
    experiment.refresh_from_db()
    assert experiment.mailing


def test_an_edition_without_items_has_nothing_to_test_yet(client: Client, newsletter: Any, now: dt.datetime) -> None:
    from newsletter.actions import create_edition

    empty = create_edition(newsletter, subject="Leeg", by=None, now=now)
    client.post(url("edition_test", empty.pk))
    assert not Experiment.objects.exists()


def test_a_deleted_edition_takes_its_test_and_their_texts_along(
    client: Client, edition: Edition, now: dt.datetime
) -> None:
    client.post(url("edition_test", edition.pk))
    write_arm(Experiment.objects.get().versions[1], now=now)
    client.post(url("edition_delete", edition.pk))
    assert not Experiment.objects.exists()
    assert not Content.objects.exists()


def test_a_version_that_was_sent_stays_as_it_was_and_is_shown_so(
    client: Client, action: Action, planned: Experiment, members: Selection, marketeer: Any, now: dt.datetime
) -> None:
    second = planned.versions[1]
    content = write_arm(second, by=marketeer, now=now)
    change_content(content, subject="Van versie B", by=marketeer, now=now)
    run(client, action, members)
    answer = client.get(url("content", content.pk))
    assert answer.headers["Location"] == url("arm_preview", second.pk)
    shown = text(client.get(url("arm_preview", second.pk)))
    assert "Deze versie staat vast" in shown
    for change in (lambda: change_content(content, subject="Toch anders", now=now), lambda: undo(content, now=now)):
        with pytest.raises(Refused, match="blijft zoals hij is verzonden"):
            change()
    assert Content.objects.get(pk=content.pk).subject == "Van versie B"


@pytest.mark.rights("manage_mailings")
def test_each_version_goes_to_a_colleague_as_a_test_from_page_and_api(
    client: Client, planned: Experiment, marketeer: Any, smtp_sink: Sink, api: Any
) -> None:
    second = planned.versions[1]
    answer = client.post(url("arm_test", second.pk), {"recipients": [marketeer.pk]})
    assert answer.headers["Location"] == url("arm_preview", second.pk)
    assert "Versie B" in text(client.get(url("arm_preview", second.pk)))
    page = f"/api/v1/experiments/{planned.pk}/send-test/"
    told = api.post(page, {"version": "A", "recipients": [marketeer.username]})
    assert (told.status_code, told.data[0]["version"]) == (200, "A")
    assert [mail["Subject"] for mail in smtp_sink.to(marketeer.email)] == ["[Test] Mis het niet", "[Test] Dag Fatima"]
    assert [one.arm for one in SentTest.objects.order_by("pk")] == [second, planned.versions[0]]
