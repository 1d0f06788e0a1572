"""Every criterion there is, in a real browser: found in the menu, shown as filled in, counted, saved and opened again;
and the API gives the same counts. What is asked is what the plain twins may ask, of their population.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.utils import translation
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from playwright.sync_api import APIRequestContext, Page, expect

from common.actions import add_integration
from common.criteria import criteria
from common.errors import Refused
from labels.models import Label, LabelGroup
from selections.actions import checked
from selections.models import Selection
from selections.rules import Condition, parse_rule
from tests.browser import READY_AXE
from tests.factories import NOW
from tests.journeys.test_accessibility import AXE, ENGLISH, FITS
from tests.selections.plain import TWINS
from tests.selections.plain.population import Population

Rule = dict[str, Any]
CODES = [criterion.code for criterion in criteria]
BATCH = 36
BATCHES = range(-(-len(CODES) // BATCH))
DRAWN = 12  # examples of each criterion, of which the one that fills in most is tried
EVALUATE = "/api/v1/selections/evaluate/"

# What axe need not read again: it is on every page, or at every part.
SAME = ["#sidebar", "#part-r > .rule-parts > li + li > .rule-criterion > .rule-head > .rule-tools"]

# Enter in the menu presses what is the chosen match; here that is noted instead of sent to the server.
NOTE_PRESSED = """() => {
    window.pressed = [];
    window.addEventListener("click", (event) => {
        const item = event.target.closest(".menu-item");
        if (!item) return;
        event.preventDefault();
        event.stopImmediatePropagation();
        window.pressed.push(item.value);
    }, true);
}"""
# What the page would send of the rule.
FIELDS = """() => [...new FormData(document.getElementById("builder-form"))]
    .filter(([name, value]) => /^r(-[0-9]+)*(__|-)/.test(name) && !name.endsWith("__key") && value !== "")"""


@pytest.fixture
def population(transactional_db: None) -> Population:
    made = Population(seed=1)
    Label.objects.create(  # a group without any label is not offered
        code="rond", name="Rond", kind="own", group=LabelGroup.objects.get(code="vormen"), created_at=NOW
    )
    return made


@pytest.fixture
def rule_of(population: Population) -> Callable[[int], Rule]:
    """Give the rule of one batch of criteria, each with much filled in."""

    def rule_of(batch: int) -> Rule:
        codes = CODES[batch * BATCH : (batch + 1) * BATCH]
        children = [{"criterion": code, "params": example(code)} for code in codes]
        return {"version": 2, "op": "any", "children": children}

    return rule_of


def example(code: str) -> dict[str, Any]:
    """Return what may be filled in, the fullest of a few; the same every time."""
    drawn: list[dict[str, Any]] = []

    @settings(max_examples=DRAWN, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.tuples(st.just(code), TWINS[code].params))
    def draw(one: tuple[str, dict[str, Any]]) -> None:
        drawn.append(one[1])

    draw()
    allowed = [params for params in drawn if _is_allowed(code, params)]
    return max(allowed, key=lambda params: sum(value not in ("", None, [], False) for value in params.values()))


def _is_allowed(code: str, params: dict[str, Any]) -> bool:
    try:
        checked(_alone({"criterion": code, "params": params}), now=NOW)
    except Refused:
        return False
    return True


def _alone(condition: dict[str, Any]) -> Rule:
    return {"version": 2, "op": "all", "children": [condition]}


def _label(code: str) -> str:
    with translation.override("nl"):
        return str(criteria[code].label)


@pytest.fixture
def ask(page: Page, administrator: User, live_server: Any) -> Callable[[Rule], int]:
    """Ask the API how many a rule means, with a token of its own."""
    _user, token = add_integration(name="website", by=administrator)
    request: APIRequestContext = page.request

    def ask(rule: Rule) -> int:
        answer = request.post(EVALUATE, data={"rule": rule, "sample": 0}, headers={"Authorization": f"Bearer {token}"})
        assert answer.ok, answer.text()
        return int(answer.json()["count"])

    return ask


def test_every_criterion_is_found_by_typing_its_name(
    page: Page, sign_in: Callable[[User], None], marketeer: User, population: Population
) -> None:
    sign_in(marketeer)
    page.goto("/selections/new/")
    expect(page.locator("#bar-total")).to_contain_text("klanten")
    menu = page.locator("#part-r > .rule-add .rule-choose")
    for number, code in enumerate(CODES[:: len(CODES) // 4]):  # a handful really, key by key
        menu.locator("summary").focus()
        page.keyboard.press("Enter")
        expect(menu.locator("[data-menu-search]")).to_be_focused()
        page.keyboard.type(_label(code))
        page.keyboard.press("Enter")
        expect(page.locator(f"#part-r-{number} .rule-title")).to_have_text(_label(code))
    menu.locator("summary").click()
    page.evaluate(NOTE_PRESSED)
    search = menu.locator("[data-menu-search]")
    for code in CODES:
        search.fill(_label(code))
        search.press("Enter")
    assert page.evaluate("window.pressed") == [f"add:r:{code}" for code in CODES]


@pytest.mark.parametrize("batch", BATCHES)
def test_every_criterion_is_shown_counted_saved_and_opened_again(
    page: Page,
    sign_in: Callable[[User], None],
    marketeer: User,
    rule_of: Callable[[int], Rule],
    ask: Callable[[Rule], int],
    batch: int,
) -> None:
    rule = rule_of(batch)
    codes = [child["criterion"] for child in rule["children"]]
    sign_in(marketeer)
    page.goto("/selections/new/?" + urlencode({"name": f"Alles {batch}", "rule": json.dumps(rule)}))
    _expect_all_there(page, codes)
    alone = [int(words.split()[0]) for words in page.locator("#rule .rule-alone").all_inner_texts()]
    assert dict(zip(codes, alone, strict=True)) == {
        child["criterion"]: ask(_alone(child)) for child in rule["children"]
    }
    assert page.locator("#bar-total strong").inner_text() == str(ask(rule))
    assert ENGLISH.findall(page.locator("main").inner_text()) == []
    _expect_accessible(page)

    shown = page.evaluate(FIELDS)
    page.get_by_role("button", name="Selectie opslaan").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Alles {batch}")
    saved = Selection.objects.get(name=f"Alles {batch}").rule
    assert _conditions(saved) == _conditions(rule)
    page.get_by_role("link", name="Wijzigen").click()
    _expect_all_there(page, codes)
    assert page.evaluate(FIELDS) == shown


def _expect_all_there(page: Page, codes: list[str]) -> None:
    expect(page.locator("#rule .rule-alone")).to_have_count(len(codes))
    assert page.locator("#rule .rule-title").all_inner_texts() == [_label(code) for code in codes]
    assert (
        page.locator("main :is(.field-error, .is-wrong, .rule-gap, .rule-unfinished, .alert)").all_inner_texts() == []
    )


def _conditions(rule: Rule) -> list[tuple[str, dict[str, Any]]]:
    """Return the settings of each part; of a choice of several the order means nothing."""
    return [
        (child.criterion, {name: _in_order(value) for name, value in child.params.model_dump(mode="json").items()})
        for child in parse_rule(rule).children
        if isinstance(child, Condition)
    ]


def _in_order(value: Any) -> Any:
    return sorted(value, key=str) if isinstance(value, list) else value


def _expect_accessible(page: Page) -> None:
    page.evaluate(READY_AXE)
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(FITS), f"sticks out sideways at {width}"
        assert page.evaluate(AXE, SAME) == []
    page.set_viewport_size({"width": 1440, "height": 900})
