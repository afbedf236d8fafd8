"""A message that is refused would have made its hook fault before it did anything."""

from __future__ import annotations

import asyncio
import inspect
from random import Random
from typing import Any

from compiler.bytecode.needs import Need, needs_of
from compiler.bytecode.program import Program
from compiler.language.faults import Fault, OutOfFuel
from compiler.language.values import UNSET, Value
from runtime import interpreter
from runtime.codecs import BadPayload
from runtime.needs import FittedCodec
from runtime.seam import Context
from tests.assembly import Performed, Quiet, inputs, program
from tests.property.engines import VALUES
from tests.property.random_programs import SLOTS, Writer

KEYS = ("a", "b", "length", "0")
PROGRAMS = 1_000
MESSAGES = 6
SLOT_VALUES: list[Any] = [1, "s", UNSET]


class Taker(Writer):
    """Writes hooks that mostly look into their message, and do little else."""

    def leaf(self) -> str:
        choice = self.random.random()
        if choice < 0.15:
            return "INPUT message"
        if choice < 0.6:
            opcode = self.random.choice(("MEMBER", "MEMBER", "MEMBER_SAFE"))
            return f"INPUT message ; {opcode} {self.random.choice(KEYS)!r}"
        return super().leaf()

    def assign(self, depth: int) -> tuple[list[str], bool]:
        rows, falls = super().assign(depth)
        # Mostly to locals: a variable that is set ends what can be refused.
        if rows[-1].startswith("SET_SLOT") and self.random.random() < 0.8:
            local = self.new_local()
            self.assigned.add(local)
            rows[-1] = f"SET_LOCAL {local}"
        return rows, falls


def taking_program(seed: int) -> Program:
    writer = Taker(Random(seed), ("params", "message"))
    rows: list[str] = []
    for _ in range(writer.random.randrange(1, 5)):
        more, falls = writer.statement(2)
        rows += more
        if not falls:
            break
    return program(" ; ".join(rows), slots=SLOTS)


def some_message(random: Random) -> Value:
    if random.random() < 0.3:
        return random.choice(VALUES)
    return {key: random.choice(VALUES) for key in KEYS if random.random() < 0.7}


class Given:
    """A codec whose messages are decoded already."""

    is_text = True

    def __init__(self, value: Value) -> None:
        self.value = value

    def decode(self, message: str | bytes) -> Value:
        return self.value

    def encode(self, value: Value) -> bytes:
        raise NotImplementedError

    def show(self, message: str | bytes) -> str | bytes:
        return message


def is_refused(needs: tuple[Need, ...], message: Value) -> bool:
    try:
        FittedCodec(Given(message), needs).decode("")
    except BadPayload:
        return True
    return False


async def _wait(outcome: Any) -> None:
    await outcome


def test_what_is_refused_would_have_faulted_and_done_nothing() -> None:
    refused = passed = members = 0
    for seed in range(PROGRAMS):
        made = taking_program(seed)
        chunk = made.routes[0].hooks.get("on_message")
        if chunk is None:
            continue
        needs = needs_of(chunk, made.constants, made.imports)
        members += any(need.path for need in needs)
        random = Random(seed)
        for _ in range(MESSAGES if needs else 0):
            message = some_message(random)
            if not is_refused(needs, message):
                passed += 1
                continue
            refused += 1
            host, slots, ended = Performed(), list(SLOT_VALUES), "well"
            hook = interpreter.build_hook(made, made.routes[0], chunk, Context(Quiet(), 500))
            try:
                outcome: Any = hook(inputs(message=message, params={}), slots, host.emit)
                if inspect.isawaitable(outcome):
                    asyncio.run(_wait(outcome))
            except (Fault, OutOfFuel) as fault:
                ended = fault.code
            assert ended not in ("well", "thrown"), (seed, message)
            assert (host.asked, slots) == ([], SLOT_VALUES), (seed, message)
    assert refused > 200
    assert passed > 200
    assert members > 50
