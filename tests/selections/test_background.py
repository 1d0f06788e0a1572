"""Counts that a page does not wait for."""

from __future__ import annotations

import datetime as dt

import pytest

from selections.background import GIVEN_UP, answer_of, ask, count
from selections.rules import EVERYBODY
from tests.factories import NOW, CustomerFactory

pytestmark = pytest.mark.django_db

MINUTE = dt.timedelta(minutes=1)


def test_who_asks_the_same_waits_along_until_a_worker_answered() -> None:
    CustomerFactory()
    assert ask("vraag", now=NOW)
    assert not ask("vraag", now=NOW + MINUTE)
    count(EVERYBODY, ticket="vraag", now=NOW)
    answer = answer_of("vraag")
    assert answer is not None
    assert answer.measure is not None
    assert answer.measure.total == 1
    assert ask("vraag", now=NOW + 2 * MINUTE)


def test_a_question_of_which_the_worker_was_stopped_may_be_asked_again() -> None:
    assert ask("vraag", now=NOW)
    assert ask("vraag", now=NOW + GIVEN_UP)
