"""What nodes send each other, through bytes and back."""

from __future__ import annotations

import msgspec
import pytest

from runtime.bus.envelopes import VERSION, Envelope, KeptEnvelope, Kind, decode, decode_changes, decode_whole, encode


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope(VERSION, Kind.MESSAGE, "0a1b2c3d", 3, 7, 6, frame=b"\x81\x02hi"),
        Envelope(VERSION, Kind.DIRECT, "0a1b2c3d", 3, 8, to="somebody", frame=b""),
        Envelope(VERSION, Kind.BEAT, "0a1b2c3d", 1, previous=5, amount=2**40),
    ],
)
def test_there_and_back(envelope: Envelope) -> None:
    assert decode(encode(envelope)) == KeptEnvelope(*msgspec.structs.astuple(envelope))


def test_a_place_in_a_channel_stands_at_the_end() -> None:
    written = encode(KeptEnvelope(VERSION, Kind.MESSAGE, "n", 1, frame=b"frame"))
    assert written.endswith(b"frame\x00\xa0")
    heard = decode(written[:-2] + encode(70_000) + encode("an epoch"))
    assert (heard.frame, heard.offset, heard.row) == (b"frame", 70_000, "an epoch")


def test_what_a_newer_node_adds_is_passed_over() -> None:
    longer = msgspec.msgpack.encode([*msgspec.structs.astuple(KeptEnvelope(VERSION, Kind.BYE, "n", 1)), "more"])
    assert decode(longer) == KeptEnvelope(VERSION, Kind.BYE, "n", 1)


@pytest.mark.parametrize("wrong", [b"", b"\x91\x01", msgspec.msgpack.encode(["1", 0, "n", 1])])
def test_what_is_no_envelope(wrong: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(wrong)


def test_presence() -> None:
    assert decode_changes(encode((4, [(True, "room", "c1")]))) == (4, [(True, "room", "c1")])
    assert decode_whole(encode((4, {"room": ["c1"]}))) == (4, {"room": ["c1"]})
