"""What is wrong with an expression, and where; what is known of its value (language section 7)."""

from __future__ import annotations

import pytest

from compiler.analysis.expressions import Checker, InnerNames
from compiler.analysis.known import ANYTHING, BOOLEAN, LIST, NUMBER, OBJECT, TEXT, Known
from compiler.diagnostics import codes
from compiler.diagnostics.codes import Severity
from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.source import SourceFile
from compiler.language.values import Kind
from compiler.lower import CHOICES
from compiler.syntax.findings import Findings
from compiler.syntax.nodes import Member, Name
from compiler.syntax.parser import parse_expression, parse_template

GIVEN = {
    "any": ANYTHING,
    "text": TEXT,
    "word": Known(Kind.TEXT, wordy=True),
    "number": NUMBER,
    "flag": BOOLEAN,
    "list": LIST,
    "object": OBJECT,
    "nothing": Known(Kind.NULL),
    "maybe": Known(Kind.TEXT | Kind.NULL, absent=True),
}


class Given:
    """Names with what is known of them. Reading `unset` is a finding, unless it is lenient."""

    def read(self, node: Name, lenient: bool, checker: Checker) -> Known:
        if node.name in GIVEN:
            return GIVEN[node.name]
        return ANYTHING if lenient else checker.report(codes.UNKNOWN_VARIABLE, node.span, "unset")

    def member(self, owner: Name, node: Member, checker: Checker) -> Known | None:
        return TEXT if owner.name == "object" and node.key == "known" else None


def checked(text: str) -> tuple[Known, list[str]]:
    """What is known of an expression, and its findings: `W404 text`, of warnings `w404 text`."""
    report = Report()
    tree, problems = parse_expression(text)
    assert tree is not None, problems
    known = Checker(Findings(SourceFile("e", text), report), lambda span: span, Given(), frozenset({"ALLOWED"})).check(
        tree
    )
    return known, [
        f"{d.code.label if d.severity is Severity.ERROR else d.code.label.lower()} {text[d.span.start : d.span.end]}"
        for d in report.sorted()
    ]


def findings(text: str) -> list[str]:
    return checked(text)[1]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("1", Kind.NUMBER),
        ("any", Kind.ANY),
        ("any.a", Kind.ANY),
        ("text.length", Kind.NUMBER),
        ("maybe?.length", Kind.NUMBER | Kind.NULL),
        ("text[0]", Kind.TEXT | Kind.NULL),
        ("nothing?.a", Kind.NULL),
        ("object['known']", Kind.TEXT),
        ("-any", Kind.NUMBER),
        ("!any", Kind.BOOLEAN),
        ("any + any", Kind.NUMBER | Kind.TEXT | Kind.LIST),
        ("text + number", Kind.NUMBER | Kind.TEXT),
        ("word + number", Kind.TEXT),
        ("flag + text", Kind.TEXT),
        ("list + list", Kind.LIST),
        ("any * any", Kind.NUMBER),
        ("any < any", Kind.BOOLEAN),
        ("any == any", Kind.BOOLEAN),
        ("maybe ?? 1", Kind.TEXT | Kind.NUMBER),
        ("maybe || 1", Kind.TEXT | Kind.NUMBER),
        ("nothing ?? 1", Kind.NUMBER),
        ("list && 1", Kind.NUMBER),
        ("text && 1", Kind.TEXT | Kind.NUMBER),
        ("maybe && 1", Kind.TEXT | Kind.NULL | Kind.NUMBER),
        ("any ? 1 : 'a'", Kind.NUMBER | Kind.TEXT),
        ("any ? 1 : any ? 'a' : []", Kind.NUMBER | Kind.TEXT | Kind.LIST),
        ("[any]", Kind.LIST),
        ("{a: any}", Kind.OBJECT),
        ("(text)", Kind.TEXT),
        ("any | upper", Kind.TEXT),
        ("maybe | default(1)", Kind.TEXT | Kind.NUMBER),
        ("any | length", Kind.NUMBER),
    ],
)
def test_the_kinds_of_a_value(text: str, kinds: Kind) -> None:
    known, found = checked(text)
    assert (known.kinds, found) == (kinds, [])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("'a' + 1", "a1"),
        ("[1, 2][1]", 2),
        ("{a: {b: 'x'}}.a.b", "x"),
        ("'abc'.length", 3),
        ("null?.a", None),
        ("'abc' | upper | length", 3),
        ("!''", True),
        ("(1 < 2) == true", True),
        ("['a', 'b'] | join", "a,b"),
        ("any ? 1 : 1", 1),
    ],
)
def test_constants_are_computed(text: str, value: object) -> None:
    known, found = checked(text)
    assert (known.constant, found) == (value, [])


