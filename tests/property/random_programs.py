"""Random programs that are well formed: structured code with everything that the verifier allows.

Seeded by a `random.Random`, so that a failure is repeated by its seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from compiler.bytecode.opcodes import Opcode
from compiler.bytecode.program import Program
from tests.assembly import program

SLOTS = ("n", "m", "room")
CONSTANTS = (
    "0", "1", "-3", "2.5", str(2**53), str(int(1e300)), "''", "'7'", "'text'", "'سن'", "[]", "[1, 'a', [2]]", "{}",
    "{'a': 1, 'b': [2]}", "None", "True",
)  # fmt: skip
UNARY = (
    "NEG",
    "NOT",
    "TEXT",
    "CHANNEL",
    "MEMBER 'a'",
    "MEMBER_SAFE 'length'",
    "CALL length/1",
    "CALL type/1",
    "CALL trim/1",
)
OPERATORS = [opcode.name for opcode in Opcode if opcode.helper is not None and opcode.value.pops == 2]
BINARY = (*OPERATORS, "CALL contains/2", "CALL append/2")
SIMPLE_EFFECTS = (("send", 2), ("publish", 4), ("log", 2), ("subscribe", 1), ("broadcast", 3))
WAITING_EFFECTS = (("sleep", 1), ("redis", 4))


@dataclass(slots=True)
class Writer:
    """Writes the text of one chunk. `assigned` are the locals set on every path, `loops` the nesting."""

    random: Random
    inputs: tuple[str, ...]
    slots: tuple[str, ...] = SLOTS
    waits: bool = False
    next_local: int = 0
    assigned: set[int] = field(default_factory=set)
    loops: int = 0
    in_loop: bool = False

    def new_local(self, count: int = 1) -> int:
        self.next_local += count
        return self.next_local - count

    # Expressions.

    def expression(self, depth: int) -> str:
        choice = self.random.random()
        if depth <= 0 or choice < 0.3:
            return self.leaf()
        if choice < 0.42:
            return f"{self.expression(depth - 1)} ; {self.random.choice(UNARY)}"
        if choice < 0.66:
            return f"{self.expression(depth - 1)} ; {self.expression(depth - 1)} ; {self.random.choice(BINARY)}"
        if choice < 0.76:
            return self.made(depth)
        if choice < 0.84:
            test, yes, no = (self.expression(depth - 1) for _ in range(3))
            return f"{test} ; IF 1 ; {yes} ; ELSE ; {no} ; END"
        if choice < 0.94:
            opener = self.random.choice(("AND", "OR", "COALESCE"))
            return f"{self.expression(depth - 1)} ; {opener} ; {self.expression(depth - 1)} ; END"
        return self.mapped(depth)

    def leaf(self) -> str:
        kinds = ["CONST", "CONST", "NULL", "TRUE", "FALSE"]
        kinds += (
            ["INPUT"] * bool(self.inputs)
            + ["SLOT", "SLOT_SAFE"] * bool(self.slots)
            + ["LOCAL"] * 2 * bool(self.assigned)
        )
        kind = self.random.choice(kinds)
        if kind == "CONST":
            return f"CONST {self.random.choice(CONSTANTS)}"
        if kind == "INPUT":
            return f"INPUT {self.random.choice(self.inputs)}"
        if kind == "LOCAL":
            return f"LOCAL {self.random.choice(sorted(self.assigned))}"
        return f"{kind} {self.random.choice(self.slots)}" if kind.startswith("SLOT") else kind

    def made(self, depth: int) -> str:
        count = self.random.randrange(4)
        name = self.random.choice(("LIST", "CONCAT", "OBJECT"))
        count = 2 * count if name == "OBJECT" else count
        return " ; ".join([*(self.expression(depth - 1) for _ in range(count)), f"{name} {count}"])

    def mapped(self, depth: int) -> str:
        inner = Writer(self.random, (), (), assigned={0})
        name = self.random.choice(("map/2", "filter/2", "sort/2"))
        return f"{self.expression(depth - 1)} ; INNER {{{inner.expression(depth - 1)} ; RETURN}} ; CALL {name}"

    # Statements: a list of texts, and whether the end is reached.

    def block(self, depth: int) -> tuple[list[str], bool]:
        rows: list[str] = []
        for _ in range(self.random.randrange(4)):
            more, falls = self.statement(depth)
            rows += more
            if not falls:
                return rows, False
        return rows, True

    def statement(self, depth: int) -> tuple[list[str], bool]:
        choices: list[Callable[[int], tuple[list[str], bool]]] = [self.assign, self.assign, self.effect, self.leave]
        if depth > 0:
            choices += [self.branch, self.branch, self.attempt, self.attempt]
            choices += [self.loop, self.each] if self.loops < 3 else []
        return self.random.choice(choices)(depth)

    def assign(self, _: int) -> tuple[list[str], bool]:
        value = self.expression(2)
        if self.random.random() < 0.6:
            return [value, f"SET_SLOT {self.random.choice(self.slots)}"], True
        local = self.new_local()
        self.assigned.add(local)
        return [value, f"SET_LOCAL {local}"], True

    def effect(self, _: int) -> tuple[list[str], bool]:
        name, arity = self.random.choice(SIMPLE_EFFECTS + (WAITING_EFFECTS if self.waits else ()))
        rows = [self.expression(1) for _ in range(arity)] + [f"EMIT {name}"]
        return [*rows, self.random.choice(("DROP", "SET_SLOT n"))], True

    def leave(self, _: int) -> tuple[list[str], bool]:
        way = self.random.choice(["RETURN", "THROW", "DROP", "DROP"] + ["BREAK", "CONTINUE"] * self.in_loop)
        if way == "RETURN":
            return [self.expression(2), "RETURN"], False
        if way == "THROW":
            return [self.expression(1), self.expression(0), "THROW"], False
        return ([self.expression(2), "DROP"], True) if way == "DROP" else ([way], False)

    def branch(self, depth: int) -> tuple[list[str], bool]:
        test = self.expression(2)
        before = set(self.assigned)
        then, then_falls = self.block(depth - 1)
        after_then, self.assigned = self.assigned, set(before)
        if self.random.random() < 0.4:
            return [test, "IF", *then, "END"], True
        other, other_falls = self.block(depth - 1)
        ends = [found for found, falls in ((after_then, then_falls), (self.assigned, other_falls)) if falls]
        self.assigned = set.intersection(*ends) if ends else before
        return [test, "IF", *then, "ELSE", *other, "END"], then_falls or other_falls

    def loop(self, depth: int) -> tuple[list[str], bool]:
        return self.looping([f"LOOP {self.random.randrange(6)}", self.expression(2), "WHILE"], depth)

    def each(self, depth: int) -> tuple[list[str], bool]:
        first = self.new_local(3)
        collection = self.random.choice((self.expression(2), "CONST [1, 'b', [3]]"))
        return self.looping([collection, f"EACH {first}"], depth, {first, first + 1, first + 2})

    def looping(self, opening: list[str], depth: int, given: Iterable[int] = ()) -> tuple[list[str], bool]:
        before, was_in_loop = set(self.assigned), self.in_loop
        self.assigned |= set(given)
        self.loops, self.in_loop = self.loops + 1, True
        body, _ = self.block(depth - 1)
        self.loops, self.in_loop, self.assigned = self.loops - 1, was_in_loop, before
        return [*opening, *body, "END"], True

    def attempt(self, depth: int) -> tuple[list[str], bool]:
        before = set(self.assigned)
        self.loops += 1
        rows, falls = self.block(depth - 1)
        rows = ["TRY", *rows]
        ends = [self.assigned] if falls else []
        parts = self.random.choice(("catch", "finally", "both"))
        if parts != "finally":
            local = self.new_local()
            self.assigned = before | {local}
            catch, catch_falls = self.block(depth - 1)
            rows += [f"CATCH {local}", *catch]
            ends += [self.assigned] if catch_falls else []
        self.assigned = set.intersection(*ends) if ends else set(before)
        falls = bool(ends)
        if parts != "catch":
            after, self.assigned = self.assigned, set(before)
            last, last_falls = self.block(depth - 1)
            rows += ["FINALLY", *last]
            self.assigned |= after
            falls = falls and last_falls
        self.loops -= 1
        return [*rows, "END"], falls


def random_hook(random: Random, *inputs: str, waits: bool = False) -> str:
    """The text of a hook that sees these inputs."""
    writer = Writer(random, ("params", "query", "connection_id", *inputs), waits=waits)
    rows: list[str] = []
    for _ in range(random.randrange(1, 6)):
        more, falls = writer.statement(3)
        rows += more
        if not falls:
            return " ; ".join(rows)
    return " ; ".join(rows)


def random_program(seed: int, *, marked: bool = False) -> Program:
    """A program of a few hooks."""
    random = Random(seed)
    expression = Writer(random, ("connection_id", "params")).expression(2)
    return program(
        random_hook(random, "message", waits=seed % 4 == 0),
        on_connect=random_hook(random),
        slots=SLOTS,
        templates=[f"{expression} ; CHANNEL ; RETURN"] if seed % 2 else [],
        literals=["chat"] if seed % 3 else [],
        options={"codec": "json"} if seed % 5 else {},
        marked=marked,
    )
