"""What a client sends, frame by frame, and what an echo server must answer, to the end of the connection.

The groups are those of the Autobahn suite: 1 framing, 2 pings, 3 reserved bits, 4 reserved opcodes, 5 fragmentation,
6 UTF-8, 7 closing, 9 limits, 10 sizes. An answer is (first byte, payload); a vector without an own ending says
goodbye with 1000, which is answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.runtime.transport.harness import masked

CONT, TEXT, BIN, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GOODBYE = masked(CLOSE, b"\x03\xe8")
Frame = tuple[int, bytes]


@dataclass(frozen=True)
class Vector:
    name: str
    sent: tuple[bytes, ...]
    answers: tuple[Frame, ...]
    code: int
    """Code of the server's close frame; 0 for an empty one."""


def fine(name: str, *sent: bytes, answers: tuple[Frame, ...] = ()) -> Vector:
    return Vector(name, (*sent, GOODBYE), answers, 1000)


def broken(name: str, code: int, *sent: bytes, answers: tuple[Frame, ...] = ()) -> Vector:
    return Vector(name, sent, answers, code)


def echoed(opcode: int, payload: bytes) -> Frame:
    return 0x80 | opcode, payload


def pong(payload: bytes = b"") -> Frame:
    return 0x80 | PONG, payload


