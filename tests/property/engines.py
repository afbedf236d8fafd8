"""The interpreter and the translator side by side: everything of a run that can be seen, to be compared.

Seeded like `random_programs`, so that a divergence is repeated by its seed. Run as a script it looks at as many
expressions, hooks and changed programs as it is told to: `python -m tests.property.engines 1000 expressions`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from random import Random
from typing import Any

from compiler.bytecode.manifest import compute_manifest
from compiler.bytecode.opcodes import Opcode
from compiler.bytecode.program import Chunk, Instruction, LoadError, Program, SourceMap
from compiler.bytecode.verifier import measure, verify
from compiler.diagnostics import codes
from compiler.language.effects import EFFECTS
from compiler.language.faults import Fault, HookTimeout, Uncatchable
from compiler.language.hooks import INPUTS
from compiler.language.values import UNSET, Value
from runtime import interpreter, translator
from runtime.seam import Context, Engine
from tests.assembly import Quiet, program
from tests.property.random_programs import SLOTS, Writer, random_hook

ENGINES: tuple[Engine, Engine] = (interpreter.build_hook, translator.build_hook)
FUELS = (0, 1, 2, 3, 5, 8, 20, 200)
VALUES: tuple[Value, ...] = (
    None, True, False, 0, 1, -1, 2, 3, 7, 10, 2**31, 2**53, 2**53 - 1, -(2**53), int(1e300), 0.5, -2.5, 1.5, 1e-7,
    "", "a", "3", "10", "1.5", "-0", "1e400", "abc", "%d", "{x}", "it's", 'q"q', "\\n", "a\nb", "سن", "x" * 50,
    [], [1, 2], [True], ["a"], [[1], {"a": None}], {}, {"a": 1}, {"a": None, "length": 2}, {"b": [1]},
)  # fmt: skip
CHANGES = 32  # how many changed programs are tried of one
REPLIES: tuple[Value, ...] = (1, 0, None, 2.5, "text", [1, "a"], {"a": 1})


class Bug(Exception):
    """What a host raises that has a bug."""


@dataclass(slots=True)
class Host:
    """Replies and raises as its random numbers say, the same for every engine; writes down what it is asked for."""

    random: Random
    asked: list[Any] = field(default_factory=list)

    def emit(self, effect: str, *arguments: Value) -> Any:
        self.asked.append((effect, [(type(argument), repr(argument)) for argument in arguments]))
        reply = self.random.choice(REPLIES)
        choice = self.random.random()
        problem: BaseException | None = None
        if choice < 0.06:
            problem = Fault(codes.SEND_REFUSED, "refused", reply)
        elif choice < 0.08:
            problem = HookTimeout("too long")
        elif choice < 0.09:
            problem = Bug()
        if EFFECTS[effect].waits:
            return self.later(reply, problem)
        if problem is not None:
            raise problem
        return reply

    async def later(self, reply: Value, problem: BaseException | None) -> Value:
        if problem is not None:
            raise problem
        return reply


@dataclass(slots=True)
class Moments(Quiet):
    """A moment whose random bytes are never the same, so that a function that is called twice is noticed."""

    count: int = 0

    def random_bytes(self, count: int) -> bytes:
        self.count += 1
        return self.count.to_bytes(count, "big") if count else b""


def finish(made: Any) -> Any:
    """Drive a coroutine in which nothing really waits."""
    if not isinstance(made, Coroutine):
        return made
    try:
        made.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def outcome(run: Callable[[], Any]) -> tuple[Any, ...]:
    """How a run ended, as plain values."""
    try:
        made = finish(run())
    except (Fault, Uncatchable) as problem:
        return (type(problem).__name__, problem.code, problem.message, problem.mark)
    except Bug:
        return ("Bug",)
    return ("value", type(made), repr(made))


def seen(made: Program, engine: Engine, seed: int, fuel: int) -> list[Any]:
    """All that can be seen of two runs of each hook and template of a program's first route."""
    random = Random(seed)
    host = Host(Random(seed))
    context = Context(Moments(), fuel)
    route = made.routes[0]
    slots: list[Any] = [random.choice((UNSET, *VALUES)) for _ in route.slots]
    found: list[Any] = []
    for chunk in (*route.hooks.values(), *route.membership.templates):
        hook = engine(made, route, chunk, context)
        for _ in range(2):
            given = some_inputs(random)
            found.append(outcome(partial(hook, given, slots, host.emit)))
            found.append([(type(slot), repr(slot)) for slot in slots])
    return [*found, host.asked]


