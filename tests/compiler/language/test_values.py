"""What operators do with values: the rules C1 to C11, one by one."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from compiler.diagnostics import codes
from compiler.diagnostics.codes import Code
from compiler.language import values
from compiler.language.faults import Fault
from compiler.language.limits import JSON_DEPTH, LIST_ITEMS, SAFE_INTEGER, TEXT_BYTES
from compiler.language.values import UNSET, ErrorValue, Kind, Number, Value

INFINITY = float("inf")
NAN = float("nan")


def nested(depth: int, innermost: Value = 0) -> Value:
    """A value inside so many lists."""
    value = innermost
    for _ in range(depth):
        value = [value]
    return value


def doubled(times: int) -> Value:
    """A small value of huge text: a list that holds one list twice, and so on."""
    value: Value = ["x"]
    for _ in range(times):
        value = [value, value]
    return value


def fault_of(compute: Callable[[], object]) -> Code:
    """The kind of the fault that a computation ends with."""
    with pytest.raises(Fault) as caught:
        compute()
    return caught.value.kind


class TestKinds:
    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            (None, Kind.NULL),
            (True, Kind.BOOLEAN),
            (0, Kind.NUMBER),
            (0.5, Kind.NUMBER),
            ("", Kind.TEXT),
            ([], Kind.LIST),
            ({}, Kind.OBJECT),
            (ErrorValue(), Kind.OBJECT),
        ],
    )
    def test_each_value_has_one(self, value: Value, kind: Kind) -> None:
        assert values.kind_of(value) is kind

    def test_in_words(self) -> None:
        assert values.describe({}) == "an object"
        assert values.describe(None) == "null"
        assert values.describe_kind(Kind.TEXT | Kind.NULL) == "null or a text"
        assert values.describe_kind(Kind.ANY) == "any value"
        assert values.describe_kind(Kind(0)) == "nothing"

    def test_the_unset_value_shows_itself(self) -> None:
        assert repr(UNSET) == "UNSET"


class TestNumbers:
    @pytest.mark.parametrize(
        ("number", "text"),
        [
            (0, "0"),
            (-0.0, "0"),
            (2.0, "2"),
            (-7, "-7"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1 / 3, "0.3333333333333333"),
            (100.5, "100.5"),
            (123456789.125, "123456789.125"),
            (0.000001, "0.000001"),
            (0.0000015, "0.0000015"),
            (1e-7, "1e-7"),
            (-1.5e-7, "-1.5e-7"),
            (1.2345e-10, "1.2345e-10"),
            (1e16, "10000000000000000"),
            (1e20, "100000000000000000000"),
            (123456789012345680000, "123456789012345680000"),
            (1e21, "1e+21"),
            (-1.5e21, "-1.5e+21"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (9007199254740991, "9007199254740991"),
            (9007199254740993, "9007199254740992"),
            (2**63, "9223372036854776000"),
            (10**21, "1e+21"),
        ],
    )
    def test_text_as_in_javascript(self, number: Number, text: str) -> None:
        assert values.number_text(number) == text

    @pytest.mark.parametrize("number", [INFINITY, -INFINITY, NAN, 10**400])
    def test_what_is_not_finite_has_no_text(self, number: Number) -> None:
        assert fault_of(lambda: values.number_text(number)) is codes.NUMBER_RANGE

    @pytest.mark.parametrize(
        ("number", "normal"),
        [
            (2.0, 2),
            (-0.0, 0),
            (0.5, 0.5),
            (2**53, 2**53),
            (2**53 + 1, 2**53),
            (1e300, int(1e300)),
            (-(2**60) - 1, -(2**60)),
        ],
    )
    def test_normal_form(self, number: Number, normal: Number) -> None:
        found = values.normalise(number)
        assert (found, type(found)) == (normal, type(normal))
        assert repr(found) == repr(normal)

    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("0", 0),
            ("-0", 0),
            ("007", 7),
            ("1.50", 1.5),
            ("1e3", 1000),
            ("1E-2", 0.01),
            ("2e+1", 20),
            ("9007199254740993", 2**53),
        ],
    )
    def test_numeric_strings(self, text: str, number: Number) -> None:
        found = values.parse_number(text)
        assert (found, type(found)) == (number, type(number))

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "-",
            "+1",
            ".5",
            "5.",
            " 5",
            "5 ",
            "5\n",
            "1e",
            "1e+",
            "--5",
            "0x10",
            "1_000",
            "NaN",
            "Infinity",
            "\u0663",
            "1,000",
        ],
    )
    def test_other_texts_are_no_numbers(self, text: str) -> None:
        assert values.parse_number(text) is None

    @pytest.mark.parametrize("text", ["1e400", "-1e309", "9" * 400, "9" * 5000])
    def test_numeric_strings_beyond_the_doubles(self, text: str) -> None:
        assert fault_of(lambda: values.parse_number(text)) is codes.NUMBER_RANGE


class TestText:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (None, "null"),
            (True, "true"),
            (False, "false"),
            (2.0, "2"),
            ("\u00e9", "\u00e9"),
            ([], "[]"),
            ({}, "{}"),
            ({"b": [1, 1.5, None], "a": {"\u00e9": "\u00fc"}}, '{"b":[1,1.5,null],"a":{"\u00e9":"\u00fc"}}'),
            (['a"b\\c\n\u0001'], '["a\\"b\\\\c\\n\\u0001"]'),
            ([0.00001, 1e-7, 1e20, 2**63], "[0.00001,1e-7,100000000000000000000,9223372036854776000]"),
            (ErrorValue(message="it broke", code="thrown"), "it broke"),
            ([ErrorValue(message="it broke", code="thrown")], '[{"message":"it broke","code":"thrown"}]'),
        ],
    )
    def test_of_each_kind(self, value: Value, text: str) -> None:
        assert values.text(value) == text

    def test_digits_inside_of_texts_are_left_alone(self) -> None:
        value: Value = ["1.0", "12345678901234567890", "1e-07", {"Infinity": "NaN"}]
        assert values.to_json(value) == '["1.0","12345678901234567890","1e-07",{"Infinity":"NaN"}]'

    def test_indented(self) -> None:
        value: Value = {"a": [1, []], "b": {}, "c": {"d": None}}
        assert values.to_json(value, indent=2) == json.dumps(value, indent=2)

    def test_the_limit_is_counted_in_bytes(self) -> None:
        assert len(values.bounded("x" * TEXT_BYTES)) == TEXT_BYTES
        assert fault_of(lambda: values.bounded("x" * (TEXT_BYTES + 1))) is codes.TOO_LARGE
        assert fault_of(lambda: values.bounded("\u00e9" * (TEXT_BYTES // 2 + 1))) is codes.TOO_LARGE
        assert values.bounded("\u00e9" * (TEXT_BYTES // 2))

    def test_concatenation(self) -> None:
        assert values.concat("a", 1, None, [True]) == "a1null[true]"
        assert values.concat() == ""
        half = "x" * (TEXT_BYTES // 2)
        assert len(values.concat(half, half)) == TEXT_BYTES
        assert fault_of(lambda: values.concat(half, half, "x")) is codes.TOO_LARGE

    def test_joining(self) -> None:
        assert values.join_texts(["a", 1, None], "--") == "a--1--null"
        assert values.join_texts([], "--") == ""
        assert fault_of(lambda: values.join_texts(["x" * 1000] * LIST_ITEMS, ",")) is codes.TOO_LARGE

    @pytest.mark.parametrize("indent", [0, 2])
    def test_depth(self, indent: int) -> None:
        assert values.to_json(nested(JSON_DEPTH), indent)
        assert fault_of(lambda: values.to_json(nested(JSON_DEPTH + 1), indent)) is codes.TOO_LARGE
        assert fault_of(lambda: values.to_json(nested(100_000), indent)) is codes.TOO_LARGE

    @pytest.mark.parametrize("indent", [0, 2])
    def test_what_is_shared_is_measured_before_it_is_written(self, indent: int) -> None:
        assert fault_of(lambda: values.to_json(doubled(100), indent)) is codes.TOO_LARGE

    def test_large_values_just_fit(self) -> None:
        value: Value = ["x" * (TEXT_BYTES - 4)]
        assert len(values.to_json(value)) == TEXT_BYTES
        assert fault_of(lambda: values.to_json(["x" * (TEXT_BYTES - 3)])) is codes.TOO_LARGE

    def test_an_unfinished_sum_is_written_in_normal_form(self) -> None:
        assert values.to_json(2**53 + 1) == "9007199254740992"
        assert fault_of(lambda: values.to_json(10**5000)) is codes.NUMBER_RANGE
        assert fault_of(lambda: values.to_json([INFINITY])) is codes.NUMBER_RANGE


class TestTruth:
    @pytest.mark.parametrize("value", [False, 0, 0.0, "", None])
    def test_falsy(self, value: Value) -> None:
        assert values.truthy(value) is False
        assert values.negate(value) is True

    @pytest.mark.parametrize("value", [True, 1, -0.5, "0", "false", " ", [], {}, [0]])
    def test_truthy(self, value: Value) -> None:
        assert values.truthy(value) is True
        assert values.negate(value) is False


EQUAL: list[tuple[Value, Value]] = [
    (1, 1.0),
    (10, "10"),
    ("042", 42),
    ("1e2", 100),
    (None, None),
    (True, True),
    ([1, "a"], [1.0, "a"]),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ([[], {}], [[], {}]),
]
UNEQUAL: list[tuple[Value, Value]] = [
    (1, True),
    (0, False),
    ("true", True),
    ("", None),
    (0, None),
    (0, ""),
    ("10", "10.0"),
    ("hello", 42),
    ("1e999", 1),
    ([1], [1, 2]),
    ([1], ["1"]),
    ({"a": 1}, {"a": "1"}),
    ([True], [1]),
    ({"a": 1}, {"b": 1}),
    ({"a": 1}, [1]),
    ([], {}),
    ([], ""),
]


class TestEquality:
    @pytest.mark.parametrize(("left", "right"), EQUAL)
    def test_equal(self, left: Value, right: Value) -> None:
        assert values.equal(left, right) is True
        assert values.equal(right, left) is True
        assert values.unequal(left, right) is False

    @pytest.mark.parametrize(("left", "right"), UNEQUAL)
    def test_unequal(self, left: Value, right: Value) -> None:
        assert values.equal(left, right) is False
        assert values.equal(right, left) is False
        assert values.unequal(left, right) is True
        assert values.identical(left, right) is False

    def test_identical_means_type_and_content(self) -> None:
        assert values.identical([1, {"a": "x"}], [1.0, {"a": "x"}])
        assert not values.identical(1, "1")
        assert not values.identical([1], ["1"])
        assert not values.identical(1, True)

    def test_deep_values(self) -> None:
        assert values.equal(nested(50_000), nested(50_000))
        assert not values.equal(nested(50_000), nested(50_000, 1))
        assert not values.equal(nested(50_000), nested(50_000, "0"))

    def test_shared_values_are_compared_once(self) -> None:
        assert values.equal(doubled(200), doubled(200))
        assert not values.equal(doubled(200), doubled(201))

    def test_an_error_value_is_an_object(self) -> None:
        assert values.equal(ErrorValue(message="x"), {"message": "x"})


class TestOrder:
    @pytest.mark.parametrize(
        ("left", "right"),
        [
            (1, 2),
            (1, 1.5),
            ("9", 10),
            (9, "10"),
            ("a", "b"),
            ("Z", "a"),
            ("10", "9"),
            ("", "a"),
            ("\uffff", "\U0001f600"),
        ],
    )
    def test_less(self, left: Value, right: Value) -> None:
        assert (values.less(left, right), values.less_equal(left, right)) == (True, True)
        assert (values.greater(left, right), values.greater_equal(left, right)) == (False, False)
        assert (values.less(right, left), values.greater(right, left)) == (False, True)

    @pytest.mark.parametrize(("left", "right"), [(1, 1.0), ("1", 1), ("a", "a")])
    def test_neither(self, left: Value, right: Value) -> None:
        assert (values.less(left, right), values.greater(left, right)) == (False, False)
        assert (values.less_equal(left, right), values.greater_equal(left, right)) == (True, True)

    @pytest.mark.parametrize(
        ("left", "right"),
        [(None, 5), (5, None), (True, False), ([1], [2]), ({}, {}), ("a", 1), (1, "a"), (None, "a"), (1, True)],
    )
    @pytest.mark.parametrize("compare", [values.less, values.less_equal, values.greater, values.greater_equal])
    def test_without_order(self, compare: Callable[[Value, Value], bool], left: Value, right: Value) -> None:
        with pytest.raises(Fault) as caught:
            compare(left, right)
        assert caught.value.kind is codes.TYPE_ERROR
        assert caught.value.operands == (left, right)


NOT_ADDED: list[tuple[Value, Value]] = [
    (None, 1),
    (None, "a"),
    (None, [1]),
    (None, None),
    (True, 1),
    (True, False),
    ("a", [1]),
    ("a", {}),
    ([1], 2),
    ([1], {}),
    ({}, {}),
]


class TestAdd:
    @pytest.mark.parametrize(
        ("left", "right", "result"),
        [
            (1, 2, 3),
            (0.5, 0.5, 1),
            ("0", 1, 1),
            (10, "42", 52),
            ("1e2", 1, 101),
            ("-5", 1, -4),
            ("42", "10", "4210"),
            ("a", "b", "ab"),
            ("hello", 42, "hello42"),
            (42, "hello", "42hello"),
            ("", 5, "5"),
            (" 5", 1, " 51"),
            ("Infinity", 1, "Infinity1"),
            ("5", True, "5true"),
            (False, "x", "falsex"),
            ("x", 1e21, "x1e+21"),
            ([1], [2, 3], [1, 2, 3]),
            ([], [], []),
        ],
    )
    def test_adds_or_concatenates(self, left: Value, right: Value, result: Value) -> None:
        found = values.add(left, right)
        assert (found, type(found)) == (result, type(result))

    @pytest.mark.parametrize(
        ("left", "right"),
        [*NOT_ADDED, *((right, left) for left, right in NOT_ADDED)],
    )
    def test_nothing_else(self, left: Value, right: Value) -> None:
        with pytest.raises(Fault) as caught:
            values.add(left, right)
        assert caught.value.kind is codes.TYPE_ERROR
        assert caught.value.operands == (left, right)

    def test_limits(self) -> None:
        half: list[Value] = [0] * (LIST_ITEMS // 2)
        assert len(values.add(half, half)) == LIST_ITEMS  # type: ignore[arg-type]
        assert fault_of(lambda: values.add(half, [*half, 0])) is codes.TOO_LARGE
        assert fault_of(lambda: values.add("x" * TEXT_BYTES, "x")) is codes.TOO_LARGE
        assert fault_of(lambda: values.add("x" * TEXT_BYTES, 1)) is codes.TOO_LARGE
        assert fault_of(lambda: values.add(1.7e308, 1.7e308)) is codes.NUMBER_RANGE
        assert fault_of(lambda: values.add(10**400, 0.5)) is codes.NUMBER_RANGE
        assert fault_of(lambda: values.add("1e400", 1)) is codes.NUMBER_RANGE

    def test_does_not_change_its_operands(self) -> None:
        left: list[Value] = [1]
        values.add(left, [2])
        assert left == [1]


class TestArithmetic:
    @pytest.mark.parametrize(
        ("compute", "left", "right", "result"),
        [
            (values.subtract, "10", 4, 6),
            (values.subtract, 5, -3, 8),
            (values.subtract, 0.3, 0.3, 0),
            (values.multiply, "5", "4", 20),
            (values.multiply, 0, -5, 0),
            (values.multiply, 0.0, -5.5, 0),
            (values.multiply, 2**53, 2**53, 2**106),
            (values.multiply, 2**53 - 1, 3, int(float((2**53 - 1) * 3))),
            (values.divide, 10, 5, 2),
            (values.divide, 7, 2, 3.5),
            (values.divide, "10", 4, 2.5),
            (values.divide, 0, -5, 0),
            (values.remainder, -7, 3, -1),
            (values.remainder, 7, -3, 1),
            (values.remainder, 5.5, 2, 1.5),
            (values.remainder, -5.5, 2, -1.5),
            (values.remainder, -4.0, 2, 0),
            (values.remainder, "9", "4", 1),
            (values.power, 2, 8, 256),
            (values.power, "2", 3, 8),
            (values.power, 2, -1, 0.5),
            (values.power, 2, 0.5, 1.4142135623730951),
            (values.power, 3, 33, 5559060566555523),
            (values.power, -2, 3, -8),
            (values.power, 0, 0, 1),
            (values.power, 1, 2**53, 1),
            (values.power, -1e-200, 3, 0),
            (values.power, 10, 21, 10**21),
        ],
    )
    def test_results(self, compute: Callable[[Value, Value], Value], left: Value, right: Value, result: Value) -> None:
        found = compute(left, right)
        assert (found, type(found)) == (result, type(result))
        assert str(found) != "-0.0"

    @pytest.mark.parametrize(
        "compute", [values.subtract, values.multiply, values.divide, values.remainder, values.power]
    )
    @pytest.mark.parametrize("wrong", [None, True, "abc", "", " 5", [], {}])
    def test_takes_numbers_only(self, compute: Callable[[Value, Value], Value], wrong: Value) -> None:
        for left, right in ((wrong, 1), (1, wrong)):
            with pytest.raises(Fault) as caught:
                compute(left, right)
            assert caught.value.kind is codes.TYPE_ERROR
            assert caught.value.operands == (left, right)

    @pytest.mark.parametrize(
        ("compute", "left", "right", "kind"),
        [
            (values.divide, 1, 0, codes.DIVISION_BY_ZERO),
            (values.divide, 0, "0", codes.DIVISION_BY_ZERO),
            (values.remainder, 1, 0, codes.DIVISION_BY_ZERO),
            (values.remainder, 1.5, 0.0, codes.DIVISION_BY_ZERO),
            (values.power, 0, -1, codes.DIVISION_BY_ZERO),
            (values.power, -1, 0.5, codes.NUMBER_RANGE),
            (values.power, 9, 9**9, codes.NUMBER_RANGE),
            (values.power, 10**400, 2, codes.NUMBER_RANGE),
            (values.multiply, 1e200, 1e200, codes.NUMBER_RANGE),
            (values.multiply, 10**200, 10**200, codes.NUMBER_RANGE),
            (values.multiply, 10**400, 0.5, codes.NUMBER_RANGE),
            (values.subtract, -1.7e308, 1.7e308, codes.NUMBER_RANGE),
            (values.subtract, 10**400, 0.5, codes.NUMBER_RANGE),
            (values.divide, 1e308, 1e-308, codes.NUMBER_RANGE),
            (values.divide, 10**400, 3, codes.NUMBER_RANGE),
            (values.remainder, 10**400, 0.5, codes.NUMBER_RANGE),
            (values.remainder, INFINITY, 2, codes.NUMBER_RANGE),
        ],
    )
    def test_faults(self, compute: Callable[[Value, Value], Value], left: Value, right: Value, kind: Code) -> None:
        assert fault_of(lambda: compute(left, right)) is kind

    def test_minus(self) -> None:
        assert values.minus(5) == -5
        assert values.minus("5") == -5
        assert str(values.minus(0)) == "0"
        assert str(values.minus(0.0)) == "0"
        assert fault_of(lambda: values.minus(None)) is codes.TYPE_ERROR
        assert fault_of(lambda: values.minus(True)) is codes.TYPE_ERROR


class TestMembers:
    @pytest.mark.parametrize(
        ("owner", "key", "result"),
        [
            ({"a": 1}, "a", 1),
            ({"a": 1}, "b", None),
            ({"a": 1}, "length", None),
            ({"length": 9}, "length", 9),
            ("\u4f60\u597d", "length", 2),
            ([1, 2], "length", 2),
            ({}, "__class__", None),
        ],
    )
    def test_member(self, owner: Value, key: str, result: Value) -> None:
        assert values.member(owner, key) == result
        assert values.member_safe(owner, key) == result

    @pytest.mark.parametrize("owner", [5, True, "text", [1]])
    def test_no_members(self, owner: Value) -> None:
        assert fault_of(lambda: values.member(owner, "append")) is codes.TYPE_ERROR
        assert fault_of(lambda: values.member_safe(owner, "__class__")) is codes.TYPE_ERROR

    def test_members_of_null(self) -> None:
        assert fault_of(lambda: values.member(None, "a")) is codes.TYPE_ERROR
        assert values.member_safe(None, "a") is None
        assert fault_of(lambda: values.index(None, 0)) is codes.TYPE_ERROR
        assert values.index_safe(None, 0) is None

    @pytest.mark.parametrize(
        ("owner", "key", "result"),
        [
            ([1, 2, 3], 0, 1),
            ([1, 2, 3], -1, 3),
            ([1, 2, 3], 1.0, 2),
            ([1, 2, 3], 3, None),
            ([1, 2, 3], -4, None),
            ([1, 2, 3], 10**30, None),
            ("hello", -1, "o"),
            ("\u4f60\u597d", 1, "\u597d"),
            ("", 0, None),
            ({"1": "one"}, 1, "one"),
            ({"1": "one"}, 1.0, "one"),
            ({"true": 1}, True, 1),
            ({"null": 1}, None, 1),
            ({"a-b": 1}, "a-b", 1),
            ({}, "a", None),
        ],
    )
    def test_index(self, owner: Value, key: Value, result: Value) -> None:
        assert values.index(owner, key) == result
        assert values.index_safe(owner, key) == result

    @pytest.mark.parametrize("key", [1.5, "0", True, None, [], INFINITY, NAN])
    def test_lists_and_texts_are_indexed_by_whole_numbers(self, key: Value) -> None:
        assert fault_of(lambda: values.index([1, 2], key)) is codes.TYPE_ERROR
        assert fault_of(lambda: values.index("ab", key)) is codes.TYPE_ERROR

    @pytest.mark.parametrize("owner", [5, False])
    def test_no_elements(self, owner: Value) -> None:
        assert fault_of(lambda: values.index(owner, 0)) is codes.TYPE_ERROR


class TestMakers:
    def test_list(self) -> None:
        assert values.make_list(1.0, 2**53 + 1, "a") == [1, 2**53, "a"]
        assert type(values.make_list(1.0)[0]) is int  # type: ignore[index]

    def test_object(self) -> None:
        assert values.make_object("a", 1, "b", 2, "a", 3) == {"a": 3, "b": 2}
        made = values.make_object("b", 1, "a", 2, "b", 3)
        assert isinstance(made, dict)
        assert list(made) == ["b", "a"]

    def test_what_is_not_finite_is_kept_nowhere(self) -> None:
        assert fault_of(lambda: values.make_list(INFINITY)) is codes.NUMBER_RANGE
        assert fault_of(lambda: values.make_object("a", 10**400)) is codes.NUMBER_RANGE

    def test_normalised_leaves_other_values(self) -> None:
        assert values.normalised(True) is True
        assert values.normalised("1.0") == "1.0"
        assert repr(values.normalised(-0.0)) == "0"


class TestChannelNames:
    @pytest.mark.parametrize(
        ("value", "name"), [("room", "room"), (" room ", " room "), (7, "7"), ("\u00e9", "\u00e9")]
    )
    def test_a_name(self, value: Value, name: str) -> None:
        assert values.channel_name(value) == name

    @pytest.mark.parametrize("value", [None, "", "  ", "\n\t", "\u00a0"])
    def test_no_name(self, value: Value) -> None:
        assert fault_of(lambda: values.channel_name(value)) is codes.EMPTY_CHANNEL


def test_counting_items() -> None:
    values.check_items(LIST_ITEMS)
    assert fault_of(lambda: values.check_items(LIST_ITEMS + 1)) is codes.TOO_LARGE


def test_counting_characters() -> None:
    values.check_size(TEXT_BYTES)
    assert fault_of(lambda: values.check_size(TEXT_BYTES + 1)) is codes.TOO_LARGE


def test_the_largest_exact_integer() -> None:
    assert values.number_text(SAFE_INTEGER) == "9007199254740992"
