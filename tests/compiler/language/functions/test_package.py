"""All functions together: their examples, their spellings, and the vectors that describe the language."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from compiler.language.faults import Fault
from compiler.language.functions import FUNCTION_SYNONYMS, FUNCTIONS, GROUPS, SPELLINGS, Function
from compiler.language.values import Value
from tests.compiler.language.functions.evaluator import CannotCompile, evaluate

SPECIFIED = """
upper lower trim capitalize title length len reverse contains starts_with ends_with replace split join substring slice
repeat truncate slugify initials word_count matches url_encode url_decode html_escape escape html_unescape
base64_encode base64_decode md5 sha256 hmac_sha256 json_parse json_stringify to_json json_pretty is_email is_url
email_username email_domain first last sort unique map filter sum avg append has keys values get merge range abs round
floor ceil sqrt max min format_number format_bytes to_string string to_number number to_bool bool default type now
today now_unix add_days add_hours format_timestamp parse_timestamp uuid random_int random_float random_string env
connections channel_size members
"""
MOMENTARY = "now today now_unix uuid random_int random_float random_string env connections channel_size members"
CALL = re.compile(rf"(?:\|\s*|\b)(?:{'|'.join(SPELLINGS)})\s*\(|\|\s*(?:{'|'.join(SPELLINGS)})\b")
EXAMPLES = [(row, text, expected) for row in FUNCTIONS.values() for text, expected in row.examples]


def same(found: Value, expected: Value) -> bool:
    """Equal as JSON, order of keys included: `1` is not `true`, and numbers agree within 1e-12."""
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(found, dict) and isinstance(expected, dict):
        return list(found) == list(expected) and all(same(found[key], item) for key, item in expected.items())
    if isinstance(found, bool) or isinstance(expected, bool) or not isinstance(found, (int, float)):
        return type(found) is type(expected) and found == expected
    return isinstance(expected, (int, float)) and found == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_the_table_of_the_specification_is_whole() -> None:
    names = {name for row in FUNCTIONS.values() for name in (row.name, *row.aliases)}
    assert names == set(SPECIFIED.split())


def test_every_group_module_declares_its_own_group() -> None:
    groups = {group.__name__.rpartition(".")[2] for group in GROUPS}
    assert {row.group for row in FUNCTIONS.values()} == groups
    for row in FUNCTIONS.values():
        assert row.implementation.__module__.endswith(f".{row.group}"), row.name


def test_only_the_moment_makes_a_function_inconstant() -> None:
    assert {row.name for row in FUNCTIONS.values() if not row.constant} == set(MOMENTARY.split())


def test_camel_case_is_accepted() -> None:
    assert SPELLINGS["startsWith"] is FUNCTIONS["starts_with"]
    assert SPELLINGS["hmacSha256"] is FUNCTIONS["hmac_sha256"]
    assert SPELLINGS["toJson"] is FUNCTIONS["json_stringify"]
    assert "StartsWith" not in SPELLINGS


def test_synonyms_lead_to_functions_and_hide_none() -> None:
    assert set(FUNCTION_SYNONYMS.values()) == set(FUNCTIONS)
    assert not set(FUNCTION_SYNONYMS) & set(SPELLINGS)
    assert FUNCTION_SYNONYMS["toUpperCase"] == "upper"
    assert FUNCTION_SYNONYMS["JSON.parse"] == "json_parse"


def test_literal_arguments() -> None:
    literals = {(row.name, p.name): p.literal for row in FUNCTIONS.values() for p in row.parameters if p.literal}
    assert literals == {
        ("matches", "pattern"): "pattern",
        ("map", "expression"): "expression",
        ("filter", "expression"): "expression",
        ("sum", "expression"): "expression",
        ("avg", "expression"): "expression",
        ("sort", "key"): "expression",
        ("env", "name"): "environment",
    }


@pytest.mark.parametrize(("row", "text", "expected"), EXAMPLES, ids=[text for _, text, _ in EXAMPLES])
def test_example(row: Function, text: str, expected: Value) -> None:
    assert any(spelling in text for spelling in (row.name, *row.aliases)), "the example shows the function"
    assert same(evaluate(text), expected)


def test_vectors(conformance: Path) -> None:
    """Those that call a function and are short enough to be walked; the others are the parser's and the machine's."""
    vectors = json.loads((conformance / "expr_vectors.json").read_text(encoding="utf-8"))
    calling = [vector for vector in vectors if CALL.search(vector["expr"]) and len(vector["expr"]) <= 400]
    assert len(calling) > 200
    assert not [vector["expr"] for vector in calling if not _agrees(vector)]


def _agrees(vector: dict[str, Value]) -> bool:
    variables = vector["vars"]
    assert isinstance(variables, dict)
    try:
        found = evaluate(str(vector["expr"]), variables)
    except (Fault, CannotCompile):
        return vector.get("error") is True
    return "expect" in vector and same(found, vector["expect"])
