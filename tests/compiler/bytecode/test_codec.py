"""Program files: what is written is read back, and nothing else is read."""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from compiler.bytecode import codec
from compiler.bytecode.codec import decode, encode
from compiler.bytecode.opcodes import Opcode
from compiler.bytecode.program import Chunk, Instruction, LoadError, Program
from compiler.diagnostics import codes
from tests.assembly import program

RICH = program(
    "CONST 'a' ; INPUT message ; ADD ; SET_LOCAL 0 ; CONST [1, 2.5] ; INNER {LOCAL 0 ; CONST 2 ; MUL ; RETURN} ; "
    "CALL map/2 ; SET_SLOT n ; LOCAL 0 ; RETURN",
    on_connect="CONST 'chat' ; FALSE ; FALSE ; CONST 'room' ; EMIT publish ; DROP",
    slots=["n", "room"],
    literals=["chat"],
    templates=["SLOT room ; CHANNEL ; RETURN"],
    options={"rate_limit": {"messages_per_minute": 60, "burst": 10}, "codec": "json"},
    marked=True,
)
HEAD = 42
ENTRY = 12


def sections(raw: bytes) -> list[tuple[int, int, bytes]]:
    """The table of a file, with the contents."""
    (count,) = struct.unpack_from(">H", raw, 40)
    rows = [struct.unpack_from(">HHII", raw, HEAD + ENTRY * number) for number in range(count)]
    return [(number, flags, raw[start : start + length]) for number, flags, start, length in rows]


def sealed(raw: bytes) -> bytes:
    """The file with a checksum that fits."""
    return raw[:8] + hashlib.sha256(raw[:8] + raw[40:]).digest() + raw[40:]


def built(
    rows: list[tuple[int, int, bytes]], version: tuple[int, int] = (1, 0), tail: bytes = b"", shift: int = 0
) -> bytes:
    """A file of sections of any kind."""
    offset = HEAD + ENTRY * len(rows) + shift
    table = struct.pack(">H", len(rows))
    for number, flags, content in rows:
        table += struct.pack(">HHII", number, flags, offset, len(content))
        offset += len(content)
    content = b"".join(row[2] for row in rows)
    return sealed(b"WBC\x01" + struct.pack(">HH", *version) + bytes(32) + table + bytes(shift) + content + tail)


ROWS = sections(encode(RICH))


def changed(number: int, change: Callable[[bytes], bytes]) -> bytes:
    """The rich program with one section changed, and sealed anew."""
    return built([(n, flags, change(content) if n == number else content) for n, flags, content in ROWS])


def test_what_was_written_is_read() -> None:
    found = decode(encode(RICH))
    assert found == RICH
    assert repr(found.routes[0].hooks) == repr(RICH.routes[0].hooks)
    assert found.source_name == "routes/test.yaml"
    assert found.source_hash == "ab" * 32
    assert encode(found) == encode(RICH)


def test_the_helper_of_these_tests_builds_the_same_file() -> None:
    assert built(ROWS) == encode(RICH)


def test_stripped_programs_have_nothing_of_the_spelling() -> None:
    stripped = encode(RICH, strip=True)
    found = decode(stripped)
    assert found == RICH
    assert found.source_name == found.source_hash == ""
    assert all(not chunk.source_map.marks and not chunk.local_names for chunk in found.routes[0].chunks)
    assert encode(found) == stripped
    for trace in (b"test.yaml", b"local_", b"Op.f"):
        assert trace in encode(RICH)
        assert trace not in stripped


def test_equal_programs_are_equal_bytes() -> None:
    route = RICH.routes[0]
    twin = replace(
        RICH,
        source_name="other.json",
        routes=(
            replace(
                route,
                hooks=dict(reversed(list(route.hooks.items()))),
                options=dict(reversed(list(route.options.items()))),
            ),
        ),
    )
    assert twin == RICH
    assert encode(twin, strip=True) == encode(RICH, strip=True)


def test_bytes_do_not_depend_on_hash_order() -> None:
    script = (
        "import hashlib; from tests.compiler.bytecode.test_codec import RICH, encode; "
        "print(hashlib.sha256(encode(RICH)).hexdigest())"
    )
    project = Path(__file__).resolve().parents[3]
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(project)},
            cwd=project, capture_output=True, text=True, check=True, timeout=60,
        ).stdout
        for seed in ("0", "1", "4321")
    }  # fmt: skip
    assert found == {hashlib.sha256(encode(RICH)).hexdigest() + "\n"}


def test_every_changed_byte_is_noticed() -> None:
    raw = encode(RICH)
    for place in range(len(raw)):
        with pytest.raises(LoadError):
            decode(raw[:place] + bytes([raw[place] ^ 0x01]) + raw[place + 1 :])


def test_every_cut_is_noticed() -> None:
    raw = encode(RICH)
    for length in range(len(raw)):
        with pytest.raises(LoadError):
            decode(raw[:length])
    with pytest.raises(LoadError):
        decode(raw + b"\x00")


@pytest.mark.parametrize("raw", [b"", b"WBC", b"WBC\x02" + bytes(100), b"\x7fELF" + bytes(100), b"name: Echo"])
def test_other_files_are_no_programs(raw: bytes) -> None:
    with pytest.raises(LoadError) as caught:
        decode(raw)
    assert caught.value.code is codes.NOT_A_PROGRAM


def test_another_major_version_is_named_with_ours() -> None:
    with pytest.raises(LoadError) as caught:
        decode(built(ROWS, version=(2, 7)))
    assert caught.value.code is codes.PROGRAM_VERSION
    assert caught.value.message == "the program has format 2.7, this worpen reads 1.0: recompile the route"