def pieces(opcode: int, payloads: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """A message in fragments."""
    last = len(payloads) - 1
    return tuple(masked(CONT if at else opcode, part, fin=at == last) for at, part in enumerate(payloads))


def framing() -> Iterator[Vector]:
    for opcode, letter in ((TEXT, b"*"), (BIN, b"\xfe")):
        for size in (0, 1, 125, 126, 127, 128, 65535, 65536):
            payload = letter * size
            yield fine(f"1 opcode {opcode} size {size}", masked(opcode, payload), answers=(echoed(opcode, payload),))
    for size, width in ((5, 2), (125, 2), (5, 8), (126, 8), (65535, 8)):
        yield broken(f"1 size {size} in {width} bytes", 1002, masked(TEXT, b"x" * size, width=width))
    yield broken("1 highest bit of the length", 1002, bytes((0x82, 0xFF)) + b"\xff" * 8)
    yield broken("1 without mask", 1002, b"\x81\x05hello")
    yield broken("1 empty without mask", 1002, b"\x81\x00")


def pings() -> Iterator[Vector]:
    for size in (0, 1, 12, 124, 125):
        payload = bytes(range(256 - size, 256))
        yield fine(f"2 ping of {size}", masked(PING, payload), answers=(pong(payload),))
    yield broken("2 ping of 126", 1002, masked(PING, b"\xfe" * 126))
    yield fine("2 pong unasked", masked(PONG))
    yield fine("2 pong unasked with payload", masked(PONG, b"unsolicited"))
    yield fine("2 pong then ping", masked(PONG, b"a"), masked(PING, b"b"), answers=(pong(b"b"),))
    ten = [b"payload-%d" % number for number in range(10)]
    yield fine("2 ten pings", *(masked(PING, text) for text in ten), answers=tuple(map(pong, ten)))
    yield broken("2 thirty pings", 1008, *(masked(PING) for _ in range(30)), answers=(pong(),) * 20)
    yield broken("2 thirty pongs", 1008, *(masked(PONG) for _ in range(30)))


def reserved() -> Iterator[Vector]:
    for rsv in range(1, 8):
        for opcode in (TEXT, BIN, PING, CLOSE):
            yield broken(f"3 bits {rsv} on opcode {opcode}", 1002, masked(opcode, b"", rsv=rsv))
    yield broken("3 after a good message", 1002, masked(TEXT, b"hi"), masked(TEXT, b"hi", rsv=4),
                 answers=(echoed(TEXT, b"hi"),))  # fmt: skip
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield broken(f"4 opcode {opcode}", 1002, masked(opcode))
        yield broken(f"4 opcode {opcode} with payload", 1002, masked(TEXT, b"a"), masked(opcode, b"b"),
                     answers=(echoed(TEXT, b"a"),))  # fmt: skip


def fragmentation() -> Iterator[Vector]:
    hello = (b"frag", b"ment", b"ed")
    for opcode in (TEXT, BIN):
        yield fine(f"5 three of {opcode}", *pieces(opcode, hello), answers=(echoed(opcode, b"fragmented"),))
        yield fine(f"5 empty of {opcode}", *pieces(opcode, (b"", b"", b"")), answers=(echoed(opcode, b""),))
        yield fine(f"5 empty ends of {opcode}", *pieces(opcode, (b"", b"middle", b"")),
                   answers=(echoed(opcode, b"middle"),))  # fmt: skip
    first, second, third = pieces(TEXT, hello)
    yield fine("5 ping inside", first, masked(PING, b"p"), second, masked(PING, b"q"), third,
               answers=(pong(b"p"), pong(b"q"), echoed(TEXT, b"fragmented")))  # fmt: skip
    yield fine("5 pong inside", first, masked(PONG), second, third, answers=(echoed(TEXT, b"fragmented"),))
    yield Vector("5 close inside", (first, GOODBYE), (), 1000)
    yield broken("5 ping in fragments", 1002, masked(PING, b"a", fin=False), masked(CONT, b"b"))
    yield broken("5 pong in fragments", 1002, masked(PONG, b"a", fin=False), masked(CONT, b"b"))
    yield broken("5 close in fragments", 1002, masked(CLOSE, b"\x03\xe8", fin=False))
    yield broken("5 continuation of nothing", 1002, masked(CONT, b"x"))
    yield broken("5 unfinished continuation of nothing", 1002, masked(CONT, b"x", fin=False))
    yield broken("5 continuation after the end", 1002, first, second, third, masked(CONT, b"x"),
                 answers=(echoed(TEXT, b"fragmented"),))  # fmt: skip
    for opcode in (TEXT, BIN):
        yield broken(f"5 opcode {opcode} inside a message", 1002, first, masked(opcode, b"x"))
    yield fine("5 two messages", *pieces(TEXT, hello), *pieces(BIN, hello),
               answers=(echoed(TEXT, b"fragmented"), echoed(BIN, b"fragmented")))  # fmt: skip
    yield fine("5 256 fragments", *pieces(TEXT, (b"x",) * 256), answers=(echoed(TEXT, b"x" * 256),))
    yield broken("5 257 fragments", 1008, *pieces(TEXT, (b"x",) * 257))


GOOD_TEXTS = {
    "greek": "κόσμε",
    "first of 2 bytes": "\x80",
    "first of 3 bytes": "\u0800",
    "first of 4 bytes": "\U00010000",
    "last of 1 byte": "\x7f",
    "last of 2 bytes": "\u07ff",
    "last of 3 bytes": "\uffff",
    "last of all": "\U0010ffff",
    "before surrogates": "\ud7ff",
    "after surrogates": "\ue000",
    "replacement character": "\ufffd",
    "nul": "\x00",
    "byte order mark": "\ufeffx",
    "noncharacters": "\ufffe\ufdd0\U0001fffe",
    "emoji sequence": "👩‍👩‍👧‍👦",
}
BAD_TEXTS = {
    "lone continuation": b"\x80",
    "lone last continuation": b"\xbf",
    "two continuations": b"ab\x80\xbf",
    "cut 2 bytes": b"\xc3",
    "cut 3 bytes": b"\xe2\x82",
    "cut 4 bytes": b"\xf0\x9f\x98",
    "cut before ascii": b"\xe2\x82x",
    "5 byte form": b"\xf8\x88\x80\x80\x80",
    "6 byte form": b"\xfc\x84\x80\x80\x80\x80",
    "fe": b"\xfe",
    "ff": b"\xff",
    "overlong slash 2": b"\xc0\xaf",
    "overlong slash 3": b"\xe0\x80\xaf",
    "overlong slash 4": b"\xf0\x80\x80\xaf",
    "overlong nul": b"\xc0\x80",
    "overlong last of 1": b"\xc1\xbf",
    "overlong last of 2": b"\xe0\x9f\xbf",
    "overlong last of 3": b"\xf0\x8f\xbf\xbf",
    "beyond unicode": b"\xf4\x90\x80\x80",
    "first surrogate": b"\xed\xa0\x80",
    "last surrogate": b"\xed\xbf\xbf",
    "surrogate pair": b"\xed\xa0\xbd\xed\xb8\x80",
    "greek, then surrogate": b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
}


def texts() -> Iterator[Vector]:
    for name, text in GOOD_TEXTS.items():
        payload = text.encode()
        yield fine(f"6 good: {name}", masked(TEXT, payload), answers=(echoed(TEXT, payload),))
        one_by_one = tuple(payload[at : at + 1] for at in range(len(payload)))
        yield fine(f"6 good, a byte a fragment: {name}", *pieces(TEXT, one_by_one), answers=(echoed(TEXT, payload),))
    for name, payload in BAD_TEXTS.items():
        yield broken(f"6 bad: {name}", 1007, masked(TEXT, payload))
        one_by_one = tuple(payload[at : at + 1] for at in range(len(payload)))
        yield broken(f"6 bad, a byte a fragment: {name}", 1007, *pieces(TEXT, one_by_one))
    # The end of the message never comes: the bad byte must be enough.
    yield broken("6 bad in the first fragment", 1007, masked(TEXT, b"ok \xff", fin=False))
    yield broken("6 bad in the second fragment", 1007, masked(TEXT, b"ok \xf4", fin=False),
                 masked(CONT, b"\x90", fin=False))  # fmt: skip
    yield broken("6 bad early in a frame", 1007, masked(TEXT, b"ok \xff" + b"x" * 100)[:40])
    yield broken("6 bad early in a long frame", 1007, masked(TEXT, b"ok \xed\xa0" + b"x" * 1000)[:40])
    yield fine("6 binary is not checked", masked(BIN, b"\xff\xfe"), answers=(echoed(BIN, b"\xff\xfe"),))


def closing() -> Iterator[Vector]:
    yield Vector("7 empty close", (masked(CLOSE),), (), 0)
    yield broken("7 close of one byte", 1002, masked(CLOSE, b"\x03"))
    yield broken("7 close of 126", 1002, masked(CLOSE, b"\x03\xe8" + b"*" * 124))
    for reason in (b"", b"bye", b"*" * 123, "äöü".encode()):
        yield Vector(f"7 reason of {len(reason)}", (masked(CLOSE, b"\x03\xe8" + reason),), (), 1000)
    for reason in (b"\xff", b"\xed\xa0\x80", b"ok\xc3"):
        yield broken(f"7 reason {reason!r}", 1007, masked(CLOSE, b"\x03\xe8" + reason))
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999):
        yield Vector(f"7 code {code}", (masked(CLOSE, code.to_bytes(2, "big")),), (), code)
    for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
        yield broken(f"7 code {code}", 1002, masked(CLOSE, code.to_bytes(2, "big")))
    after = (masked(TEXT, b"late"), masked(PING, b"late"), GOODBYE)
    yield Vector("7 nothing after close", (masked(TEXT, b"a"), GOODBYE, *after), (echoed(TEXT, b"a"),), 1000)


def limits() -> Iterator[Vector]:
    """The server of the vectors takes 64 KiB + 1."""
    yield broken("9 too long, by its head alone", 1009, masked(BIN, b"x" * 65538)[:14])
    yield broken("9 enormous, by its head alone", 1009, bytes((0x82, 0xFF)) + (1 << 62).to_bytes(8, "big"))
    yield broken("9 too long in all", 1009, masked(BIN, b"x" * 65000, fin=False), masked(CONT, b"x" * 538)[:8])
    yield fine("10 just fits", masked(BIN, b"x" * 65537), answers=(echoed(BIN, b"x" * 65537),))
    for size in (1, 64, 1300, 4096):
        parts = tuple((b"*" * 65536)[at : at + size] for at in range(0, 65536, size))[:256]
        whole = b"".join(parts)
        yield fine(f"10 fragments of {size}", *pieces(TEXT, parts), answers=(echoed(TEXT, whole),))


VECTORS = [
    *framing(), *pings(), *reserved(), *fragmentation(), *texts(), *closing(), *limits(),
]  # fmt: skip
