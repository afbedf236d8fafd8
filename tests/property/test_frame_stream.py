"""The codec against another one, and against itself with the stream cut elsewhere."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from tests.runtime.transport.test_frames import Script

SIZES = st.one_of(st.integers(0, 20), st.sampled_from([125, 126, 127, 300, 65535, 65536]))
TEXTS = st.builds(lambda text, size: (text * size)[: max(size, 1)], st.text(max_size=5), SIZES)
BYTES = st.builds(lambda part, size: (part * size)[: max(size, 1)], st.binary(max_size=5), SIZES)

Step = tuple[str, object]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("text"), TEXTS),
        st.tuples(st.just("binary"), BYTES),
        st.tuples(st.just("ping"), st.binary(max_size=125)),
        st.tuples(st.just("pong"), st.binary(max_size=125)),
        st.tuples(st.just("parts"), st.lists(st.text(max_size=10), min_size=2, max_size=4)),
    ),
    max_size=8,
)
CUTS = st.lists(st.integers(0, 1 << 17), max_size=12)


def spoken(steps: list[Step]) -> tuple[bytes, list[tuple[object, ...]]]:
    """The stream that the library's client makes of the steps, and what a server must understand."""
    client = ClientProtocol(parse_uri("ws://h/"), state=OPEN)
    understood: list[tuple[object, ...]] = []
    for kind, content in steps:
        if isinstance(content, list):
            client.send_text(content[0].encode(), fin=False)
            client.send_ping(b"between")
            for part in content[1:-1]:
                client.send_continuation(part.encode(), fin=False)
            client.send_continuation(content[-1].encode(), fin=True)
            understood += [("ping", b"between"), ("message", "".join(content))]
        elif isinstance(content, str):
            client.send_text(content.encode())
            understood.append(("message", content))
        elif isinstance(content, bytes):
            {"binary": client.send_binary, "ping": client.send_ping, "pong": client.send_pong}[kind](content)
            understood.append(("message" if kind == "binary" else kind, content))
    client.send_close(4321, "bye")
    return b"".join(client.data_to_send()), [*understood, ("close", 4321, "bye")]


def cut(stream: bytes, at: list[int]) -> list[bytes]:
    bounds = sorted({0, len(stream), *(point % (len(stream) + 1) for point in at)})
    return [stream[a:b] for a, b in itertools.pairwise(bounds)]


def heard(pieces: list[bytes], max_message: int = 1 << 20, taken: int | None = None) -> list[tuple[object, ...]]:
    script = Script(max_message, allowance=1 << 20, taken=taken)
    for piece in pieces:
        script.reader.feed(piece)
    return script.events


@given(STEPS, CUTS, st.integers(0, 3))
def test_what_the_library_says_is_understood_however_it_is_cut(steps: list[Step], at: list[int], taken: int) -> None:
    stream, understood = spoken(steps)
    assert heard([stream]) == understood
    assert heard([stream], taken=taken) == understood
    assert heard(cut(stream, at)) == understood


@given(st.binary(max_size=300), CUTS)
def test_random_bytes_end_alike_however_they_are_cut(stream: bytes, at: list[int]) -> None:
    assert heard(cut(stream, at), 200) == heard([stream], 200) == heard(cut(stream, list(range(len(stream)))), 200)


@given(st.binary(max_size=60), st.sampled_from([Opcode.TEXT, Opcode.CLOSE]), CUTS)
def test_random_payloads_end_alike_however_they_are_cut(payload: bytes, opcode: Opcode, at: list[int]) -> None:
    stream = Frame(opcode, payload).serialize(mask=True)
    whole = heard([stream])
    assert len(whole) == 1
    assert heard(cut(stream, at)) == whole
    if opcode is Opcode.TEXT:
        try:
            expected: tuple[object, ...] = ("message", payload.decode())
        except UnicodeDecodeError:
            expected = ("failed", 1007)
        assert whole == [expected]