@pytest.mark.parametrize(
    "text",
    [
        "any ? 1 : true",
        "any ? [1] : [true]",
        "any ? 1 : '1'",
        "'x' | repeat(2000)",
        "now()",
        "[1] | map('item')",
        "uuid()",
    ],
)
def test_what_is_not_one_constant(text: str) -> None:
    assert not isinstance(checked(text)[0].constant, (int, str, list))
    assert findings(text) == []


def test_python_does_not_decide_what_is_equal() -> None:
    assert findings("(any ? [true] : [1])[0] * 2") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # operators
        ("list * 2", ["W404 list"]),
        ("2 * flag", ["W404 flag"]),
        ("word - 1", ["W404 word"]),
        ("any - ''", ["W404 ''"]),
        ("text * 2", []),
        ("-object", ["W404 object"]),
        ("nothing + 1", ["W404 nothing"]),
        ("1 + nothing", ["W404 nothing"]),
        ("flag + 1", ["W404 flag"]),
        ("list + 'a'", ["W404 'a'"]),
        ("list < 1", ["W404 list"]),
        ("1 < flag", ["W404 flag"]),
        ("word < 1", ["W404 1"]),
        ("word < 'a'", []),
        ("any / 0", ["W602 0"]),
        ("any % '0'", ["W602 '0'"]),
        ("any / false", ["W404 false"]),
        ("any ? any / 0 : 1", []),
        # constants that always fail
        ("10 / 0", ["W602 0"]),
        ("'a' * 2", ["W601 'a'"]),
        ("2 ** 5000", ["W604 2"]),
        ("null.a", ["W601 a"]),
        ("null[0]", ["W601 null"]),
        ("'abc'['x']", ["W601 'abc'"]),
        ("{a: 1}.b.c", ["W601 c"]),
        ("upper(5)", ["W601 5"]),
        ("5 | upper", ["W601 upper"]),
        ("[1, 'x'] | sum", ["W601 sum"]),
        # unless something may skip them
        ("any && 10 / 0", []),
        ("any || 10 / 0", []),
        ("any ?? 10 / 0", []),
        ("any ? 10 / 0 : null.a", []),
        ("any ? 1 : any ? 10 / 0 : 2", []),
        ("any | default(10 / 0)", []),
        ("any ? default(10 / 0, 1) : 1", []),
        ("any ? null[0] : upper(5)", []),
        ("any && (any | map('1 / 0'))", []),
        ("10 / 0 ?? 1", ["W602 0"]),
        ("10 / 0 ? 1 : 2", ["W602 0"]),
        ("any ? 1 : 10 / 0 ? 1 : 2", []),
        # members
        ("text.a", ["W404 a"]),
        ("text?.a", ["W404 a"]),
        ("number.length", ["W404 length"]),
        ("list.first", ["W404 first"]),
        ("nothing.a", ["W404 a"]),
        ("nothing.a ?? 1", []),
        ("maybe.a", ["W404 a"]),
        ("number[0]", ["W404 number[0]"]),
        ("list[text]", ["W404 text"]),
        ("list[flag]", ["W404 flag"]),
        ("object[flag]", []),
        # what may be skipped is only warned of
        ("any && list * 2", ["w404 list"]),
        ("any ? text.a : 1", ["w404 a"]),
        ("any ?? upper(list)", ["w404 list"]),
        # one mistake, one finding
        ("(list * 2).a.b + 1", ["W404 list"]),
        ("unset.a | upper", ["W401 unset"]),
        ("(10 / 0).a", ["W602 0"]),
        ("upper(list * 2)", ["W404 list"]),
        ("(text | nope).a", ["W402 nope"]),
        ("unset + unset", ["W401 unset", "W401 unset"]),
        # who excuses whom
        ("unset ?? 1", []),
        ("(unset).a[0].b ?? 1", []),
        ("unset.a + 1 ?? 1", ["W401 unset"]),
        ("any[unset] ?? 1", ["W401 unset"]),
        ("[unset] ?? 1", ["W401 unset"]),
        ("default(unset, 1)", []),
        ("any ?? unset", ["W401 unset"]),
        ("unset && 1 ?? 2", ["W401 unset"]),
        ("unset ? 1 : 2", ["W401 unset"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found_where_it_stands(text: str, found: list[str]) -> None:
    assert findings(text) == found


def test_a_hyphen_in_a_member_needs_brackets() -> None:
    report = Report()
    text = "object.user-id"
    tree, _ = parse_expression(text)
    assert tree is not None
    hints: list[str] = []

    class Asking(Given):
        def read(self, node: Name, lenient: bool, checker: Checker) -> Known:
            hints.append(checker.bracket_hint(node))
            return ANYTHING

    Checker(Findings(SourceFile("e", text), report), lambda span: span, Asking(), frozenset()).check(tree)
    assert hints == ["", "a key with a hyphen needs brackets: `object['user-id']`"]


@pytest.mark.parametrize(
    ("text", "kinds", "wordy"),
    [
        ("plain", Kind.TEXT, True),
        ("12", Kind.TEXT, False),
        ("{{ 1 }}", Kind.NUMBER, False),
        ("a{{ 1 }}", Kind.TEXT, True),
        ("1{{ 1 }}", Kind.TEXT, False),
        ("", Kind.TEXT, True),
    ],
)
def test_what_is_known_of_a_template(text: str, kinds: Kind, wordy: bool) -> None:
    template, _ = parse_template(text)
    checker = Checker(Findings(SourceFile("t", text), Report()), lambda span: span, Given(), frozenset())
    known = checker.template(template, text=False)
    assert (known.kinds, known.wordy) == (kinds, wordy)
    assert checker.template(template, text=True).kinds == Kind.TEXT


@pytest.mark.parametrize(
    "text",
    [
        "1" + " + any" * 5000,
        "any" + ".a" * 5000,
        "text" + " | upper" * 5000,
        "any" + " ?? any" * 5000,
        "any ? 1 : " * 300 + "2",
        "[" * 199 + "any" + "]" * 199,
        "-(" * 199 + "any" + ")" * 199,
        "any && (" * 199 + "any" + ")" * 199,
        "{a: " * 199 + "any" + "}" * 199,
        "any[" * 199 + "0" + "]" * 199,
        "upper(" * 199 + "text" + ")" * 199,
    ],
    ids=lambda text: text[:16],
)
def test_long_and_deep_expressions_need_no_stack(text: str) -> None:
    def below(frames: int) -> list[str]:
        return below(frames - 1) if frames else findings(text)

    assert below(800) == []


def test_choices_may_be_nested_only_so_deep() -> None:
    """Chains of 100 in chains of 100 in chains …: more blocks than a chunk may have."""
    text = "any"
    for _ in range(5):
        text = "any ? 1 : " * 100 + f"({text})"
    (found,) = findings(text)
    assert found.startswith("W104")
    (found,) = findings("any ?? any || any && (" * 110 + "1" + ")" * 110)
    assert found.startswith("W104")
    assert findings("any ?? any || any && (" * 100 + "1" + ")" * 100) == []
    assert CHOICES > 300


def test_computing_constants_has_an_end() -> None:
    """What a file computes only to throw it away is bounded; the rest is left to the run."""
    assert findings("[" + "range(0, 99999), " * 10 + "10 / 0]") == ["W602 0"]
    assert findings("[" + "range(0, 99999), " * 110 + "10 / 0]") == []


def test_inner_names_are_of_the_item() -> None:
    checker = Checker(Findings(SourceFile("e", ""), Report()), lambda span: span, InnerNames(), frozenset())
    tree, _ = parse_expression("anything.at.all + item")
    assert tree is not None
    assert checker.check(tree).kinds == Kind.NUMBER | Kind.TEXT | Kind.LIST
