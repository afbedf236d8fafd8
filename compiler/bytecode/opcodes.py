"""THE instruction table.

Each row: number, operand, stack picture, meaning, the helper that is its semantics, and the native templates: Python
text that the translator writes instead of a call of the helper, where operands let it. Assembler, codec, verifier,
disassembler, interpreter, translator and docs are loops over this table.

The picture shows the top of the stack before and after: `left right -- sum`. `*items` stands for as many
values as the operand says (a call: as many as the import's arity). Control rows have no picture of their own:
their effect depends on the block, and the verifier spells it out.

Blocks are structured, as in WebAssembly: no jumps, every opener has its `END`. Between statements the
stack is empty but for what the enclosing blocks hold.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Final

from compiler.language import values
from compiler.language.limits import SAFE_INTEGER, TEXT_BYTES
from compiler.language.values import Kind, Value
from compiler.records import dataclass


class Operand(Enum):
    """What an instruction's number means."""

    NONE = "none"
    CONSTANT = "index of a constant"
    INPUT = "index of a hook input"
    LOCAL = "number of a local variable"
    SLOT = "number of a connection variable"
    COUNT = "how many values"
    IMPORT = "index of an import"
    INNER = "index of an inner expression"
    RESULTS = "how many values the block leaves: 0 or 1"
    ROUNDS = "most rounds of the loop"


@dataclass(frozen=True, slots=True)
class Guard:
    """What one operand of a native template must be: of this Python class (a bool is no int), and meet the condition,
    Python text with `{0}` for the operand. `numbers`: a float that is known to be one will do as well."""

    python_class: type
    condition: str = ""
    numbers: bool = False


@dataclass(frozen=True, slots=True)
class Native:
    """Python text that is the helper for operands that pass the guards. It raises nothing for them but OverflowError
    where the helper refuses the result as too large.

    `{0}`, `{1}` are the operands. `check` is a condition on the result `{0}`: where it does not hold, the helper is to
    decide. `exact` is False where a whole result comes as a float; who uses it must not tell 2.0 from 2. `signed` is
    False where the result's sign may be wrong; it is then for those who only ask whether it is 0.
    """

    template: str
    guards: tuple[Guard, ...]
    result: Kind
    check: str = ""
    exact: bool = True
    signed: bool = True


WHOLE: Final = Guard(int)
NATURAL: Final = Guard(int, "{0} >= 0")
POSITIVE: Final = Guard(int, "{0} > 0")
NOT_ZERO: Final = Guard(int, "{0}")
NUMERIC: Final = Guard(int, numbers=True)
TEXTUAL: Final = Guard(str)
LISTED: Final = Guard(list)
KEYED: Final = Guard(dict)


def _comparison(sign: str) -> tuple[Native, ...]:
    """The templates of an operator that compares two numbers or two texts."""
    return tuple(
        Native(f"{{0}} {sign} {{1}}", (guard, guard), Kind.BOOLEAN) for guard in (NUMERIC, TEXTUAL)
    )


def _arithmetic(template: str, guard: Guard, other: Guard | None = None, **columns: Any) -> tuple[Native, ...]:
    return (Native(template, (guard, other or guard), Kind.NUMBER, **columns),)


SAFE: Final = f"-{SAFE_INTEGER} <= {{0}} <= {SAFE_INTEGER}"
"""A check: so large whole numbers are exact."""
SHORT_LENGTH: Final = TEXT_BYTES // 4
"""So many characters are within the limit of a text, whatever they are."""
SHORT: Final = f"len({{0}}) <= {SHORT_LENGTH}"
_SUMS: Final = (
    *_arithmetic("{0} + {1}", WHOLE),
    Native("{0} + {1}", (TEXTUAL, TEXTUAL), Kind.TEXT, check=SHORT),
)
_REMAINDERS: Final = (
    *_arithmetic("{0} % {1}", NATURAL, POSITIVE),
    *_arithmetic("{0} % {1}", WHOLE, POSITIVE, signed=False),
)


@dataclass(frozen=True, slots=True)
class Row:
    """The columns of the table; `number` is the byte in a program file."""

    number: int
    operand: Operand
    picture: str
    doc: str
    helper: Callable[..., Value] | None = None
    natives: tuple[Native, ...] = ()

    @property
    def pops(self) -> int | None:
        """Values taken from the stack; None where the operand decides."""
        taken = self.picture.partition("--")[0].split()
        return None if any(name.startswith("*") for name in taken) else len(taken)

    @property
    def pushes(self) -> int:
        """Values put on the stack."""
        return len(self.picture.partition("--")[2].split())


