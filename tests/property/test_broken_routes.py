"""Good routes with something broken in them: the reader never raises, and every finding stands inside the file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.diagnostics.codes import Severity
from compiler.diagnostics.diagnostic import Report
from compiler.operations import OPERATIONS
from compiler.operations.route import ROUTE_KEYS
from compiler.pipeline import Compilation, Settings, check_source, check_together, compile_source
from compiler.syntax.events import decode_source, read_documents
from tests.compiler.syntax.plain import plain
from tests.conftest import PROJECT

SETTINGS = Settings()


def values(text: str) -> list[Any]:
    report = Report()
    source = decode_source("a.yaml", text.encode(), report)
    assert source is not None
    return [plain(node) for node in read_documents(source, report)]


def examples() -> Iterator[Any]:
    """Routes that hold every operation, every key, and what the examples of the project do."""
    for cls in OPERATIONS.values():
        hook = cls.hooks[0] if len(cls.hooks) == 1 else "on_message"
        (operations,) = values(cls.example)
        yield {"name": "A", "path": "/ws/:a", "route_type": "WebSocket", "ws_hooks": {hook: operations}}
    (keys,) = values("\n".join(f"{name}: {row.example}" for name, row in ROUTE_KEYS.items()))
    yield keys
    for path in sorted((PROJECT / "examples").glob("*.yaml")):
        if ".test." not in path.name:
            yield from values(path.read_text(encoding="utf-8"))


ROUTES = list(examples())
ODD_VALUES: list[Any] = [
    None, True, False, 0, -1, 1.5, 10**20, "", " ", "a", "{{ a }}", "{{", "{{ a = 1 }}", "send", [], {}, [None], [[]],
    {"a": 1}, {"Log": {"message": "a"}}, [{"Log": {"message": "a"}}], [{"Break": {}}], "سلام", "\u2028", "😀",
]  # fmt: skip
KEYS = sorted(
    {"x-a", "", "a", "<<", "on_open", "method", "🙂"}
    | set(ROUTE_KEYS)
    | {spelling for cls in OPERATIONS.values() for spelling in (cls.__name__, *cls.spellings)}
)
Place = tuple[Any, Any]


def places(value: Any) -> list[Place]:
    """All places of a value: the container, and the key or number in it."""
    found: list[Place] = []
    pending = [value]
    while pending:
        part = pending.pop()
        keys = list(part) if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else []
        for key in keys:
            found.append((part, key))
            pending.append(part[key])
    return found


def delete(place: Place, _: Callable[..., Any]) -> None:
    """Leave a part out."""
    del place[0][place[1]]


def replace(place: Place, draw: Callable[..., Any]) -> None:
    """Put something odd in place of a part."""
    place[0][place[1]] = draw(st.sampled_from(ODD_VALUES))


def rename(place: Place, draw: Callable[..., Any]) -> None:
    """Give a part another key, at the end."""
    container, key = place
    if isinstance(container, dict):
        container[draw(st.sampled_from(KEYS))] = container.pop(key)


def misspell(place: Place, draw: Callable[..., Any]) -> None:
    """Leave a letter of a key out."""
    container, key = place
    if isinstance(container, dict) and key:
        at = draw(st.integers(0, len(key) - 1))
        container[key[:at] + key[at + 1 :]] = container.pop(key)


def wrap(place: Place, draw: Callable[..., Any]) -> None:
    """Nest a part one deeper, in a list or a mapping."""
    container, key = place
    container[key] = draw(st.sampled_from(([container[key]], {"a": container[key]}, {"Log": container[key]})))


def repeat(place: Place, draw: Callable[..., Any]) -> None:
    """Have a part twice, under another name."""
    container, key = place
    if isinstance(container, list):
        container.append(deepcopy(container[key]))
    else:
        container[draw(st.sampled_from(KEYS))] = deepcopy(container[key])


CHANGES = [delete, replace, rename, misspell, wrap, repeat]


@st.composite
def broken_routes(draw: st.DrawFn) -> str:
    """A good route, as JSON on several lines, after one to three changes."""
    route = deepcopy(draw(st.sampled_from(ROUTES)))
    for _ in range(draw(st.integers(1, 3))):
        if found := places(route):
            draw(st.sampled_from(CHANGES))(found[draw(st.integers(0, len(found) - 1))], draw)
    return json.dumps(route, ensure_ascii=False, indent=draw(st.sampled_from((None, 2))))


def check_findings(compilation: Compilation) -> None:
    """Every finding, with its labels and repairs, stands inside of the file, and says something."""
    length = len(compilation.source.text)
    for found in compilation.report.diagnostics:
        spans = [found.span, *(label.span for label in found.labels)]
        spans += [edit.span for fix in found.fixes for edit in fix.edits]
        assert all(0 <= span.start <= span.end <= length for span in spans), found
        assert found.message.strip()


@given(broken_routes(), st.sampled_from(["route.json", "route.yaml"]))
def test_broken_routes_are_findings_or_programs(text: str, name: str) -> None:
    compilation = compile_source(name, text.encode(), SETTINGS)
    check_findings(compilation)
    check_together([compilation], SETTINGS)
    assert (compilation.program is None) is compilation.report.has_errors


@given(broken_routes())
def test_json_and_yaml_find_the_same(text: str) -> None:
    def found(name: str) -> list[tuple[str, Severity]]:
        report = check_source(name, text.encode(), SETTINGS).report
        return [(finding.code.name, finding.severity) for finding in report.sorted() if finding.code.number >= 200]

    assert found("route.json") == found("route.yaml")


@pytest.mark.parametrize("number", range(len(ROUTES)))
def test_the_routes_that_are_broken_are_good(number: int) -> None:
    compilation = compile_source("route.json", json.dumps(ROUTES[number]).encode(), SETTINGS)
    assert compilation.program is not None, [found.message for found in compilation.report.sorted()]


@given(st.data())
def test_a_misspelt_name_of_a_field_is_one_finding(data: st.DataObject) -> None:
    """One letter too many in a key of an operation: that key is found, and nothing that follows from it."""
    cls = data.draw(st.sampled_from([cls for cls in OPERATIONS.values() if cls.rows]))
    row = data.draw(st.sampled_from(list(cls.rows.values())))
    (operations,) = values(cls.example)
    (holder,) = [part for part, key in places(operations) if key == cls.__name__][:1] or [None]
    if holder is None or row.name not in holder[cls.__name__]:
        return
    fields = holder[cls.__name__]
    at = data.draw(st.integers(0, len(row.name)))
    wrong = row.name[:at] + "q" + row.name[at:]
    holder[cls.__name__] = {wrong if key == row.name else key: value for key, value in fields.items()}
    hook = cls.hooks[0] if len(cls.hooks) == 1 else "on_message"
    route = {"name": "A", "path": "/ws/a", "route_type": "WebSocket", "ws_hooks": {hook: operations}}
    report = check_source("a.json", json.dumps(route).encode(), SETTINGS).report
    errors = [found for found in report.sorted() if found.severity is Severity.ERROR]
    assert [found.code.name for found in errors] == ["unknown-key"]