def test_a_later_minor_version_is_read() -> None:
    assert decode(built(ROWS, version=(1, 9))) == RICH


def test_unknown_sections_are_skipped_or_refused() -> None:
    assert decode(built([*ROWS, (9, 0, b"whatever"), (700, 0, b"")])) == RICH
    with pytest.raises(LoadError) as caught:
        decode(built([*ROWS, (9, 1, b"whatever")]))
    assert caught.value.code is codes.PROGRAM_VERSION
    assert "needs section 9" in caught.value.message


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (built(ROWS, tail=b"\x00"), "behind the last section"),
        (built(ROWS, shift=1), "table is wrong at section 1"),
        (built([ROWS[1], ROWS[0], *ROWS[2:]]), "table is wrong at section 1"),
        (built([ROWS[0], *ROWS]), "table is wrong at section 1"),
        (built(ROWS[1:]), "the constants section is missing"),
        (built([(0, 1, b""), *ROWS]), "table is wrong at section 0"),
        (built([(1, 3, ROWS[0][2]), *ROWS[1:]]), "section 1 has unknown flags"),
        (built([(1, 0, ROWS[0][2]), *ROWS[1:]]), "constants section has wrong flags"),
        (built([*ROWS[:7], (8, 1, ROWS[7][2])]), "debug section has wrong flags"),
        (sealed(encode(RICH)[:40] + b"\xff\xff" + encode(RICH)[42:]), "longer than the file"),
        (changed(1, lambda part: part + b"\x00"), "constants, byte"),
        (changed(1, lambda part: b"\x02\x00\x00"), "a constant is there twice"),
        (changed(2, lambda part: b"\x02\x00\x05upper\x01\x00\x05upper\x01" + part[-16:]), "an import is there twice"),
        (changed(3, lambda part: part[:-1]), "routes, byte"),
        (changed(3, lambda part: part.replace(b"\x05codec", b"\x05zodec")), "keys in ascending order"),
        (changed(5, lambda part: part[:-1]), "hooks, byte"),
        (changed(8, lambda part: part[:-1]), "debug, byte"),
        (changed(8, lambda part: b"\x00\x00" + b"\x00" * 5), "does not belong to these hooks"),
        (changed(8, lambda part: b"\x00\x00\x04" + b"\x00" * 8), "does not belong to these hooks"),
        (changed(8, lambda part: b"\x00\x00\x07" + b"\x00" * 14), "does not belong to these hooks"),
    ],
)  # fmt: skip
def test_what_is_never_written_is_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(LoadError) as caught:
        decode(raw)
    assert reason in caught.value.message


ECHO = program("INPUT message ; RETURN")


def hooks_section(change: Callable[[bytes], bytes]) -> bytes:
    rows = sections(encode(ECHO))
    return built([(n, flags, change(content) if n == 5 else content) for n, flags, content in rows])


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"\x05\x00\x00\x01", b"\xff\x00\x00\x01", "there is no opcode 0xff"),
        (b"\x50\x00\x00\x00", b"\x50\x00\x00\x01", "RETURN takes no operand"),
    ],
)
def test_instructions_are_checked(old: bytes, new: bytes, reason: str) -> None:
    assert decode(hooks_section(lambda part: part)) == ECHO
    with pytest.raises(LoadError, match=reason):
        decode(hooks_section(lambda part: part.replace(old, new)))


def test_hooks_stand_in_order() -> None:
    made = program("NULL ; DROP", on_disconnect="NULL ; DROP")
    rows = sections(encode(made))
    part = rows[4][2]
    first, second = part[: len(part) // 2], part[len(part) // 2 :]
    with pytest.raises(LoadError, match="the hooks are not in order"):
        decode(built([(n, flags, second + first if n == 5 else content) for n, flags, content in rows]))


def test_programs_of_other_tables_are_named() -> None:
    part = ROWS[1][2]
    with pytest.raises(LoadError) as caught:
        decode(changed(2, lambda part: part.replace(b"publish", b"perform")))
    assert caught.value.code is codes.PROGRAM_VERSION
    assert "needs the effect `perform`" in caught.value.message
    with pytest.raises(LoadError, match="compiled against other functions or effects"):
        decode(changed(2, lambda _: part[:-1] + bytes([part[-1] ^ 1])))


def test_hostile_counts_cost_nothing() -> None:
    huge = b"\xff\xff\xff\xff\xff\xff\xff\x7f"
    for number in range(1, 9):
        with pytest.raises(LoadError):
            decode(changed(number, lambda part: huge + part))


def test_a_file_without_end_is_refused_unread() -> None:
    with pytest.raises(LoadError, match="more than"):
        decode(b"WBC\x01" + bytes(codec.FILE_LIMIT))


def test_runs_of_marks_are_bounded_by_the_code() -> None:
    made = program("NULL ; RETURN", marked=True)
    rows = sections(encode(made))
    bomb = b"\x00\x01h\x01\x00\x01" + b"\xff\xff\xff\x07" + b"\x02\x01\x00\x01\x00\x00"
    with pytest.raises(LoadError, match="debug, byte"):
        decode(built([(n, flags, bomb if n == 8 else content) for n, flags, content in rows]))


def test_deeply_nested_inner_expressions_are_refused() -> None:
    chunk = Chunk((Instruction(Opcode.NULL),), 0, 0, None, False)
    for _ in range(40):
        chunk = replace(chunk, inner=(chunk,))
    deep: Program = replace(ECHO, routes=(replace(ECHO.routes[0], hooks={"on_message": chunk}),))
    with pytest.raises(LoadError, match="nested too deep"):
        decode(encode(deep))
