"""A route's rate limit in virtual time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtime.allowance import Allowance, allowance_of


def test_sixty_a_minute_with_a_burst_of_ten() -> None:
    allowance = Allowance(60, 10, 100.0)
    assert [allowance.take(100.0) for _ in range(12)] == [True] * 10 + [False] * 2
    assert not allowance.take(100.9)
    assert allowance.take(101.0)
    assert not allowance.take(101.0)
    assert [allowance.take(200.0) for _ in range(11)] == [True] * 10 + [False]


@given(
    st.floats(1, 10_000), st.integers(1, 50), st.lists(st.floats(0, 30, allow_subnormal=False), min_size=1, max_size=80)
)
def test_no_more_pass_than_burst_and_rate_allow(per_minute: float, burst: int, gaps: list[float]) -> None:
    allowance, now, passed = Allowance(per_minute, burst, 0.0), 0.0, 0
    for gap in gaps:
        now += gap
        passed += allowance.take(now)
    assert passed <= burst + now * per_minute / 60 + 1e-6


def test_both_forms_and_none() -> None:
    assert allowance_of({}, 0.0) is None
    short = allowance_of({"rate_limit": 30}, 0.0)
    assert short is not None
    assert (short.rate, short.burst) == (0.5, 10)
    long = allowance_of({"rate_limit": {"messages_per_minute": 60, "burst": 2}}, 0.0)
    assert long is not None
    assert (long.rate, long.burst) == (1.0, 2)


def test_a_reload_with_the_same_rate_gives_nothing_back() -> None:
    options = {"rate_limit": {"messages_per_minute": 60, "burst": 2}}
    spent = allowance_of(options, 0.0)
    assert spent is not None
    assert [spent.take(0.0) for _ in range(3)] == [True, True, False]
    assert allowance_of(options, 0.0, spent) is spent
    other = allowance_of({"rate_limit": 60}, 0.0, spent)
    assert other is not None
    assert other is not spent
