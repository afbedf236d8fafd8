from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtime.transport.masking import apply_mask, mask_slowly

KEYS = st.binary(min_size=4, max_size=4)


@given(st.binary(max_size=300), KEYS)
def test_both_routines_agree(payload: bytes, key: bytes) -> None:
    expected = bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))
    assert mask_slowly(payload, key) == expected
    assert apply_mask(payload, key) == expected
