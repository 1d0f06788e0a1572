import math

import pytest

from mailings.experiments.significance import beyond, judge, likely


@pytest.mark.parametrize(
    ("chi", "freedom", "share"),
    # from the tables of the chi-square distribution
    [(3.841459, 1, 0.05), (6.634897, 1, 0.01), (5.991465, 2, 0.05), (7.814728, 3, 0.05), (9.487729, 4, 0.05),
     (13.276704, 4, 0.01), (0.0, 1, 1.0), (0.0, 3, 1.0)],
)  # fmt: skip
def test_the_distribution_is_that_of_the_tables(chi: float, freedom: int, share: float) -> None:
    assert math.isclose(beyond(chi, freedom), share, abs_tol=1e-6)


def test_two_versions_are_compared_as_two_proportions() -> None:
    # z = 2.2361, as any textbook reckons it: pooled 60/400, difference 0.08
    verdict = judge([(200, 22), (200, 38)])
    z = 0.08 / math.sqrt(0.15 * 0.85 * (1 / 200 + 1 / 200))
    assert verdict.p is not None
    assert math.isclose(verdict.p, math.erfc(z / math.sqrt(2)), rel_tol=1e-9)
    assert verdict.is_difference
    assert verdict.best == 1


def test_a_small_difference_is_none() -> None:
    verdict = judge([(1000, 100), (1000, 104)])
    assert verdict.p is not None
    assert not verdict.is_difference


@pytest.mark.parametrize("counts", [[(20, 1), (20, 6)], [(0, 0), (0, 0)], [(500, 0), (500, 0)], [(100, 100), (9, 9)]])
def test_with_too_few_readers_nothing_is_said(counts: list[tuple[int, int]]) -> None:
    assert judge(counts).p is None
    assert not judge(counts).is_difference


def test_equal_versions_leave_the_first_as_the_best() -> None:
    assert judge([(100, 10), (100, 10), (100, 10)]).best == 0


def test_equal_versions_are_hardly_ever_said_to_differ() -> None:
    import random

    chance = random.Random(2027)
    shown = 0
    for _test in range(400):
        counts = [(300, sum(chance.random() < 0.1 for _reader in range(300))) for _arm in range(3)]
        shown += judge(counts).is_difference
    assert 4 <= shown <= 40  # 5% is 20


def test_the_likely_range_holds_the_share_and_narrows_with_more_readers() -> None:
    low, high = likely(100, 10)
    assert math.isclose(low, 0.0552, abs_tol=5e-4)
    assert math.isclose(high, 0.1744, abs_tol=5e-4)
    narrow = likely(10_000, 1000)
    assert low < narrow[0] < 0.1 < narrow[1] < high
    assert likely(0, 0) == (0.0, 1.0)
    assert likely(50, 0)[0] < 1e-9
