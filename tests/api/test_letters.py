from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from mailings.actions import letters
from mailings.models import LetterBatch, Mailing, Message
from mailings.tasks import print_letters_of
from tests.factories import CustomerFactory
from tests.mailings.conftest import base_data, house, make_content, marketing, start

__all__ = ["base_data", "house", "make_content", "marketing", "start"]

pytestmark = [pytest.mark.django_db, pytest.mark.rights("manage_mailings")]


def test_letters_are_printed_posted_and_undone(
    api: APIClient, start: Callable[..., Mailing], settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    CustomerFactory(email="", postal_code="1111AA"), CustomerFactory(email="")
    mailing = start(channels="letter", letters_to="names")
    assert api.get(f"/api/v1/mailings/{mailing.pk}/").data["letters_to"] == "names"
    made = api.post("/api/v1/letter-batches/", {"mailing": mailing.pk}, format="json")
    assert (made.status_code, made.data["letter_count"], made.data["has_file"]) == (201, 2, True)
    url = f"/api/v1/letter-batches/{made.data['id']}/"
    assert b"".join(api.get(f"{url}file/").streaming_content).startswith(b"%PDF")
    for again in ("reprint", "address-labels"):
        pdf = api.post(f"{url}{again}/", {}, format="json")
        assert (pdf.status_code, pdf.content[:4], pdf["Cache-Control"]) == (200, b"%PDF", "no-store, private")
    assert api.get(url).data["reprint_count"] == 1
    assert api.post(f"{url}reprint/", {"first": 2, "last": 9}, format="json").status_code == 422
    assert api.post(f"{url}address-labels/", {"skip": 24}, format="json").status_code == 400
    assert api.post(f"{url}undo/").data["undone_at"]
    assert api.get(f"{url}file/").status_code == 404
    assert api.post(f"{url}posted/").status_code == 409
    again = api.post("/api/v1/letter-batches/", {"mailing": mailing.pk}, format="json").data
    assert api.post(f"/api/v1/letter-batches/{again['id']}/posted/").data["posted_at"]
    assert api.post(f"/api/v1/letter-batches/{again['id']}/undo/").status_code == 409
    assert api.post("/api/v1/letter-batches/", {"mailing": mailing.pk}, format="json").status_code == 422
    assert api.get(f"/api/v1/letter-batches/?mailing={mailing.pk}").data["count"] == 2


def test_many_letters_are_printed_by_a_worker(
    api: APIClient,
    start: Callable[..., Mailing],
    settings: Any,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(letters, "PRINT_AT_ONCE", 1)
    CustomerFactory(email=""), CustomerFactory(email="")
    mailing = start(channels="letter", letters_to="names")
    with django_capture_on_commit_callbacks() as asked:
        assert api.post("/api/v1/letter-batches/", {"mailing": mailing.pk}, format="json").status_code == 202
    assert len(asked) == 1
    assert not LetterBatch.objects.exists()
    by = User.objects.filter(is_active=True).latest("pk")
    print_letters_of(mailing.pk, by.pk)
    made = LetterBatch.objects.get()
    assert (made.letter_count, made.created_by) == (2, by)
    Mailing.objects.update(state="paused")
    Message.objects.update(state="queued")
    assert api.post("/api/v1/letter-batches/", {"mailing": mailing.pk}, format="json").status_code == 409
