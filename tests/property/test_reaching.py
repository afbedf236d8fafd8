"""A manifest misses nothing: whatever a program asks its host for is in it.

Random programs with every effect and every function that names something are run on hosts that write down what they
are asked for. Addresses are read as the HTTP client reads them, so that a manifest and a request cannot mean two hosts.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compiler.bytecode import patterns
from compiler.bytecode.manifest import compute_manifest
from compiler.bytecode.program import Manifest, Program
from compiler.language.effects import EFFECTS
from compiler.language.faults import Fault, OutOfFuel
from compiler.language.functions import FUNCTIONS
from compiler.language.values import UNSET
from runtime import interpreter
from runtime.bounds import Bounds, bounds_of
from runtime.limits import ServerLimits
from runtime.loader import link
from runtime.seam import Context
from runtime.services import Addresses, Services
from tests.assembly import Quiet, inputs, program
from tests.property.random_programs import SLOTS, Writer

NAMING = {
    "publish.channel", "subscribe.channel", "unsubscribe.channel", "sql.query", "redis.key", "http.url",
    "env.name", "members.channel", "channel_size.channel",
}  # fmt: skip
"""Arguments that name something outside of the connection."""
SILENT = {
    "send": "message binary", "send_to": "message binary to", "broadcast": "message binary exclude_self",
    "publish": "message binary exclude_self", "close": "code reason", "log": "level message", "sleep": "duration_ms",
    "sql": "params operation fetch", "redis": "command value ttl_seconds", "http": "method headers body timeout_ms",
    "reject": "status reason",
}  # fmt: skip
"""Arguments of effects that do not: data, and who it is for where that is a connection."""
PROGRAMS = 400
STARTS = ("", "room:", "user:*", "\\", "*")
URLS = ("https://", "https://a.example/", "https://b.example?", "http://c.example")
SERVICES = Services(Addresses(), ServerLimits())


def test_every_argument_of_every_effect_is_one_or_the_other() -> None:
    """Who adds an effect or a function that names something must say so."""
    said = {f"{effect.name}.{argument}" for effect in EFFECTS.values() for argument in effect.reaches}
    said |= {f"{row.name}.{given.name}" for row in FUNCTIONS.values() for given in row.parameters if given.reaches}
    assert said == NAMING
    for effect in EFFECTS.values():
        others = {argument for argument, _ in effect.arguments} - set(effect.reaches)
        assert others == set(SILENT.get(effect.name, "").split()), effect.name
    moments = {row.name for row in FUNCTIONS.values() if row.needs_moment and row.parameters}
    assert moments == {"random_int", "random_string", "env", "channel_size", "members"}


class Reacher(Writer):
    """Writes programs that mostly ask for something, by names that are partly computed."""

    def effect(self, _: int) -> tuple[list[str], bool]:
        effects = [row for row in EFFECTS.values() if (self.waits or not row.waits) and "on_message" in row.hooks]
        effect = self.random.choice(effects)
        starts = URLS if effect.name == "http" else STARTS
        rows = [self.name(starts) if argument in effect.reaches else "CONST 7" for argument, _ in effect.arguments]
        return [*rows, f"EMIT {effect.name}", self.random.choice(("DROP", "SET_SLOT room"))], True

    def leaf(self) -> str:
        choice = self.random.random()
        if choice < 0.1:
            return f"CONST '{self.random.choice('AB')}' ; CALL env/1"
        if choice < 0.25:
            return f"{self.name()} ; CHANNEL ; CALL {self.random.choice(('members', 'channel_size'))}/1"
        return super().leaf()

    def name(self, starts: Sequence[str] = STARTS) -> str:
        choice = self.random.random()
        if choice < 0.15:
            return self.expression(1)
        parts = [f"CONST {self.random.choice(starts)!r}"]
        parts += [Writer.leaf(self) for _ in range(self.random.randrange(3))]
        made = f"{' ; '.join(parts)} ; CONCAT {len(parts)}"
        if choice < 0.3:
            return f"{self.expression(1)} ; IF 1 ; {made} ; ELSE ; CONST 'else' ; END"
        return made if choice < 0.9 else f"{made} ; {self.random.choice(('CHANNEL', 'TEXT', 'CALL trim/1'))}"


def reaching_program(seed: int) -> Program:
    random = Random(seed)
    writer = Reacher(random, ("params", "message", "connection_id"), waits=seed % 2 == 0)
    rows: list[str] = []
    for _ in range(random.randrange(2, 8)):
        before = set(writer.assigned)
        more, _ = writer.statement(3) if random.random() < 0.3 else writer.effect(0)
        rows += ["TRY", *more, f"CATCH {writer.new_local()}", "END"]
        writer.assigned &= before
    template = f"{writer.name()} ; CHANNEL ; RETURN" if not writer.assigned else "CONST 'x' ; RETURN"
    return program(" ; ".join(rows), slots=SLOTS, templates=[template.replace("INPUT message", "NULL")])


@dataclass(slots=True)
class Witness(Quiet):
    """Host and world that write down every name that they are asked for, with its place in a manifest."""

    asked: list[tuple[str, Any]] = field(default_factory=list)
    effects: set[str] = field(default_factory=set)

    def emit(self, effect: str, *arguments: Any) -> Any:
        row = EFFECTS[effect]
        self.effects.add(effect)
        for (name, _), argument in zip(row.arguments, arguments, strict=True):
            if name in row.reaches:
                self.asked.append((row.reaches[name], argument))
        return self.later() if row.waits else "reply"

    async def later(self) -> str:
        return "later"

    def environment(self, name: str) -> str | None:
        self.asked.append(("environment", name))
        return name

    def members(self, channel: str) -> tuple[str, ...]:
        self.asked.append(("channels", channel))
        return ("a",)

    def channel_size(self, channel: str) -> int:
        self.asked.append(("channels", channel))
        return 1


async def _wait(outcome: Any) -> None:
    await outcome


def witnessed(made: Program) -> Witness:
    """What a program asks for when its hooks and templates run."""
    witness = Witness()
    # With bounds that cover everything: what is looked for is what they would have stopped.
    context = Context(witness, 50)
    route = made.routes[0]
    slots: list[Any] = ["s", 7, UNSET]
    given = inputs(message="m", params={"a": "p"}, connection_id="id")
    for chunk in (*route.hooks.values(), *route.membership.templates):
        try:
            outcome: Any = interpreter.build_hook(made, route, chunk, context)(given, slots, witness.emit)
            if inspect.isawaitable(outcome):
                asyncio.run(_wait(outcome))
            elif chunk in route.membership.templates and isinstance(outcome, str):
                witness.asked.append(("channels", outcome))
        except (Fault, OutOfFuel):
            pass
    return witness


def covered(kind: str, name: Any, manifest: Manifest, bounds: Bounds) -> bool:
    """Whether a name is within bounds, as the host sees it."""
    if kind == "statements":
        return name in manifest.statements or any(patterns.matches(entry, str(name)) for entry in manifest.statements)
    if kind == "environment":
        return name in manifest.environment
    names = getattr(bounds, kind)
    if names is None:
        return True
    if kind == "hosts":
        host = host_of(name)
        return host is None or names[host]
    return bool(names[str(name) if isinstance(name, int) else name])


def host_of(url: Any) -> str | None:
    """Where the HTTP client would go; None for what it refuses."""
    try:
        return SERVICES.host_of(url) if isinstance(url, str) else None
    except Fault:
        return None


def test_what_random_programs_ask_for_is_in_their_manifests() -> None:
    seen: Counter[str] = Counter()
    for seed in range(PROGRAMS):
        made = reaching_program(seed)
        link(made, Context(Quiet()))
        witness, bounds = witnessed(made), bounds_of(made.manifest)
        assert witness.effects <= set(made.manifest.effects), seed
        for kind, name in witness.asked:
            assert covered(kind, name, made.manifest, bounds), (seed, kind, name)
            seen[kind] += 1
            seen["bounded " + kind] += "*" not in getattr(made.manifest, kind)
        seen.update(witness.effects)
    kinds = set(Bounds.__slots__)
    assert kinds <= set(seen), seen
    assert {f"bounded {kind}" for kind in kinds} <= {name for name, count in seen.items() if count > 20}, seen
    assert {name for name, row in EFFECTS.items() if "on_message" in row.hooks} <= set(seen)


PIECES = st.sampled_from(
    ["https://", "http://", "HTTPS://", "a.example", "B.Example", "evil.test", "/", "//", "\\", "?", "#", "@", ":",
     ":80", ".", "%2e", "%", "[::1]", "[", "]", "::FF", " ", "\t", "\n", "\u3002", "\uff0e", "xn--bcher-kva", "bücher",
     "ß", "İ", "user", "127.1", "0x7f", "*", "..", "-", "_", "&", "=", "\ufeff", "\u00ad", "\u212a"]
)  # fmt: skip
ADDRESS = st.lists(PIECES, max_size=7).map("".join)


def manifest_of(parts: Iterable[str | None]) -> Manifest:
    listed = list(parts)
    rows = " ; ".join("INPUT message" if part is None else f"CONST {part!r}" for part in listed)
    made = program(f"CONST 'GET' ; {rows} ; CONCAT {len(listed)} ; NULL ; NULL ; CONST 5000 ; EMIT http ; DROP")
    return compute_manifest(made.constants, made.imports, made.routes)


@given(st.lists(st.tuples(ADDRESS, st.booleans()), min_size=1, max_size=4), st.booleans())
@example([("https://a.example\\", False), (".evil.test", True)], True)
@example([("https://a\u3002example/", False)], True)
@example([("https://a.example", False), ("@evil.test/", True)], True)
@example([("https://xn--bcher-kva.example/", False)], True)
def test_a_request_goes_to_the_host_in_the_manifest(parts: list[tuple[str, bool]], secure: bool) -> None:
    """Addresses, part of them written and part computed: the client goes where the manifest says, or nowhere."""
    if secure:
        parts = [
            ("https://a.example" if place == 0 and not text else text, gap) for place, (text, gap) in enumerate(parts)
        ]
    host = host_of("".join(text for text, _ in parts))
    manifest = manifest_of(None if is_computed else text for text, is_computed in parts)
    names = bounds_of(manifest).hosts
    assert names is None or host is None or names[host], manifest.hosts


@pytest.mark.parametrize("written", ["https://a.example/", "https://a.example?x="])
def test_a_host_that_is_written_is_no_gap(written: str) -> None:
    assert manifest_of([written, None]).hosts == ("a.example",)
