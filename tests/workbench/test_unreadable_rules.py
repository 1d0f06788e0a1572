"""A stored rule that can no longer be read, as when a kind of activity was taken away, breaks no page of a label."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from common.time import clock
from labels.actions import create_label
from labels.models import Label

pytestmark = pytest.mark.django_db

GONE = {"version": 2, "op": "all", "children": [{"criterion": "facts.count", "params": {"kind": "gone", "times": 1}}]}


@pytest.mark.parametrize("page", ["", "rule/"])
def test_a_page_of_a_label_says_that_its_rule_cannot_be_read(
    marketeer: User, client_of: Callable[[User], Client], page: str
) -> None:
    label = create_label(name="Volgt", kind="own", now=clock())
    Label.objects.filter(pk=label.pk).update(rule=GONE)
    answer = client_of(marketeer).get(f"/labels/{label.pk}/{page}")
    assert answer.status_code == 200
    assert "Deze regel is niet meer te lezen" in answer.content.decode()
