from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from campaigns.models import Action, Trigger
from common.errors import Refused
from customers.facts import kind_users
from labels.actions import create_label
from selections.actions import create_selection, delete_selection
from selections.models import Selection
from selections.usages import uses_of
from tests.campaigns.conftest import TEXT

EVERYBODY = {"version": 2, "op": "all", "children": []}


@pytest.fixture
def selection(now: dt.datetime) -> Selection:
    return create_selection(name="Lezers", rule=EVERYBODY, now=now)


@pytest.mark.parametrize("kind", ["selection", "label"])
def test_a_block_for_some_uses_their_selection_or_label(
    make_action: Callable[..., Action], selection: Selection, now: dt.datetime, kind: str
) -> None:
    label = create_label(name="Rood", kind="own", now=now)
    thing = selection if kind == "selection" else label
    make_action("Voor allen")
    action = make_action("Voor enkelen", blocks=[TEXT, {**TEXT, "audience": {"kind": kind, "id": thing.pk}}])
    assert [(use.kind, use.thing) for use in uses_of(thing)] == [("actie", action)]
    assert uses_of(label if kind == "selection" else selection) == []


def test_a_trigger_at_the_door_uses_its_selection(
    make_action: Callable[..., Action], selection: Selection, now: dt.datetime
) -> None:
    other = create_selection(name="Anderen", rule=EVERYBODY, now=now)
    trigger = Trigger.objects.create(
        name="Komt binnen",
        kind="enters_selection",
        params={"selection": selection.pk},
        action=make_action(),
        created_at=now,
    )
    Trigger.objects.create(
        name="Bij de verjaardag", kind="birthday", params={"selection": other.pk}, action=make_action(), created_at=now
    )
    assert [use.thing for use in uses_of(selection)] == [trigger]
    assert uses_of(other) == []
    with pytest.raises(Refused, match="Komt binnen"):
        delete_selection(selection)


def test_a_trigger_that_waits_for_an_activity_uses_its_kind(
    make_action: Callable[..., Action], now: dt.datetime
) -> None:
    told = {"action": make_action(), "created_at": now}
    trigger = Trigger.objects.create(name="Na", kind="fact_days_ago", params={"kind": "loan", "days": 3}, **told)
    Trigger.objects.create(name="Ook", kind="fact_days_ago", params={"kind": "visit", "days": 3}, **told)
    used = [use for find in kind_users for use in find("loan") if isinstance(use.thing, Trigger)]  # type: ignore[attr-defined]
    assert [use.thing for use in used] == [trigger]  # type: ignore[attr-defined]
