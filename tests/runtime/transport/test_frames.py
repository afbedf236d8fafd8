"""The codec alone: encoders, and the reader's contract."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from runtime.transport import frames
from runtime.transport.frames import (
    ABNORMAL,
    NO_CODE,
    FrameReader,
    encode_binary,
    encode_close,
    encode_text,
    encode_utf8,
    is_sendable,
)
from runtime.transport.masking import apply_mask
from tests.runtime.transport.harness import Deliberate, masked, read_frames


class Script:
    """A listener that writes down what happens. It takes as many of the texts that come together as it is told to."""

    def __init__(
        self, max_message: int = 1000, allowance: int = 1000, refills: int = 0, taken: int | None = None
    ) -> None:
        self.events: list[tuple[object, ...]] = []
        self.refills = refills
        self.taken = taken
        self.reader = FrameReader(self, self.deliver, max_message=max_message, max_fragments=4, allowance=allowance)

    def deliver(self, message: str | bytes) -> None:
        self.events.append(("message", message))

    def texts_received(self, texts: Iterator[str]) -> None:
        for text in itertools.islice(texts, self.taken):
            self.reader.deliver(text)

    def ping_received(self, payload: bytes) -> None:
        self.events.append(("ping", payload))

    def pong_received(self, payload: bytes) -> None:
        self.events.append(("pong", payload))

    def close_received(self, code: int, reason: str) -> None:
        self.events.append(("close", code, reason))

    def stream_failed(self, code: int, reason: str, limit: str) -> None:
        self.events.append(("failed", code))

    def allowance_spent(self) -> bool:
        self.refills -= 1
        if self.refills >= 0:
            self.reader.allowance += 1
        return self.refills >= 0


def events(*pieces: bytes, max_message: int = 1000) -> list[tuple[object, ...]]:
    script = Script(max_message)
    for piece in pieces:
        script.reader.feed(piece)
    return script.events


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 100_000])
def test_encoded_frames_are_read_back(size: int) -> None:
    assert read_frames(encode_text("x" * size)) == ([(0x81, b"x" * size)], b"")
    assert read_frames(encode_binary(b"\xff" * size)) == ([(0x82, b"\xff" * size)], b"")
    assert encode_utf8(b"x" * size) == encode_text("x" * size)


def test_the_length_of_a_text_is_that_of_its_bytes() -> None:
    assert encode_text("é" * 63) == b"\x81\x7e\x00\x7e" + "é".encode() * 63


def test_a_lone_surrogate_is_no_text() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode_text("\ud800")


def test_a_long_reason_is_cut_between_characters() -> None:
    [(_, payload)], _ = read_frames(encode_close(1000, "x" * 122 + "é"))
    assert payload == b"\x03\xe8" + b"x" * 122


def test_a_reason_with_a_lone_surrogate_is_sent_without_it() -> None:
    assert encode_close(1000, "a\ud800") == b"\x88\x04\x03\xe8a?"


def test_no_code_is_an_empty_frame() -> None:
    assert encode_close(NO_CODE) == b"\x88\x00"


@pytest.mark.parametrize("code", [0, 999, 1004, ABNORMAL, 1015, 2999, 5000])
def test_a_code_that_may_not_be_sent(code: int) -> None:
    assert not is_sendable(code)
    with pytest.raises(ValueError):
        encode_close(code)


def test_nothing_follows_a_close_frame() -> None:
    stream = masked(1, b"a") + masked(8, b"\x0f\xa0bye") + masked(1, b"b")
    assert events(stream, masked(1, b"c")) == [("message", "a"), ("close", 4000, "bye")]


def test_too_big_is_known_from_the_header() -> None:
    assert events(masked(2, b"x" * 1001)[:8]) == [("failed", 1009)]


def test_too_big_in_all_is_known_from_the_header() -> None:
    assert events(masked(2, b"x" * 600, fin=False), masked(0, b"x" * 401)[:4]) == [("failed", 1009)]


@pytest.mark.parametrize("most", [0, 1, 10, 124, 125, 126])
def test_the_limit_holds_for_short_messages(most: int) -> None:
    fits, exceeds = masked(0x81, b"x" * most), masked(0x81, b"x" * (most + 1))
    assert events(fits + exceeds, max_message=most) == [("message", "x" * most), ("failed", 1009)]


def test_a_bad_byte_is_known_before_the_rest_of_the_frame() -> None:
    assert events(masked(1, b"\xff" + b"x" * 99)[:7]) == [("failed", 1007)]


def test_too_many_fragments() -> None:
    assert events(masked(1, fin=False), *[masked(0, fin=False)] * 4) == [("failed", 1008)]


def test_halt_keeps_what_follows() -> None:
    script = Script()
    seen: list[str | bytes] = []

    def one_at_a_time(message: str | bytes) -> None:
        seen.append(message)
        script.reader.halt()

    script.reader.deliver = one_at_a_time
    script.reader.feed(masked(1, b"a") + masked(2, b"b") + masked(1, b"c" * 200) + masked(1, b"d")[:3])
    assert seen == ["a"]
    script.reader.feed(b"")
    assert seen == ["a", b"b"]
    script.reader.feed(masked(1, b"d")[3:])
    script.reader.feed(b"")
    script.reader.feed(b"")
    assert seen == ["a", b"b", "c" * 200, "d"]
    assert not script.reader.inside_message


@pytest.mark.parametrize("ends", [False, True])
def test_texts_that_come_together_are_not_taken_after_halt(ends: bool) -> None:
    script = Script(allowance=9)
    seen: list[str] = []

    def some(texts: Iterator[str]) -> None:
        for text in texts:
            seen.append(text)
            if text == "b":
                assert script.reader.is_running
                script.reader.stop() if ends else script.reader.halt()
                assert not script.reader.is_running
                return

    script.texts_received = some  # type: ignore[method-assign]
    script.reader.feed(b"".join(masked(1, text) for text in (b"a", b"b", b"c", b"d", b"e")))
    assert seen == ["a", "b"]
    assert script.reader.allowance == 7
    script.reader.feed(b"")
    assert (seen, script.events) == (["a", "b"], [] if ends else [("message", text) for text in "cde"])


def test_texts_that_wait_are_not_parsed_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    script, parsed = Script(), 0

    def counted(data: bytes, key: bytes) -> bytes:
        nonlocal parsed
        parsed += 1
        return apply_mask(data, key)

    def half_an_inbox(texts: Iterator[str]) -> None:
        script.events += [("message", text) for text in itertools.islice(texts, 32)]
        script.reader.halt()

    monkeypatch.setattr(frames, "apply_mask", counted)
    script.texts_received = half_an_inbox  # type: ignore[method-assign]
    script.reader.feed(masked(1, b"text") * 1_000)
    while script.reader.tail:
        script.reader.feed(b"")
    assert len(script.events) == 1_000
    assert parsed < 2 * 1_000


def test_texts_that_were_taken_are_counted_whatever_happens() -> None:
    script = Script(allowance=9)

    def fail(texts: Iterator[str]) -> None:
        next(texts)
        raise Deliberate

    script.texts_received = fail  # type: ignore[method-assign]
    with pytest.raises(Deliberate):
        script.reader.feed(masked(1, b"text") * 5)
    assert script.reader.allowance == 8


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_few_texts_come_one_by_one(number: int) -> None:
    script = Script()
    offered: list[str] = []

    def take(texts: Iterator[str]) -> None:
        offered.extend(texts)

    script.texts_received = take  # type: ignore[method-assign]
    script.reader.feed(masked(1, b"text") * number)
    assert len(offered) == (number if number >= 4 else 0)
    assert len(script.events) == number - len(offered)


@pytest.mark.parametrize("taken", [0, 1, 2, 3, None])
def test_texts_that_come_together_may_be_taken_or_left(taken: int | None) -> None:
    script = Script(taken=taken, allowance=5)
    texts = [("message", text) for text in ("a", "", "b" * 125, "é")]
    script.reader.feed(b"".join(masked(1, str(text).encode()) for _, text in texts) + masked(1, b"left over")[:-1])
    assert script.events == texts
    assert script.reader.allowance == 1
    script.reader.feed(masked(1, b"left over")[-1:])
    assert script.events == [*texts, ("message", "left over")]


@pytest.mark.parametrize("taken", [0, 1, None])
def test_what_is_wrong_among_texts_that_come_together_is_found(taken: int | None) -> None:
    good, bad = masked(1, b"good"), masked(1, b"\xff")
    script = Script(taken=taken)
    script.reader.feed(good + good + bad + good)
    assert script.events == [("message", "good")] * 2 + [("failed", 1007)]
    script = Script(taken=taken, allowance=2, refills=1)
    script.reader.feed(good * 5)
    assert script.events == [("message", "good")] * 3 + [("failed", 1008)]
    script = Script(max_message=4, taken=taken)
    script.reader.feed(good + masked(1, b"is long") + good)
    assert script.events == [("message", "good"), ("failed", 1009)]


def test_stop_inside_deliver_is_the_end() -> None:
    script = Script()
    seen: list[str | bytes] = []

    def last(message: str | bytes) -> None:
        seen.append(message)
        script.reader.stop()

    script.reader.deliver = last
    script.reader.feed(masked(1, b"a") + masked(1, b"b"))
    script.reader.feed(masked(1, b"c"))
    assert seen == ["a"]
    assert script.reader.is_stopped


@pytest.mark.parametrize("opcode", [1, 2])
def test_messages_beyond_the_allowance(opcode: int) -> None:
    script = Script(allowance=2, refills=1)
    script.reader.feed(masked(opcode, b"a") * 5)
    kinds = [event[0] for event in script.events]
    assert kinds == ["message"] * 3 + ["failed"]
    assert script.events[-1] == ("failed", 1008)


@pytest.mark.parametrize("head", [b"\x81", b"\x81\x81", b"\x01\x86" + bytes(4), b"\x82\x86" + bytes(4)])
def test_the_rest_of_a_frame_that_looks_like_a_whole_one(head: bytes) -> None:
    rest = b"\x81\x80" + bytes(4)
    assert events(rest) == [("message", "")]
    assert events(head, rest) == events(head + rest)


def test_a_drip_fed_frame_is_not_kept_twice() -> None:
    stream = masked(2, b"x" * 900)
    script = Script()
    for at in range(len(stream) - 1):
        script.reader.feed(stream[at : at + 1])
        assert len(script.reader.tail) < 9
    script.reader.feed(stream[-1:])
    assert script.events == [("message", b"x" * 900)]


def test_another_limit_holds_from_now_on() -> None:
    script = Script(max_message=1000)
    script.reader.feed(masked(0x1, b"a" * 200))
    script.reader.limit(50)
    script.reader.feed(masked(0x1, b"b" * 50))
    script.reader.limit(60)
    script.reader.feed(masked(0x1, b"c" * 60) + masked(0x1, b"d" * 61))
    assert [event[0] for event in script.events] == ["message"] * 3 + ["failed"]
    assert script.events[-1] == ("failed", 1009)
    script.reader.limit(1000)
    script.reader.feed(masked(0x1, b"e"))
    assert len(script.events) == 4, "what has stopped stays so"


def test_another_limit_holds_for_the_rest_of_a_message() -> None:
    script = Script(max_message=1000)
    script.reader.feed(masked(0x1, b"a" * 100, fin=False))
    script.reader.limit(150)
    script.reader.feed(masked(0x0, b"a" * 10, fin=False))
    script.reader.limit(200)
    script.reader.feed(masked(0x0, b"a" * 10))
    assert script.events == [("message", "a" * 120)]
    script.reader.feed(masked(0x1, b"a" * 100, fin=False))
    script.reader.limit(100)
    script.reader.feed(masked(0x0, b"a"))
    assert script.events[1:] == [("failed", 1009)]
