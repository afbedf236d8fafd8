from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtime.transport.rates import UNLIMITED, Bucket, first_tokens, tokens_after, whole_seconds


def test_a_rate_of_zero_is_no_limit() -> None:
    assert first_tokens(0, 5) == UNLIMITED
    assert tokens_after(-1, 0, 5, 0.0) == UNLIMITED
    bucket = Bucket(0, 0, 0.0)
    assert all(bucket.take(0.0) for _ in range(1000))


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    assert tokens_after(3, 10, 5, 100.0) == 5


def test_a_bucket_refills_at_its_rate() -> None:
    assert tokens_after(-1, 10, 50, 0.5) == 4


@given(st.lists(st.floats(min_value=0, max_value=2), min_size=1, max_size=200))
def test_no_bucket_gives_more_than_burst_and_rate_allow(waits: list[float]) -> None:
    bucket, now, given_out = Bucket(10, 20, 0.0), 0.0, 0
    for wait in waits:
        now += wait
        given_out += bucket.take(now)
        assert given_out <= 20 + 10 * now + 1e-6  # times are sums of fractions


def test_a_steady_client_below_the_rate_is_never_refused() -> None:
    bucket = Bucket(10, 1, 0.0)
    assert all(bucket.take(number * 0.11) for number in range(1000))


@given(st.lists(st.floats(min_value=0, max_value=2), min_size=1, max_size=200))
def test_who_is_refused_takes_nothing(waits: list[float]) -> None:
    """However many ask in vain: what the rate says is given out, neither less nor later."""
    bucket, now, room = Bucket(10, 20, 0.0), 0.0, 20.0
    for wait in waits:
        now += wait
        room = min(20.0, room + 10 * wait)
        asked = [bucket.take(now) for _ in range(50)]
        assert asked == sorted(asked, reverse=True)
        given_out = sum(asked)
        assert room - 1 - 1e-6 < given_out <= room + 1e-6
        room -= given_out


@given(st.sampled_from([0.7, 3, 49, 1_000, 1 << 20]), st.lists(st.floats(min_value=0, max_value=2), max_size=100))
def test_part_of_a_token_is_not_lost(rate: float, waits: list[float]) -> None:
    """Who looks often gets as much as who looks once."""
    tokens, filled_at, now = 0, 0.0, 0.0
    for wait in waits:
        now += wait
        seconds = whole_seconds(rate, now - filled_at)
        filled_at += seconds
        tokens = tokens_after(tokens, rate, UNLIMITED, seconds)
    assert rate * now - 1.001 < tokens < rate * now + 0.001


def test_without_a_rate_all_time_counts() -> None:
    assert whole_seconds(0, 1.5) == 1.5