class Opcode(Enum):
    """One member a row. Numbers are never reused within a major version of the format."""

    def __init__(self, row: Row) -> None:
        # Plain attributes: reading `value` of an Enum member costs several times as much, and loading reads these
        # for every instruction.
        self.number = row.number
        """The byte in a program file."""
        self.operand = row.operand
        """What the instruction's number means."""
        self.helper = row.helper
        """The opcode's semantics, where a function of its operands is all there is to it."""
        self.natives = row.natives
        """What the translator may write instead."""

    # There is one object for each member; that of Enum hashes the name in Python, for every look into a set.
    __hash__ = object.__hash__

    # values
    CONST = Row(0x01, Operand.CONSTANT, "-- value", "A constant.")
    NULL = Row(0x02, Operand.NONE, "-- value", "Null.")
    TRUE = Row(0x03, Operand.NONE, "-- value", "True.")
    FALSE = Row(0x04, Operand.NONE, "-- value", "False.")
    INPUT = Row(0x05, Operand.INPUT, "-- value", "What the hook was called with: `message`, `params`, …")
    LOCAL = Row(0x06, Operand.LOCAL, "-- value", "A local variable; it was set on every path.")
    SLOT = Row(0x07, Operand.SLOT, "-- value", "A connection variable. Faults undefined-variable where it is not set.")
    SLOT_SAFE = Row(0x08, Operand.SLOT, "-- value", "A connection variable, null where it is not set.")
    SET_LOCAL = Row(0x09, Operand.LOCAL, "value --", "Set a local variable.")
    SET_SLOT = Row(0x0A, Operand.SLOT, "value --", "Set a connection variable; its number in normal form.")
    DROP = Row(0x0B, Operand.NONE, "value --", "Forget a value.")

    # operators
    ADD = Row(0x10, Operand.NONE, "left right -- sum", "`left + right` (C4).", values.add, _SUMS)
    SUB = Row(0x11, Operand.NONE, "left right -- difference", "`left - right` (C3).", values.subtract, _arithmetic("{0} - {1}", WHOLE))
    MUL = Row(0x12, Operand.NONE, "left right -- product", "`left * right` (C3).", values.multiply, _arithmetic("{0} * {1}", WHOLE, check=SAFE))
    DIV = Row(0x13, Operand.NONE, "left right -- quotient", "`left / right` (C3).", values.divide, _arithmetic("{0} / {1}", WHOLE, NOT_ZERO, exact=False))
    MOD = Row(0x14, Operand.NONE, "left right -- remainder", "`left % right` (C3).", values.remainder, _REMAINDERS)
    POW = Row(0x15, Operand.NONE, "left right -- power", "`left ** right` (C3).", values.power)
    EQ = Row(0x16, Operand.NONE, "left right -- boolean", "`left == right` (C6).", values.equal, _comparison("=="))
    NE = Row(0x17, Operand.NONE, "left right -- boolean", "`left != right` (C6).", values.unequal, _comparison("!="))
    LT = Row(0x18, Operand.NONE, "left right -- boolean", "`left < right` (C5).", values.less, _comparison("<"))
    LE = Row(0x19, Operand.NONE, "left right -- boolean", "`left <= right` (C5).", values.less_equal, _comparison("<="))
    GT = Row(0x1A, Operand.NONE, "left right -- boolean", "`left > right` (C5).", values.greater, _comparison(">"))
    GE = Row(0x1B, Operand.NONE, "left right -- boolean", "`left >= right` (C5).", values.greater_equal, _comparison(">="))
    NEG = Row(0x1C, Operand.NONE, "value -- number", "`-value` (C3).", values.minus, (Native("-{0}", (WHOLE,), Kind.NUMBER),))
    NOT = Row(0x1D, Operand.NONE, "value -- boolean", "`!value` (C7).", values.negate)
    TEXT = Row(0x1E, Operand.NONE, "value -- text", "The value as text (C10).", values.text)
    CHANNEL = Row(
        0x1F, Operand.NONE, "value -- name", "The value as a channel's name. Faults empty-channel.", values.channel_name
    )

    # members and makers
    MEMBER = Row(0x20, Operand.CONSTANT, "owner -- value", "`owner.key` (C9).", values.member, (Native("{0}.get({1})", (KEYED, TEXTUAL), Kind.ANY),))
    MEMBER_SAFE = Row(0x21, Operand.CONSTANT, "owner -- value", "`owner?.key`.", values.member_safe)
    INDEX = Row(0x22, Operand.NONE, "owner key -- value", "`owner[key]` (C9).", values.index, (Native("{0}.get({1})", (KEYED, TEXTUAL), Kind.ANY),))
    INDEX_SAFE = Row(0x23, Operand.NONE, "owner key -- value", "`owner?.[key]`.", values.index_safe)
    CONCAT = Row(0x24, Operand.COUNT, "*parts -- text", "The parts' texts, joined.", values.concat)
    LIST = Row(0x25, Operand.COUNT, "*items -- list", "A list.", values.make_list)
    OBJECT = Row(
        0x26,
        Operand.COUNT,
        "*keys_and_values -- object",
        "An object; the operand counts keys and values.",
        values.make_object,
    )

    # calls
    CALL = Row(0x30, Operand.IMPORT, "*arguments -- result", "Call a function.")
    INNER = Row(0x31, Operand.INNER, "-- expression", "An inner expression, for the function that is called next.")
    EMIT = Row(
        0x32,
        Operand.IMPORT,
        "*arguments -- reply",
        "Ask the host for an effect. A SET, DROP or RETURN takes the reply at once.",
    )

    # blocks
    IF = Row(0x40, Operand.RESULTS, "condition --", "Run up to ELSE where the condition is true, else from there.")
    ELSE = Row(0x41, Operand.NONE, "", "The other branch of IF.")
    AND = Row(0x42, Operand.NONE, "left --", "Leave `left` and skip to END where it is falsy; else the block's value.")
    OR = Row(0x43, Operand.NONE, "left --", "Leave `left` and skip to END where it is truthy; else the block's value.")
    COALESCE = Row(
        0x44, Operand.NONE, "left --", "Leave `left` and skip to END where it is not null; else the block's value."
    )
    LOOP = Row(
        0x45, Operand.ROUNDS, "", "Repeat up to END. First a condition and its WHILE, then the round's statements."
    )
    WHILE = Row(
        0x46,
        Operand.NONE,
        "condition --",
        "Leave the LOOP where falsy; else fault loop-limit where its rounds are used up; else begin a round, for one fuel.",
    )
    EACH = Row(
        0x47,
        Operand.LOCAL,
        "list --",
        "Repeat for each element: local n is the element, n+1 its index, n+2 the list's length. Null is an empty list. One fuel a round.",
    )
    BREAK = Row(0x48, Operand.NONE, "", "Leave the innermost LOOP or EACH.")
    CONTINUE = Row(0x49, Operand.NONE, "", "Start the next round of the innermost LOOP or EACH.")
    TRY = Row(0x4A, Operand.NONE, "", "A block whose faults CATCH takes; FINALLY runs on every way out.")
    CATCH = Row(0x4B, Operand.LOCAL, "", "Sets the local to the error value. At most one in a TRY.")
    FINALLY = Row(0x4C, Operand.NONE, "", "The rest of the TRY up to END. At most one, after CATCH.")
    END = Row(0x4D, Operand.NONE, "", "Closes the innermost block.")

    # leaving
    RETURN = Row(0x50, Operand.NONE, "value --", "End the hook with a value.")
    THROW = Row(
        0x51, Operand.NONE, "message code --", "Raise a fault of the author's own; null for no code of its own."
    )


BY_NUMBER = {opcode.value.number: opcode for opcode in Opcode}
"""Opcode by its byte."""

OPENERS = frozenset({Opcode.IF, Opcode.AND, Opcode.OR, Opcode.COALESCE, Opcode.LOOP, Opcode.EACH, Opcode.TRY})
"""Opcodes that open a block, which an END closes."""

LEAVERS = frozenset({Opcode.RETURN, Opcode.THROW, Opcode.BREAK, Opcode.CONTINUE})
"""Opcodes after which the rest of a block cannot run."""

BOUNDARIES = frozenset({Opcode.ELSE, Opcode.CATCH, Opcode.FINALLY, Opcode.END})
"""Opcodes that end a block or a part of one."""
