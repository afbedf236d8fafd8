"""Listings for people, and the JSON form for tools."""

from __future__ import annotations

import json
from dataclasses import replace

from compiler.bytecode.disassembler import disassemble, to_json_form
from compiler.bytecode.opcodes import Opcode
from compiler.bytecode.program import Mark, Program, SourceMap
from tests.assembly import program

SOURCE = """\
name: Test
ws_hooks:
  on_message:
    - If:
        condition: "{{ message | contains('hello') }}"
        then:
          - Log: {message: "{{
              n }}"}
"""

TEXT = (
    "INPUT message ; CONST 'hello' ; CALL contains/2 ; IF ; CONST 'info' ; SLOT n ; EMIT log ; DROP ; "
    "ELSE ; CONST [1, 2] ; EACH 0 ; LOCAL 0 ; CONST 1000 ; LIST 2 ; DROP ; END ; END"
)


def mapped() -> Program:
    made = program(TEXT, slots=["n"])
    condition = Mark(5, 21, 5, 54, "If.condition")
    part = Mark(5, 34, 5, 51, "If.condition")
    message = Mark(7, 29, 8, 20, "Log.message")
    place = Mark(7, 13, 7, 16, "Log")
    loop = Mark(4, 7, 4, 9, "Loop.collection")
    marks = (condition, part, part, condition, message, message, place, place, condition, *[loop] * 8)
    chunk = replace(
        made.routes[0].hooks["on_message"],
        source_map=SourceMap(marks[:17]),
        local_names=("item", "index", "total"),
    )
    return replace(made, routes=(replace(made.routes[0], hooks={"on_message": chunk}),), source_name="routes/test.yaml")


LISTING = """\
; routes/test.yaml  /ws/test/:room  on_message   format 1   stack 2   cost bounded by fuel
; 5:21   If.condition  {{ message | contains('hello') }}
  0000  INPUT         1  message
  0001  CONST         0  'hello'
  0002  CALL          contains/2
  0003  IF
; 7:29   Log.message  {{ …
  0004    CONST       1  'info'
  0005    SLOT        0  n
  0006    EMIT        log/2
  0007    DROP
  0008  ELSE
; 4:7   Loop.collection  If
  0009    CONST       2  [1, 2]
  0010    EACH        0  item
; 4:7   Loop.collection  If
  0011      LOCAL     0  item
  0012      CONST     3  1000
  0013      LIST      2
  0014      DROP
  0015    END
  0016  END
"""


def test_a_listing_with_its_source() -> None:
    assert disassemble(mapped(), SOURCE) == LISTING


def test_a_listing_without_source() -> None:
    rows = LISTING.splitlines(keepends=True)
    assert disassemble(mapped()) == "".join(row for row in rows if row == rows[0] or not row.startswith(";"))


def test_an_operation_without_fields_has_its_line() -> None:
    made = program("CONST [] ; EACH 0 ; BREAK ; END")
    loop, leave = Mark(1, 1, 1, 2, "Loop.collection"), Mark(4, 7, 4, 12, "Break")
    chunk = replace(made.routes[0].hooks["on_message"], source_map=SourceMap((loop, loop, leave, loop)))
    made = replace(made, routes=(replace(made.routes[0], hooks={"on_message": chunk}),))
    assert "; 4:7   Break  Break\n  0002    BREAK\n" in disassemble(made, "a\n\n\n      Break: {}\n")


def test_a_source_map_of_another_text_is_no_accident() -> None:
    assert "; 5:21   If.condition\n" in disassemble(mapped(), "one line")


def test_templates_and_inner_expressions_are_listed() -> None:
    made = program(
        "CONST [1] ; INNER {LOCAL 0 ; RETURN} ; CALL map/2 ; RETURN",
        on_connect="CONST 5 ; EMIT sleep ; DROP",
        slots=["room"],
        templates=["SLOT room ; CHANNEL ; RETURN"],
    )
    headings = [row for row in disassemble(made).splitlines() if row.startswith(";")]
    assert headings == [
        "; Test  /ws/test/:room  channel template 0   format 1   stack 1   cost ≤ 3",
        "; Test  /ws/test/:room  on_connect   format 1   stack 1   cost ≤ 3   waits",
        "; Test  /ws/test/:room  on_message   format 1   stack 2   cost bounded by fuel",
        "; Test  /ws/test/:room  on_message · inner expression 0   format 1   stack 1   cost ≤ 2",
    ]
    only = [row for row in disassemble(made, None, "on_message").splitlines() if row.startswith(";")]
    assert only == headings[2:]


def test_blocks_are_indented() -> None:
    made = program(
        "TRY ; TRUE ; IF ; NULL ; DROP ; END ; CATCH 0 ; FINALLY ; TRUE ; IF 1 ; NULL ; ELSE ; NULL ; END ; DROP ; END"
    )
    shown = [row[8:] for row in disassemble(made).splitlines()[1:]]
    assert shown == [
        "TRY", "  TRUE", "  IF", "    NULL", "    DROP", "  END", "CATCH         0", "FINALLY", "  TRUE",
        "  IF          1  value", "    NULL", "  ELSE", "    NULL", "  END", "  DROP", "END",
    ]  # fmt: skip


def test_texts_cannot_reach_the_terminal() -> None:
    made = program("CONST '\\x1b[2J\\u202e' ; RETURN")
    made = replace(made, source_name="a\x1b]0;x\x07.yaml")
    listing = disassemble(made)
    assert r"'\x1b[2J\u202e'" in listing
    assert all(row.isprintable() for row in listing.splitlines())


def test_long_constants_are_shortened() -> None:
    row = disassemble(program(f"CONST '{'x' * 500}' ; RETURN")).splitlines()[1]
    assert row.endswith("…")
    assert len(row) < 100


def test_every_opcode_can_be_listed() -> None:
    listed = disassemble(mapped()) + disassemble(program("LOOP 7 ; TRUE ; WHILE ; BREAK ; END"))
    assert "LOOP          7  rounds" in listed
    assert all(len(opcode.name) <= 11 for opcode in Opcode)


def test_the_json_form() -> None:
    form = to_json_form(mapped())
    assert json.loads(json.dumps(form)) == form
    assert form["schema"] == "worpen.program/1"
    assert form["format"] == {"major": 1, "minor": 0}
    assert form["imports"] == [
        {"kind": "function", "name": "contains", "arity": 2},
        {"kind": "effect", "name": "log", "arity": 2},
    ]
    assert form["manifest"]["effects"] == ["log"]
    route = form["routes"][0]
    assert route["slots"] == [{"name": "n", "kinds": ["null", "boolean", "number", "text", "list", "object"]}]
    hook = route["hooks"]["on_message"]
    assert hook["locals"] == ["item", "index", "total"]
    assert hook["code"][1] == {
        "pc": 1, "opcode": "CONST", "operand": 0, "value": "hello", "field": "If.condition",
        "range": {"start": {"line": 5, "column": 34}, "end": {"line": 5, "column": 51}},
    }  # fmt: skip
    assert hook["code"][2]["meaning"] == "contains/2"
    assert "operand" not in hook["code"][7]
