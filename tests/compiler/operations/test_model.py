"""Declaring operations, and the steps that they are made of."""

from __future__ import annotations

import pytest

from compiler.diagnostics.source import Span
from compiler.operations import GROUPS, OPERATIONS, SPELLINGS, Operation, fields
from compiler.operations.control import Case
from compiler.operations.messages import Log, Return, WsOp
from compiler.operations.model import (
    Attempts,
    Block,
    Chooses,
    Flow,
    Leaves,
    Record,
    Repeats,
    Runs,
    Sets,
    Way,
    leaves_loop,
    names_set,
    operation,
    part,
    snake_case,
)
from compiler.operations.rows import Position, Variant
from compiler.syntax.fields import Written
from tests.compiler.checking import check, compiled, in_hook

HERE = Span(0, 0)

SPELLED = {
    "SetVar": ("set_var", "set"), "WsOp": ("ws_op",), "Log": ("log",), "Return": ("return",), "If": ("if",),
    "Switch": ("switch",), "While": ("while",), "Loop": ("loop", "for_each", "foreach"), "Break": ("break",),
    "Continue": ("continue",), "Try": ("try",), "Throw": ("throw",), "Sleep": ("sleep",), "Comment": ("comment",),
    "SqlOp": ("sql_op", "sql"), "RedisOp": ("redis_op",), "HttpRequest": ("http_request", "http"),
    "Reject": ("reject",),
}  # fmt: skip
"""Section 5 of the language: all operations, with their snake_case and aliases."""

FIELDS = {
    "SetVar": "name* (var), value*",
    "WsOp": "command*, message, channel, to, exclude_self, binary, code, reason, output_var",
    "Log": "message*, level",
    "Return": "value",
    "If": "condition*, then*, else (otherwise)",
    "Switch": "value*, cases*, default",
    "While": "condition*, body* (do), max_iterations",
    "Loop": "collection*, var (item_var as), index_var, body* (do)",
    "Break": "",
    "Continue": "",
    "Try": "operations* (actions body), catch, finally",
    "Throw": "message*, code",
    "Sleep": "duration_ms* (ms)",
    "Comment": "text",
    "SqlOp": "query*, params (args), operation, fetch, output_var",
    "RedisOp": "command*, key*, value, ttl_seconds, output_var",
    "HttpRequest": "url*, method, headers, body, timeout_ms, output_var",
    "Reject": "status, reason",
}
"""The same section: the fields, those that are required with a star, and their aliases."""

DEFAULTS = {
    ("Log", "level"): "info", ("Return", "value"): "null", ("WsOp", "exclude_self"): "false",
    ("WsOp", "binary"): "false", ("WsOp", "code"): "1000", ("While", "max_iterations"): "1000",
    ("Loop", "var"): "item", ("Loop", "index_var"): "index",
    ("SqlOp", "output_var"): "sql_result", ("RedisOp", "output_var"): "redis_result",
    ("HttpRequest", "output_var"): "http_response", ("HttpRequest", "method"): "GET",
    ("HttpRequest", "timeout_ms"): "5000", ("Reject", "status"): "403", ("SqlOp", "fetch"): "all",
}  # fmt: skip


def described(cls: type[Operation]) -> str:
    return ", ".join(
        row.name + ("*" if row.required else "") + (f" ({' '.join(row.aliases)})" if row.aliases else "")
        for row in cls.rows.values()
    )


def test_the_operations_and_their_spellings() -> None:
    spelled = {
        name: tuple(s for s, cls in SPELLINGS.items() if cls.__name__ == name and s != name) for name in OPERATIONS
    }
    assert {name: set(spellings) for name, spellings in spelled.items()} == {k: set(v) for k, v in SPELLED.items()}


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_fields_of_an_operation(name: str) -> None:
    assert described(OPERATIONS[name]) == FIELDS[name]


@pytest.mark.parametrize(("owner", "default"), DEFAULTS.items(), ids=lambda value: "-".join(value))
def test_defaults(owner: tuple[str, str], default: str) -> None:
    assert OPERATIONS[owner[0]].rows[owner[1]].default == default


def test_a_case_has_names_of_its_own() -> None:
    assert {spelling: row.name for spelling, row in Case.spellings.items()} == {
        "value": "value", "case": "value", "operations": "operations", "actions": "operations",
    }  # fmt: skip


def test_the_table_is_in_the_order_of_the_documentation() -> None:
    modules = dict.fromkeys(cls.__module__ for cls in OPERATIONS.values())
    assert list(modules) == [module.__name__ for module in GROUPS]