def some_inputs(random: Random) -> Sequence[Value]:
    """A value for each input, texts where texts are promised."""
    texts = [value for value in VALUES if isinstance(value, str)]
    return [random.choice(texts) if row.kinds.name == "TEXT" else random.choice(VALUES) for row in INPUTS.values()]


def divergence(made: Program, seed: int) -> str | None:
    """What the engines do differently, None where nothing."""
    fuel = Random(seed).choice(FUELS)
    expected, found = (seen(made, engine, seed, fuel) for engine in ENGINES)
    if expected == found:
        return None
    place = next(place for place, (a, b) in enumerate(zip(expected, found, strict=True)) if a != b)
    return f"seed {seed}, fuel {fuel}, row {place}\n  interpreter {expected[place]}\n  translator  {found[place]}"


def expression_program(seed: int) -> Program:
    """A hook that returns a random expression, or sends it, or keeps it."""
    random = Random(seed)
    writer = Writer(random, ("params", "message", "query"))
    text = writer.expression(4)
    ends = ("RETURN", "SET_SLOT n", "SET_LOCAL 0 ; LOCAL 0 ; RETURN", "FALSE ; EMIT send ; DROP", "TEXT ; RETURN")
    return program(f"{text} ; {random.choice(ends)}", slots=SLOTS, marked=True)


def hook_program(seed: int) -> Program:
    """A program with one random hook."""
    return program(random_hook(Random(seed), "message", waits=seed % 3 == 0), slots=SLOTS, marked=True)


@lru_cache(maxsize=1)
def original(seed: int) -> Program:
    """A program to be changed; made once for all that are made of it, for writing one takes longest."""
    return hook_program(Random(seed).randrange(1 << 30))


def mutant(seed: int) -> Program | None:
    """A changed program that the verifier accepts, with its own measures made true; None where it refuses it."""
    random = Random(seed)
    made = original(seed // CHANGES)
    route = made.routes[0]
    chunk = route.hooks["on_message"]
    code = list(chunk.code)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        mutate(code, random)
    try:
        found = measure(tuple(code), made.imports, chunk.inner)
        changed = replace(
            chunk, code=tuple(code), stack=found.stack, cost=found.cost, waits=found.waits,
            source_map=SourceMap(marks_for(len(code), chunk)),
        )  # fmt: skip
        route = replace(route, hooks={"on_message": changed})
        made = replace(made, routes=(route,), manifest=compute_manifest(made.constants, made.imports, (route,)))
        verify(made)
    except (LoadError, IndexError, KeyError, ValueError):
        return None
    return made


def marks_for(length: int, chunk: Chunk) -> Any:
    """Marks for code that has become longer or shorter."""
    marks = chunk.source_map.marks
    last = marks[-1]
    more = tuple(replace(last, line=last.line + n, end_line=last.end_line + n) for n in range(1, length))
    return (*marks, *more)[:length]


def mutate(code: list[Instruction], random: Random) -> None:
    """Change, remove, double or swap an instruction, or change its operand."""
    if not code:
        return
    place = random.randrange(len(code))
    match random.randrange(5):
        case 0:
            code[place] = Instruction(random.choice(list(Opcode)), code[place].operand)
        case 1:
            del code[place]
        case 2:
            code.insert(place, random.choice(code))
        case 3:
            other = random.randrange(len(code))
            code[place], code[other] = code[other], code[place]
        case _:
            code[place] = Instruction(code[place].opcode, max(0, code[place].operand + random.choice((-1, 1, 2))))


MAKERS: dict[str, Callable[[int], Program | None]] = {
    "expressions": expression_program,
    "hooks": hook_program,
    "mutants": mutant,
}


def search(kind: str, count: int, first: int) -> int:
    """Look for divergences in so many programs of a kind from a seed on; how many there are."""
    make, looked, bad, seed = MAKERS[kind], 0, 0, first
    start = time.process_time()
    while looked < count:
        made = make(seed)
        if made is not None:
            looked += 1
            problem = divergence(made, seed)
            if problem is not None:
                bad += 1
                if bad <= 5:
                    print(problem)
        seed += 1
    print(f"{looked} {kind} from seed {first}: {bad} divergences, {time.process_time() - start:.0f} s")
    return bad


if __name__ == "__main__":
    sys.exit(bool(search(sys.argv[2], int(sys.argv[1]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)))
