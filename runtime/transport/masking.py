"""XOR with a frame's masking key: the C routine of `websockets` where it was built, else plain Python."""

from __future__ import annotations

from collections.abc import Callable


def mask_slowly(payload: bytes, key: bytes) -> bytes:
    """XOR `payload` with the 4 bytes of `key` repeated, in plain Python."""
    size = len(payload)
    pad = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(pad, "little")).to_bytes(size, "little")


def _fastest() -> Callable[[bytes, bytes], bytes]:
    try:
        from websockets.speedups import apply_mask
    except ImportError:
        return mask_slowly
    return apply_mask


apply_mask: Callable[[bytes, bytes], bytes] = _fastest()
"""`apply_mask(payload, key)`: masks, or unmasks, which is the same."""