def test_every_operation_belongs_to_a_group() -> None:
    assert {cls.__module__ for cls in OPERATIONS.values()} == {module.__name__ for module in GROUPS}


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_example_of_an_operation_is_clean_and_uses_it(name: str) -> None:
    cls = OPERATIONS[name]
    hook = "on_auth" if cls.hooks == ("on_auth",) else "on_message"
    assert check(in_hook(cls.example, hook)) == []
    assert f"{name}:" in cls.example
    assert compiled(in_hook(cls.example, hook)).routes[0].hooks.keys() == {hook}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_spelling_is_read_as_the_same_program(name: str) -> None:
    cls = OPERATIONS[name]
    hook = "on_auth" if cls.hooks == ("on_auth",) else "on_message"
    expected = compiled(in_hook(cls.example, hook)).routes[0].hooks[hook].code
    for spelling in SPELLED[name]:
        route = in_hook(cls.example.replace(f"{name}:", f"{spelling}:"), hook)
        assert compiled(route).routes[0].hooks[hook].code == expected


def test_where_operations_may_stand() -> None:
    everywhere = set(Operation.hooks)
    assert set(WsOp.hooks) == everywhere - {"on_auth"}
    assert OPERATIONS["Reject"].hooks == ("on_auth",)
    assert all(set(cls.hooks) == everywhere for name, cls in OPERATIONS.items() if name not in ("WsOp", "Reject"))
    assert {name for name, cls in OPERATIONS.items() if cls.needs_loop} == {"Break", "Continue"}
    assert {name for name, cls in OPERATIONS.items() if cls.repeats} == {"While", "Loop"}
    assert {name for name, cls in OPERATIONS.items() if cls.nests} == {"While", "Loop", "Try"}


def test_snake_case() -> None:
    assert [snake_case(name) for name in ("WsOp", "SetVar", "If", "HttpRequest")] == [
        "ws_op", "set_var", "if", "http_request",
    ]  # fmt: skip


class TestDeclaring:
    def test_a_docstring_and_an_example_are_required(self) -> None:
        with pytest.raises(ValueError, match="needs a docstring and an example"):

            @operation(example="- Silent: {}")
            class Silent(Operation):
                pass

        with pytest.raises(ValueError, match="needs a docstring and an example"):

            @operation(example=" ")
            class Bare(Operation):
                """Says what it does."""

        assert "Silent" not in OPERATIONS
        assert "Bare" not in OPERATIONS

    def test_every_field_has_a_doc(self) -> None:
        with pytest.raises(ValueError, match=r"Mute\.name needs a doc"):

            @operation(example="- Mute: {name: a}")
            class Mute(Operation):
                """Says what it does."""

                name: Written[str] = fields.variable("")

        assert "Mute" not in OPERATIONS

    def test_a_name_is_given_once(self) -> None:
        with pytest.raises(ValueError, match="two operations are called log"):

            @operation(example="- Other: {}", aliases=("log",))
            class Other(Operation):
                """Says what it does."""

        for name in ("Other", "other"):
            SPELLINGS.pop(name)
        assert SPELLINGS["log"] is Log

    def test_a_part_is_no_operation(self) -> None:
        @part("Some.part")
        class Piece(Record):
            """A piece."""

            name: Written[str] = fields.variable("Its name.", aliases=("called",))

        assert Piece.label == "Some.part"
        assert Piece.spellings.keys() == {"name", "called"}
        assert "Piece" not in SPELLINGS

    def test_what_does_not_lower_says_so(self) -> None:
        with pytest.raises(NotImplementedError, match="Operation does not lower"):
            Operation(place=HERE).lower(None)  # type: ignore[arg-type]


def test_variants() -> None:
    assert WsOp.variant("send").required == ("message",)
    assert WsOp.variant("nonsense") == Log.variant("send") == WsOp.variant(None) == Variant()


@pytest.mark.parametrize("name", OPERATIONS)
def test_variants_name_fields_that_there_are(name: str) -> None:
    cls = OPERATIONS[name]
    if cls.variants is None:
        return
    decider, variants = cls.variants
    assert cls.rows[decider].words == tuple(variants)
    assert all({*variant.required, *variant.allowed} < set(cls.rows) for variant in variants.values())


@pytest.mark.parametrize("name", OPERATIONS)
def test_names_elsewhere_are_no_names_here(name: str) -> None:
    cls = OPERATIONS[name]
    assert not {synonym for synonym in cls.synonyms if synonym in SPELLINGS}
    for row in cls.rows.values():
        assert not set(row.synonyms) & set(cls.spellings), row.name
        assert set(row.word_synonyms.values()) <= set(row.words)
        assert bool(row.words) is (row.position is Position.WORD)


class TestSteps:
    a, b = Written("a", HERE), Written("b", HERE)
    leaves = Return(place=HERE)

    def test_names_that_are_set_anywhere_inside(self) -> None:
        flow: Flow = (Sets(self.a), Chooses(((Sets(self.b),), ())), Repeats((Sets(self.a),)))
        assert names_set(flow) == ["a", "b", "a"]
        assert names_set((Attempts((Sets(self.a),), (Sets(self.b),), ()),)) == ["a", "b"]

    def test_what_leaves_a_loop(self) -> None:
        block = Block((self.leaves,), HERE, "")
        assert leaves_loop((Runs(block),))
        assert leaves_loop((Chooses(((), (Leaves(Way.LOOP),))),))
        assert not leaves_loop((Leaves(Way.ROUND), Sets(self.a)))
