"""Program files: written and read back; any other bytes are refused or harmless."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.bytecode.codec import MAGIC, decode, encode
from compiler.bytecode.disassembler import disassemble, to_json_form
from compiler.bytecode.program import LoadError, Program
from compiler.bytecode.verifier import verify
from compiler.language.faults import Fault, OutOfFuel
from compiler.language.values import UNSET
from runtime.loader import LinkedProgram, load
from runtime.seam import Context
from tests.assembly import Quiet, inputs
from tests.property.random_programs import random_program

SEEDS = st.integers(0, 2**32)
FUEL = 200
MINOR_VERSION = range(6, 8)
"""A reader takes files of any minor version."""
DEBUG_ID = range(42 + 12 * 7, 42 + 12 * 7 + 2)
"""Under another number the debug section is an unknown optional one, and skipped."""


def sealed(raw: bytes) -> bytes:
    return raw[:8] + hashlib.sha256(raw[:8] + raw[40:]).digest() + raw[40:]


def loaded(raw: bytes) -> LinkedProgram | None:
    """The program of any bytes, None where they are refused. Other exceptions are what these tests look for."""
    try:
        return load(raw, Context(Quiet(), FUEL))
    except LoadError:
        return None


async def perform(effect: str, *arguments: Any) -> int:
    return len(arguments)


def emit(effect: str, *arguments: Any) -> Any:
    return perform(effect, *arguments) if effect in ("sleep", "sql", "redis", "http") else len(arguments)


def run_everything(linked: LinkedProgram) -> None:
    """Run each hook and template; faults and empty tanks are all that may come out."""
    for route in linked.routes:
        slots: list[Any] = [UNSET] * len(route.program.slots)
        given = inputs(message="hi", params={"room": "1"}, query={}, connection_id="id")
        for run in (*route.hooks.values(), *route.templates):
            try:
                outcome: Any = run(given, slots, emit)
                if inspect.isawaitable(outcome):
                    asyncio.run(_wait(outcome))
            except (Fault, OutOfFuel):
                pass


async def _wait(outcome: Any) -> None:
    await outcome


@given(SEEDS)
def test_random_programs_verify_and_raise_nothing_but_faults(seed: int) -> None:
    made = random_program(seed)
    verify(made)
    linked = loaded(encode(made))
    assert linked is not None
    run_everything(linked)


@given(SEEDS)
def test_what_is_written_is_read(seed: int) -> None:
    made = random_program(seed, marked=True)
    raw = encode(made)
    found = decode(raw)
    assert found == made
    assert repr(list(found.routes[0].chunks)) == repr(list(made.routes[0].chunks))
    assert encode(found) == raw
    stripped = decode(encode(made, strip=True))
    assert stripped == made
    assert encode(random_program(seed), strip=True) == encode(made, strip=True)


@given(SEEDS)
def test_random_programs_can_be_shown(seed: int) -> None:
    made = random_program(seed, marked=True)
    listing = disassemble(made, "some\nother text\n")
    instructions = sum(len(chunk.code) for chunk in made.routes[0].chunks)
    assert sum(not row.startswith(";") for row in listing.splitlines() if row) == instructions
    assert to_json_form(made)["manifest"]["cost"] == dict(made.manifest.cost)


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(raw: bytes) -> None:
    assert loaded(raw) is None
    assert loaded(MAGIC + raw) is None
    assert loaded(sealed(MAGIC + b"\x00\x01\x00\x00" + bytes(32) + raw)) is None


def small_programs() -> list[Program]:
    """Those of few bytes among the first random programs."""
    made = [random_program(seed, marked=seed % 2 == 0) for seed in range(40)]
    return sorted(made, key=lambda program: len(encode(program)))[8:12]


@pytest.mark.parametrize("made", small_programs(), ids=lambda made: f"{len(encode(made))} bytes")
def test_every_changed_byte_is_refused_or_harmless_even_with_a_new_checksum(made: Program) -> None:
    raw = encode(made)
    random = Random(len(raw))
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= random.randrange(1, 256)
        assert loaded(bytes(changed)) is None, "the checksum tells"
        if not 8 <= place < 40 and (linked := loaded(sealed(bytes(changed)))) is not None:
            run_everything(linked)
            same_form = encode(linked.program) == sealed(bytes(changed))
            assert same_form or place in MINOR_VERSION or place in DEBUG_ID, "a program has one form"


@given(SEEDS, st.data())
def test_cuts_and_splices_are_refused_or_harmless(seed: int, data: st.DataObject) -> None:
    raw = encode(random_program(seed))
    place = data.draw(st.integers(0, len(raw) - 1))
    assert loaded(raw[:place]) is None
    end = data.draw(st.integers(place, len(raw)))
    filling = data.draw(st.binary(max_size=8))
    linked = loaded(sealed(raw[:place] + filling + raw[end:]))
    if linked is not None:
        run_everything(linked)
