from __future__ import annotations

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from vouchers.benefits import Benefit, describe, discount_cents, needs_order
from vouchers.models import Definition


def terms(benefit: str, *, percent: int | None = None, amount: int | None = None, product: str = "") -> Definition:
    return Definition(benefit=benefit, percent=percent, amount_cents=amount, product=product)


@pytest.mark.parametrize(
    ("benefit", "order", "discount"),
    [
        (terms("percent", percent=25), 1000, 250),
        (terms("percent", percent=25), 0, 0),
        (terms("percent", percent=100), 999, 999),
        (terms("percent", percent=10), 5, 1),  # half a cent goes to the customer
        (terms("percent", percent=10), 4, 0),
        (terms("fixed", amount=250), 1000, 250),
        (terms("fixed", amount=250), 100, 100),
        (terms("fixed", amount=250), None, 250),
        (terms("set_price", amount=500), 1250, 750),
        (terms("set_price", amount=500), 400, 0),
        (terms("set_price", amount=0), 400, 400),
        (terms("free_product", product="koffie"), None, 0),
        (terms("free_product", product="koffie", amount=275), None, 275),
        (terms("free_product", product="koffie", amount=275), 200, 200),
    ],
)
def test_discount_in_cents(benefit: Definition, order: int | None, discount: int) -> None:
    assert discount_cents(benefit, order) == discount


@pytest.mark.parametrize("benefit", [terms("percent", percent=25), terms("set_price", amount=500)])
def test_percentage_and_special_price_need_the_order(benefit: Definition) -> None:
    assert needs_order(benefit)
    with pytest.raises(ValueError, match="order amount"):
        discount_cents(benefit, None)


@given(
    benefit=st.sampled_from(Benefit.values),
    percent=st.integers(1, 100),
    amount=st.integers(0, 10_000_00),
    order=st.integers(0, 2**31 - 1),
)
def test_a_discount_lies_between_nothing_and_the_order(benefit: str, percent: int, amount: int, order: int) -> None:
    assert 0 <= discount_cents(terms(benefit, percent=percent, amount=amount, product="x"), order) <= order


@pytest.mark.parametrize(
    ("benefit", "words"),
    [
        (terms("percent", percent=25), "25% off"),
        (terms("percent", percent=25, product="tickets"), "25% off tickets"),
        (terms("fixed", amount=500), "€\u00a05 off"),
        (terms("fixed", amount=250, product="tea"), "€\u00a02,50 off tea"),
        (terms("set_price", amount=750, product="Any play"), "Any play for €\u00a07,50"),
        (terms("set_price", amount=750), "Everything for €\u00a07,50"),
        (terms("free_product", product="a cup of coffee"), "Free: a cup of coffee"),
    ],
)
def test_benefit_in_words(benefit: Definition, words: str) -> None:
    with translation.override("en"):
        assert describe(benefit) == words
