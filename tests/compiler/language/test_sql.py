"""SQL text: placeholders and the kind of statement."""

from __future__ import annotations

import pytest

from compiler.language.sql import find_placeholders, has_insert, has_writes, replace_placeholders, statement_kind


@pytest.mark.parametrize(
    ("statement", "named", "positional"),
    [
        ("SELECT * FROM a WHERE b = :b AND c = :c OR d = :b", [":b", ":c"], 0),
        ("INSERT INTO a VALUES (?, ?)", [], 2),
        ("SELECT ':no', \"a:no\", `b:no?`, :yes", [":yes"], 0),
        ("SELECT 'it''s :no', ?", [], 1),
        ("SELECT a::text, :b::int", [":b"], 0),
        ("SELECT 1 -- :no ?\n, :yes", [":yes"], 0),
        ("SELECT /* :no ? * :no */ :yes", [":yes"], 0),
        ("SELECT 'open :no", [], 0),
        ("SELECT 1 /* open :no", [], 0),
        ("SELECT :1", [], 0),
    ],
)
def test_placeholders(statement: str, named: list[str], positional: int) -> None:
    found = find_placeholders(statement)
    assert list(found.named) == named
    assert len(found.positional) == positional
    assert all(statement[place.start : place.end] == name for name, place in found.named.items())
    assert all(statement[place.start : place.end] == "?" for place in found.positional)


def test_the_first_place_of_a_name_counts() -> None:
    assert find_placeholders(":a + :a").named[":a"].start == 0


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("SELECT 1", "query"),
        ("  -- a comment\n /* another */ (select 1)", "query"),
        ("VALUES (1)", "query"),
        ("PRAGMA table_info(a)", "query"),
        ("WITH a AS (SELECT 1) SELECT * FROM a", "query"),
        ("WITH a AS (SELECT 'delete') DELETE FROM b", "execute"),
        ("WITH a AS (SELECT 'delete') SELECT 1", "query"),
        ("INSERT INTO a VALUES (1)", "execute"),
        ("INSERT INTO a VALUES ('returning')", "execute"),
        ("INSERT INTO a VALUES (1) RETURNING id", "query"),
        ("UPDATE a SET b = 1", "execute"),
        ("", "execute"),
    ],
)
def test_the_kind_of_a_statement(statement: str, kind: str) -> None:
    assert statement_kind(statement) == kind


@pytest.mark.parametrize("piece", ["/*", "/**/", "'", "''", '"', "--", "(", ":a", "/*/"])
def test_long_statements_are_read_in_a_moment(piece: str) -> None:
    statement = piece * 100_000
    find_placeholders(statement)
    assert statement_kind(statement) == "execute"


def test_placeholders_are_replaced_and_nothing_else() -> None:
    statement = "SELECT ':a', \":b\", x::int FROM t -- :c\nWHERE a = :a AND b = ? /* ? */ AND c = :a"
    seen: list[str] = []

    def number(placeholder: str) -> str:
        seen.append(placeholder)
        return f"${len(seen)}"

    replaced = replace_placeholders(statement, number)
    assert replaced == "SELECT ':a', \":b\", x::int FROM t -- :c\nWHERE a = $1 AND b = $2 /* ? */ AND c = $3"
    assert seen == [":a", "?", ":a"]


def test_writes_are_seen_outside_of_text_and_comments() -> None:
    assert has_writes("WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a RETURNING id")
    assert has_writes("REPLACE INTO t VALUES (1)")
    assert not has_writes("SELECT 'insert' -- delete")
    assert not has_writes("SELECT replace (a, 'b', 'c') FROM t")
    assert has_insert("insert or ignore into t values (1)")
    assert not has_insert("UPDATE t SET a = replace(a, 'x', 'insert into')")
