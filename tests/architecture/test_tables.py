"""The tables are total: every row is written out, numbers are unique, and names lead back to their rows."""

from __future__ import annotations

import inspect
import re

import pytest

from compiler.bytecode.opcodes import BY_NUMBER, LEAVERS, OPENERS, Opcode, Operand
from compiler.diagnostics.codes import CODES, Code, Severity, find_code
from compiler.language.effects import EFFECTS, Effect
from compiler.language.functions import FUNCTIONS, SPELLINGS, Function
from compiler.language.hooks import HOOK_SYNONYMS, HOOKS, INPUT_NUMBERS, INPUTS, RESERVED_NAMES, Hook, Input
from compiler.language.values import Kind

CODE_NAME = re.compile(r"[a-z]+(-[a-z]+)*")
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
FAMILIES = range(1, 8)


def is_sentence(text: str) -> bool:
    """Whether a text of documentation is there and ends as a sentence does."""
    return bool(text.strip()) and text.rstrip().endswith((".", "…", ":"))


@pytest.mark.parametrize("code", CODES.values(), ids=str)
class TestCodes:
    def test_every_column_is_written(self, code: Code) -> None:
        assert CODE_NAME.fullmatch(code.name)
        assert isinstance(code.severity, Severity)
        assert code.title.strip()
        assert not code.title.endswith(".")
        assert is_sentence(code.why)
        assert code.bad.strip()
        assert code.good.strip()
        assert code.bad != code.good

    def test_the_number_belongs_to_a_family(self, code: Code) -> None:
        assert code.number // 100 in FAMILIES
        assert code.number % 100 > 0

    def test_name_and_number_find_it(self, code: Code) -> None:
        assert find_code(code.name) is code
        assert find_code(code.fault_name) is code
        assert find_code(code.label) is code
        assert find_code(code.label.lower()) is code


def test_codes_stand_in_the_order_of_their_numbers() -> None:
    numbers = [code.number for code in CODES.values()]
    assert numbers == sorted(set(numbers))


def test_every_family_has_codes() -> None:
    assert {code.number // 100 for code in CODES.values()} == set(FAMILIES)


def test_no_code_is_called_nonsense() -> None:
    assert find_code("no-such-code") is None
    assert find_code("W000") is None


@pytest.mark.parametrize("opcode", Opcode, ids=lambda opcode: opcode.name)
class TestOpcodes:
    def test_every_column_is_written(self, opcode: Opcode) -> None:
        assert 0 < opcode.number <= 0xFF
        assert isinstance(opcode.operand, Operand)
        assert is_sentence(opcode.value.doc)

    def test_the_number_finds_it(self, opcode: Opcode) -> None:
        assert BY_NUMBER[opcode.number] is opcode

    def test_the_picture_is_what_the_helper_takes(self, opcode: Opcode) -> None:
        row = opcode.value
        if row.helper is None or row.operand not in {Operand.NONE, Operand.CONSTANT}:
            return
        parameters = [
            parameter
            for parameter in inspect.signature(row.helper).parameters.values()
            if parameter.default is parameter.empty and parameter.kind is not parameter.KEYWORD_ONLY
        ]
        assert row.pops is not None
        assert len(parameters) == row.pops + (row.operand is Operand.CONSTANT)
        assert row.pushes == 1

    def test_a_picture_has_an_arrow(self, opcode: Opcode) -> None:
        assert opcode.value.picture.count("--") <= 1
        assert bool(opcode.value.picture) == ("--" in opcode.value.picture)

    def test_what_the_operand_decides_is_starred(self, opcode: Opcode) -> None:
        decides = opcode.operand in {Operand.COUNT, Operand.IMPORT}
        assert (opcode.value.pops is None) == decides


def test_openers_and_leavers_do_different_things() -> None:
    assert not OPENERS & LEAVERS
    assert Opcode.END not in OPENERS | LEAVERS


@pytest.mark.parametrize("hook", HOOKS.values(), ids=lambda hook: hook.name)
def test_a_hook_is_whole(hook: Hook) -> None:
    assert HOOKS[hook.name] is hook
    assert hook.name.startswith("on_")
    assert is_sentence(hook.doc)


def test_hooks_stand_in_the_order_in_which_they_run() -> None:
    orders = [hook.order for hook in HOOKS.values()]
    assert orders == list(range(len(HOOKS)))


@pytest.mark.parametrize("row", INPUTS.values(), ids=lambda row: row.name)
def test_an_input_is_whole(row: Input) -> None:
    assert NAME.fullmatch(row.name)
    assert row.kinds & Kind.ANY
    assert row.hooks
    assert row.hooks <= set(HOOKS)
    assert is_sentence(row.doc)
    assert list(INPUTS)[INPUT_NUMBERS[row.name]] == row.name


def test_an_author_can_set_one_input_only() -> None:
    assert set(INPUTS) - RESERVED_NAMES == {"message"}


def test_synonyms_lead_to_hooks_and_hide_none() -> None:
    assert set(HOOK_SYNONYMS.values()) <= set(HOOKS)
    assert not set(HOOK_SYNONYMS) & set(HOOKS)


@pytest.mark.parametrize("effect", EFFECTS.values(), ids=lambda effect: effect.name)
def test_an_effect_is_whole(effect: Effect) -> None:
    assert EFFECTS[effect.name] is effect
    assert NAME.fullmatch(effect.name)
    assert effect.reply & Kind.ANY
    assert is_sentence(effect.doc)
    assert effect.arity == len({name for name, _ in effect.arguments})
    assert all(kinds & Kind.ANY for _, kinds in effect.arguments)


@pytest.mark.parametrize("row", FUNCTIONS.values(), ids=lambda row: row.name)
def test_a_function_is_whole(row: Function) -> None:
    assert NAME.fullmatch(row.name)
    assert row.group.strip()
    assert is_sentence(row.doc.splitlines()[0])
    assert row.examples
    assert row.result & Kind.ANY
    assert row.maximum is None or row.minimum <= row.maximum
    assert all(SPELLINGS[spelling] is row for spelling in (row.name, *row.aliases))


def test_required_parameters_come_first() -> None:
    for row in FUNCTIONS.values():
        required = [parameter.required for parameter in row.parameters]
        assert required == sorted(required, reverse=True), row.signature
