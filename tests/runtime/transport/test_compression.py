"""permessage-deflate: what is agreed on, what is shared, and that no bomb inflates."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import pytest

from runtime.transport import frames
from runtime.transport.compression import LEAST_BYTES, BadOffer, Compression, Deflate
from runtime.transport.frames import FrameReader
from tests.runtime.transport.harness import masked

TEXT, BINARY, RSV1 = 1, 2, 0x40
LONG = b"all work and no play makes jack a dull boy " * 20


def offer(value: str) -> tuple[tuple[str, str], ...]:
    return (("Sec-WebSocket-Extensions", value),)


def agreed(value: str = "permessage-deflate", compression: Compression | None = None) -> tuple[str, Deflate]:
    found = (compression or Compression()).negotiate(offer(value))
    assert found is not None
    return found


def raw_deflate(payload: bytes) -> bytes:
    squeezing = zlib.compressobj(wbits=-15)
    return (squeezing.compress(payload) + squeezing.flush(zlib.Z_SYNC_FLUSH))[:-4]


def raw_inflate(payload: bytes) -> bytes:
    return zlib.decompressobj(wbits=-15).decompress(payload + b"\0\0\xff\xff")


@pytest.mark.parametrize(
    "value",
    [
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        "x, permessage-deflate; server_max_window_bits=10",
    ],
)
def test_no_context_is_kept_in_either_direction(value: str) -> None:
    answer, _ = agreed(value)
    assert "server_no_context_takeover" in answer
    assert "client_no_context_takeover" in answer


@pytest.mark.parametrize("value", ["x-webkit-deflate-frame", "permessage-deflate; unknown=1"])
def test_an_offer_of_something_else(value: str) -> None:
    assert Compression().negotiate(offer(value)) is None


def test_no_offer() -> None:
    assert Compression().negotiate((("Host", "x"),)) is None


def test_an_offer_that_cannot_be_read() -> None:
    with pytest.raises(BadOffer):
        Compression().negotiate(offer("permessage-deflate; ="))


def test_equal_parameters_share_one_deflate() -> None:
    compression = Compression()
    first, second = (agreed(compression=compression)[1] for _ in range(2))
    assert first is second
    assert agreed("permessage-deflate; server_max_window_bits=9", compression)[1] is not first


def test_a_frame_is_compressed_once() -> None:
    _, deflate = agreed()
    frame = frames.encode_text(LONG.decode())
    squeezed = deflate.compressed(frame)
    assert squeezed[0] == 0xC1
    assert raw_inflate(frames.payload_of(squeezed)) == LONG
    assert deflate.compressed(frame) is squeezed


@pytest.mark.parametrize(
    "frame",
    [
        frames.encode_text("x" * (LEAST_BYTES - 1)),
        frames.encode_binary(bytes(range(256))),
        frames.encode_frame(frames.PING, b"x" * 100),
        frames.encode_close(1000, "x" * 100),
    ],
)
def test_frames_that_stay_as_they_are(frame: bytes) -> None:
    assert agreed()[1].compressed(frame) is frame


@pytest.mark.parametrize("size", [LEAST_BYTES, 125, 126, 65_535, 65_536])
def test_every_form_of_the_length(size: int) -> None:
    squeezed = agreed()[1].compressed(frames.encode_binary(b"x" * size))
    assert raw_inflate(frames.payload_of(squeezed)) == b"x" * size


class Stream:
    """A reader and what it found."""

    def __init__(self, most: int = 1_000, *, compressed: bool = True) -> None:
        self.messages: list[str | bytes] = []
        self.failure: tuple[int, str] | None = None
        inflate = agreed()[1].inflate if compressed else None
        self.reader = FrameReader(
            self, self.messages.append, max_message=most, max_fragments=10, allowance=10, inflate=inflate
        )

    def texts_received(self, texts: Iterator[str]) -> None: ...

    def ping_received(self, payload: bytes) -> None: ...

    def pong_received(self, payload: bytes) -> None: ...

    def close_received(self, code: int, reason: str) -> None: ...

    def allowance_spent(self) -> bool:
        return False

    def stream_failed(self, code: int, reason: str, limit: str) -> None:
        self.failure = code, limit


def test_compressed_and_plain_messages_in_one_stream() -> None:
    stream = Stream()
    squeezed = raw_deflate(LONG)
    stream.reader.feed(masked(TEXT | RSV1, squeezed) + masked(TEXT, b"plain") + masked(BINARY | RSV1, squeezed))
    assert stream.messages == [LONG.decode(), "plain", LONG]


def test_fragments_are_inflated_together() -> None:
    stream = Stream()
    squeezed = raw_deflate(LONG)
    stream.reader.feed(masked(TEXT | RSV1, squeezed[:5], fin=False) + masked(9, b"x") + masked(0, squeezed[5:]))
    stream.reader.feed(masked(TEXT, "ä".encode()[:1], fin=False) + masked(0, "ä".encode()[1:]))
    assert stream.messages == [LONG.decode(), "ä"]


@pytest.mark.parametrize(
    ("sent", "failure"),
    [
        (masked(TEXT | RSV1, raw_deflate(b"x" * 1_001)), (1009, "max_message_bytes")),
        (masked(TEXT | RSV1, raw_deflate(b"x" * 10_000_000)[:900]), (1009, "max_message_bytes")),
        (masked(TEXT | RSV1, b"\xff" * 10), (1007, "")),
        (masked(TEXT | RSV1, raw_deflate(b"\xff")), (1007, "")),
        (masked(TEXT | RSV1, b"xx", fin=False) + masked(RSV1, b"x"), (1002, "")),
        (masked(9 | RSV1, b"x"), (1002, "")),
        (masked(TEXT | 0x20, b"x"), (1002, "")),
    ],
    ids=["too long", "bomb", "no deflate", "no text", "bit inside", "bit on a ping", "another bit"],
)
def test_what_ends_a_stream(sent: bytes, failure: tuple[int, str]) -> None:
    stream = Stream()
    stream.reader.feed(sent)
    assert stream.failure == failure
    assert stream.messages == []


def test_a_message_of_just_the_limit_passes() -> None:
    stream = Stream(1_000)
    stream.reader.feed(masked(BINARY | RSV1, raw_deflate(b"x" * 1_000)))
    assert stream.messages == [b"x" * 1_000]


def test_a_message_that_compression_makes_longer_passes() -> None:
    stored = b"".join(
        b"\0" + len(part).to_bytes(2, "little") + (len(part) ^ 0xFFFF).to_bytes(2, "little") + part
        for part in (b"x" * 500,) * 2
    )
    stream = Stream(1_000)
    stream.reader.feed(masked(BINARY | RSV1, stored + b"\0"))
    assert stream.messages == [b"x" * 1_000]


def test_without_an_agreement_the_bit_is_an_error() -> None:
    stream = Stream(compressed=False)
    stream.reader.feed(masked(TEXT | RSV1, raw_deflate(LONG)))
    assert stream.failure == (1002, "")
