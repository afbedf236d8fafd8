"""What `worpen validate` does never raises: whatever is in a file, it is fine or has findings at places inside of it,
and they can be shown in every format and repaired to a text for which the same holds."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.diagnostics.codes import Severity
from compiler.diagnostics.machine_formats import to_github, to_json, to_junit, to_sarif
from compiler.diagnostics.render import render_concise, render_full
from compiler.pipeline import Settings, check_source
from tests.conftest import PROJECT
from worpen_cli.files import InputFile
from worpen_cli.findings import Examined, examine, reaches
from worpen_cli.repair import Repairer

DEEP = settings.get_current_profile_name() == "deep"
EXAMPLES = 10_000 if DEEP else 150
SECONDS = 1.0
SETTINGS = Settings()
GUIDE = PROJECT.parent / "shared" / "conformance" / "routes"
FALLBACK = PROJECT / "examples"


def good_routes() -> list[Path]:
    """The guide's routes where they are at hand, the examples where not."""
    found = sorted(GUIDE.glob("seed_*.yaml")) + sorted(GUIDE.glob("seed_*.json"))
    examples = [path for path in sorted(FALLBACK.glob("*.yaml")) if ".test." not in path.name]
    return found or examples


ROUTES = {path.name: path.read_bytes() for path in good_routes()}


def validate(name: str, raw: bytes) -> Examined:
    """Check a file as the command does, and hold what comes of it to the promises."""
    started = time.process_time()
    examined = examine([InputFile(name, raw, name)], SETTINGS, check_source)
    assert time.process_time() - started < SECONDS * 5, "far too slow"
    for found in examined.diagnostics:
        length = len(found.source.text)
        for source, span in [(found.source, found.span), *((label.source, label.span) for label in found.labels)]:
            assert 0 <= span.start <= span.end <= max(length, 1), (found, source.name)
        for edit in (edit for fix in found.fixes for edit in fix.edits):
            assert 0 <= edit.span.start <= edit.span.end <= length
    if reaches(examined.diagnostics, Severity.ERROR):
        assert any(found.severity is Severity.ERROR for found in examined.diagnostics)
    else:
        assert examined.routes, "neither a route nor an error"
    return examined


def show(examined: Examined) -> None:
    """All formats take what was found."""
    found: Sequence[object] = examined.diagnostics
    render_full(examined.diagnostics[:20], color=True, width=60)
    assert render_concise(examined.diagnostics).count("\n") == len(found)
    json.dumps([to_json(examined.diagnostics, {}), to_sarif(examined.diagnostics, "1")])
    assert to_github(examined.diagnostics).count("\n") == len(found)
    to_junit(examined.diagnostics, ["a"], 0)


NAMES = st.sampled_from(["a.yaml", "a.json"])


@settings(max_examples=EXAMPLES)
@given(NAMES, st.binary(max_size=400))
def test_any_bytes(name: str, raw: bytes) -> None:
    show(validate(name, raw))


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, bytes]:
    """A good route with a few places cut out, doubled, swapped or written over."""
    name = draw(st.sampled_from(sorted(ROUTES)))
    raw = ROUTES[name]
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.integers(0, 30)))
        middle = draw(
            st.one_of(st.just(b""), st.just(raw[start:end] * 2), st.sampled_from(PIECES), st.binary(max_size=4))
        )
        raw = raw[:start] + middle + raw[end:]
    return name, raw


PIECES = [
    b"{{", b"}}", b"'", b'"', b": ", b"\n", b"\n- ", b"\t", b"  ", b"|", b"&a ", b"*a ", b"!x ", b"[", b"]", b"{", b"}",
    b",", b"null", b"5", b"true", b"and", b"===", b"WsOp", b"message", b"command", b"\xff", b"\xe2\x80\xae", b"\x00",
    b"# worpen: ignore",
]  # fmt: skip


@settings(max_examples=EXAMPLES)
@given(mutations())
def test_mutations_of_good_routes(mutated: tuple[str, bytes]) -> None:
    name, raw = mutated
    show(validate(name, raw))


@settings(max_examples=EXAMPLES // 3)
@given(mutations(), st.booleans())
def test_a_repair_ends_and_is_complete(mutated: tuple[str, bytes], unsafe: bool) -> None:
    name, raw = mutated
    repairer = Repairer(lambda n, r: check_source(n, r, SETTINGS), lambda _: True, unsafe=unsafe)
    repaired = repairer.repair(InputFile(name, raw, name))
    validate(name, repaired.raw)
    assert (repaired.raw == raw) == (repaired.fixes == 0)
    assert repairer.repair(repaired.as_input).fixes == 0


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_every_beginning_of_a_good_route(name: str) -> None:
    raw = ROUTES[name]
    for end in range(0, len(raw), 1 if DEEP else 7):
        validate(name, raw[:end])


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_the_good_routes_are_fine(name: str) -> None:
    found = validate(name, ROUTES[name]).diagnostics
    assert [one for one in found if one.severity is not Severity.INFO] == []
