"""Contents, their versions, previews, tests and links, pictures and house styles over the API."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from pypdf import PdfReader
from rest_framework.test import APIClient

from customers.models import Purpose
from labels.actions import create_label, give_label
from labels.models import Label
from mailings.actions import check_links
from mailings.delivery import Answer
from mailings.models import Content, HouseStyle, LinkCheck, Picture, SentTest
from newsletter.models import Edition, Newsletter
from tests.factories import BranchFactory, CustomerFactory
from tests.mailings.conftest import BUTTON, base_data, house, make_content, marketing
from tests.mailings.test_content import picture_bytes
from tests.smtp_sink import Sink

__all__ = ["base_data", "house", "make_content", "marketing"]

pytestmark = [pytest.mark.django_db, pytest.mark.rights("manage_mailings", "manage_sending")]

CONTENTS = "/api/v1/contents/"
STYLES = "/api/v1/house-styles/"
HEADING = {"type": "heading", "data": {"text": "Dag {{ first_name }}"}}


@pytest.fixture
def content(make_content: Callable[..., Content]) -> Content:
    return make_content(HEADING)


@pytest.fixture
def written_by_edition(make_content: Callable[..., Content], marketing: Purpose, now: dt.datetime) -> Content:
    content = make_content(HEADING)
    newsletter = Newsletter.objects.create(name="Nieuwsbrief", purpose=marketing, created_at=now)
    Edition.objects.create(newsletter=newsletter, subject="Voorjaar", content=content, created_at=now)
    return content


def test_a_content_is_made_and_changed(api: APIClient, house: Any) -> None:
    body = {"name": "Voorbeeld", "subject": "Dag {{ first_name }}", "blocks": [HEADING]}
    made = api.post(CONTENTS, body, format="json")
    assert made.status_code == 201, made.data
    assert made.data["blocks"][0]["id"]
    address = f"{CONTENTS}{made.data['id']}/"
    changed = api.patch(address, {"subject": "Nieuws", "version": made.data["version"]}, format="json")
    assert (changed.data["subject"], changed.data["name"], changed.data["blocks"]) == (
        "Nieuws", "Voorbeeld", made.data["blocks"],
    )  # fmt: skip
    late = api.patch(address, {"subject": "Te laat", "version": made.data["version"]}, format="json")
    assert (late.status_code, late.data["code"], late.data["field"]) == (409, "conflict", "version")
    assert api.get(address).data["subject"] == "Nieuws"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"subject": "Dag {{ iban }}"}, "merge_field"),
        ({"blocks": [{"type": "script", "data": {}}]}, "unknown_block"),
        ({"blocks": [{**HEADING, "id": "<b>"}]}, "block"),
        ({"blocks": {"type": "heading"}}, "blocks"),
        ({"blocks": ["heading"]}, "block"),
    ],
)
def test_a_content_that_is_not_right_is_refused(api: APIClient, content: Content, body: Any, code: str) -> None:
    for answer in (
        api.patch(f"{CONTENTS}{content.pk}/", body, format="json"),
        api.post(CONTENTS, {"name": "x", **body}, format="json"),
    ):
        assert (answer.status_code, answer.data["code"]) == (422, code), answer.data
    assert Content.objects.count() == 1


@pytest.mark.parametrize(
    "block",
    [
        {"type": "heading", "data": "Dag"},
        {"type": "heading", "data": ["Dag"]},
        {"type": ["heading"], "data": {}},
        {"type": "heading", "data": {"text": ["Dag"]}},
        {"type": "event", "data": {"title": "Lezing", "day": 20260601}},
        {"type": "event", "data": {"title": "Lezing", "day": "2026-06-01", "starts_at": [20]}},
        {"type": "event", "data": {"title": "Lezing", "day": True}},
        {"type": "image", "data": {"picture": {"a": 1}, "alt": "x"}},
        {"type": "columns", "data": {"layout": "1-1", "columns": [[{"type": "text", "data": 5}], []]}},
        {"type": "heading", "data": {"text": {"a": []}}, "audience": {"kind": [], "id": 1}},
        {"type": "heading", "data": {"text": "Dag"}, "audience": {"kind": "label", "id": "9" * 5000}},
        {"type": "heading", "data": {"text": "Dag"}, "audience": {"kind": "label", "id": [1]}},
    ],
)
def test_a_block_of_another_shape_is_refused_and_nothing_breaks(api: APIClient, content: Content, block: Any) -> None:
    answer = api.patch(f"{CONTENTS}{content.pk}/", {"blocks": [block]}, format="json")
    assert answer.status_code == 422, answer.data


def test_a_copy_lives_by_itself_and_blocks_are_taken_over(api: APIClient, content: Content) -> None:
    copy = api.post(f"{CONTENTS}{content.pk}/copy/", {"name": "Kopie"}, format="json")
    assert copy.status_code == 201
    assert copy.data["subject"] == content.subject
    assert copy.data["blocks"][0]["data"] == content.blocks[0]["data"]
    assert copy.data["blocks"][0]["id"] != content.blocks[0]["id"]
    api.patch(f"{CONTENTS}{copy.data['id']}/", {"blocks": [BUTTON]}, format="json")
    content.refresh_from_db()
    assert content.blocks[0]["type"] == "heading"
    taken = api.post(f"{CONTENTS}{content.pk}/take-over/", {"content": copy.data["id"]}, format="json")
    assert [one["type"] for one in taken.data["blocks"]] == ["heading", "button"]


def test_versions_are_listed_read_and_put_back(api: APIClient, content: Content) -> None:
    address = f"{CONTENTS}{content.pk}/"
    api.patch(address, {"blocks": [HEADING, BUTTON]}, format="json")
    newest, first = api.get(f"{address}versions/").data
    assert (newest["number"], newest["is_current"], newest["by"]) == (2, True, "website")
    assert newest["changes"]
    assert (first["number"], first["by"]) == (1, None)
    old = api.get(f"{address}versions/1/").data
    assert [one["type"] for one in old["blocks"]] == ["heading"]
    again = api.post(f"{address}versions/1/restore/").data
    assert (again["number"], again["is_current"], len(again["blocks"])) == (3, True, 1)
    assert api.get(f"{address}versions/9/").status_code == 404


def test_what_an_edition_writes_is_read_and_not_changed(api: APIClient, written_by_edition: Content) -> None:
    address = f"{CONTENTS}{written_by_edition.pk}/"
    assert api.get(f"{address}preview/").status_code == 200
    for answer in (
        api.patch(address, {"subject": "x"}, format="json"),
        api.post(f"{address}take-over/", {"content": written_by_edition.pk}, format="json"),
        api.post(f"{address}versions/1/restore/"),
    ):
        assert (answer.status_code, answer.data["code"]) == (409, "edition_writes")


def test_a_preview_is_what_somebody_would_read(
    api: APIClient, make_content: Callable[..., Content], now: dt.datetime
) -> None:
    label = create_label(code="gezin", name="Gezinnen", kind="own", by=None, now=now)
    mine = {**HEADING, "data": {"text": "Voor gezinnen"}, "audience": {"kind": "label", "id": label.pk}}
    content = make_content(HEADING, mine, BUTTON)
    customer = CustomerFactory(first_name="Zoë", number="77")
    address = f"{CONTENTS}{content.pk}/preview/"
    read = api.get(address, {"customer": "77"}).data
    assert read["subject"] == "Nieuws voor Zoë"
    assert "Dag Zoë" in read["html"]
    assert "Dag Zoë" in read["text"]
    assert BUTTON["data"]["url"] in read["text"]  # type: ignore[index]
    assert read["sender_email"] == "nieuws@waterland.example"
    assert "Voor gezinnen" not in read["text"]
    assert "Voor gezinnen" in api.get(address, {"audience": f"label:{label.pk}"}).data["text"]
    give_label(label, type(customer).objects.all(), by="test", now=now)
    assert "Voor gezinnen" in api.get(address, {"customer": "77"}).data["text"]
    unknown = api.get(address, {"audience": "label:0"})
    assert (unknown.status_code, unknown.data["field"]) == (422, "audience")
    assert api.get(address, {"customer": "niemand"}).status_code == 400
    letter = api.get(f"{CONTENTS}{content.pk}/letter/", {"customer": "77"})
    assert "Dag Zoë" in PdfReader(io.BytesIO(letter.content)).pages[0].extract_text()
    assert Label.objects.count() == 1


def test_a_test_goes_to_colleagues_and_to_nobody_else(
    api: APIClient, content: Content, marketeer: User, smtp_sink: Sink
) -> None:
    marketeer.email = "petra@waterland.example"
    marketeer.save()
    address = f"{CONTENTS}{content.pk}/send-test/"
    CustomerFactory(number="77", first_name="Zoë")
    sent = api.post(address, {"recipients": [marketeer.username], "customer": "77"}, format="json")
    assert [one["state"] for one in sent.data] == ["sent"], sent.data
    [mail] = smtp_sink.received
    assert mail.recipients == ["petra@waterland.example"]
    assert mail.message["Subject"] == "[Test] Nieuws voor Zoë"
    [kept] = api.get(f"{CONTENTS}{content.pk}/tests/").data["results"]
    assert (kept["recipient"], kept["sent_by"], kept["as_customer"]) == (marketeer.username, "website", True)
    assert api.post(address, {"recipients": ["website"]}, format="json").status_code == 400
    assert api.post(address, {"recipients": []}, format="json").data["code"] == "no_recipient"
    assert SentTest.objects.count() == 1


def test_links_are_looked_up_when_asked_and_told_by_the_checks(
    api: APIClient, make_content: Callable[..., Content]
) -> None:
    content = make_content(BUTTON)
    address = f"{CONTENTS}{content.pk}/"
    [link] = api.get(f"{address}checks/").data["links"]
    assert (link["url"], link["place"], link["answer"]) == (
        BUTTON["data"]["url"], content.blocks[0]["id"], None,  # type: ignore[index]
    )  # fmt: skip
    asked = api.post(f"{address}check-links/")
    assert (asked.status_code, asked.data) == (202, {"asked": 1})
    check_links(ask=lambda _url: Answer(404, "404 Not Found"), now=LinkCheck.objects.get().asked_at)
    report = api.get(f"{address}checks/").data
    assert (report["links"][0]["answer"], report["links"][0]["is_fresh"]) == ("broken", True)
    assert "links.broken" in {one["code"] for one in report["findings"]}
    assert [api.post(f"{address}check-links/").data["asked"] for _time in range(2)] == [1, 0]  # it may be back


def test_a_picture_comes_into_the_library_and_into_a_content(
    api: APIClient, content: Content, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    file = SimpleUploadedFile("zee.jpg", picture_bytes().getvalue())
    made = api.post("/api/v1/pictures/", {"file": file, "alt": "De zee"}, format="multipart")
    assert made.status_code == 201, made.data
    assert str(Picture.objects.get().key) in made.data["url"]
    block = {"type": "image", "data": {"picture": made.data["id"], "alt": "De zee"}}
    changed = api.patch(f"{CONTENTS}{content.pk}/", {"blocks": [block]}, format="json")
    assert changed.data["blocks"][0]["data"]["picture"] == made.data["id"]
    wrong = SimpleUploadedFile("zee.svg", b"<svg/>")
    refused = api.post("/api/v1/pictures/", {"file": wrong, "alt": "De zee"}, format="multipart")
    assert (refused.status_code, refused.data["code"]) == (422, "picture")


def test_house_styles_are_read_changed_and_taken_away(api: APIClient, house: Any) -> None:
    BranchFactory(code="noord", name="Noord")
    ours, branch = f"{STYLES}organisation/", f"{STYLES}branches/noord/"
    assert api.get(ours).data["accent"] == ""
    assert api.get(branch).status_code == 404
    changed = api.patch(ours, {"accent": "#123456", "social": {"facebook": "https://f.example/w"}}, format="json")
    assert (changed.data["accent"], changed.data["branch"]) == ("#123456", None)
    api.patch(ours, {"font": "georgia"}, format="json")
    assert api.get(ours).data["social"] == {"facebook": "https://f.example/w"}
    made = api.patch(branch, {"sender_email": "noord@waterland.example"}, format="json")
    assert (made.data["branch"], made.data["sender_email"]) == ("noord", "noord@waterland.example")
    assert len(api.get(STYLES).data["results"]) == 2
    for address, body, code in (
        (ours, {"sender_name": "X"}, "sender"),
        (ours, {"accent": "rood"}, "colour"),
        (branch, {"social": {"hyves": "https://h.example"}}, "network"),
    ):
        refused = api.patch(address, body, format="json")
        assert (refused.status_code, refused.data["code"]) == (422, code)
    assert api.delete(branch).status_code == 204
    assert api.delete(ours).status_code == 405
    assert HouseStyle.objects.get().branch is None


@pytest.mark.rights("manage_mailings")
def test_a_block_is_kept_under_a_name_and_copied_into_another_content(api: APIClient) -> None:
    blocks = [{"type": "heading", "data": {"text": "Voorlezen"}}]
    one, other = (api.post("/api/v1/contents/", {"name": name, "subject": "x", "blocks": blocks}, format="json").data
                  for name in ("een", "ander"))  # fmt: skip
    wish = {"content": one["id"], "block": one["blocks"][0]["id"], "name": "Kop"}
    kept = api.post("/api/v1/saved-blocks/", wish, format="json")
    assert (kept.status_code, kept.data["data"]) == (201, {"text": "Voorlezen"})
    assert api.post("/api/v1/saved-blocks/", wish, format="json").status_code == 422  # the name is taken
    url = f"/api/v1/saved-blocks/{kept.data['id']}/"
    copy = api.post(f"{url}use/", {"content": other["id"]}, format="json").data["block"]
    assert [block["id"] for block in api.get(f"/api/v1/contents/{other['id']}/").data["blocks"]][1] == copy
    assert api.patch(url, {"name": "Voorleeskop"}, format="json").data["name"] == "Voorleeskop"
    assert api.delete(url).status_code == 204
    assert api.get("/api/v1/saved-blocks/").data["results"] == []
