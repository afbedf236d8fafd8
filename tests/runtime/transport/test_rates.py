from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtime.transport.rates import UNLIMITED, Bucket, first_tokens, tokens_after


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
        assert given_out <= 20 + 10 * now


def test_a_steady_client_below_the_rate_is_never_refused() -> None:
    bucket = Bucket(10, 1, 0.0)
    assert all(bucket.take(number * 0.11) for number in range(1000))
