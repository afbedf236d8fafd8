"""Values in translated code: one line for each operator that can fail, plain Python text for what cannot.

The pass follows the chunk's instructions with a stack of operands. An operator whose guards the facts delete becomes
part of a longer text; any other becomes a line of its own, `t1 = native if guards else helper`, so that all happens
in the order of the instructions and a line knows the one instruction it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from compiler.bytecode.opcodes import SAFE, SHORT_LENGTH, Native, Opcode
from compiler.bytecode.opcodes import Operand as OperandKind
from compiler.bytecode.program import Chunk, ImportKind, Program, RouteProgram
from compiler.language import values
from compiler.language.faults import Fault
from compiler.language.functions import FUNCTIONS, Moment
from compiler.language.hooks import INPUTS
from compiler.language.limits import SAFE_INTEGER
from compiler.language.values import Kind
from runtime.translator import kinds, operands
from runtime.translator.calls import FUSED_CALLS, NATIVE_CALLS
from runtime.translator.kinds import ANY, INEXACT, Facts
from runtime.translator.layout import Layout
from runtime.translator.operands import Operand, choose, literal
from runtime.translator.support import function_caller
from runtime.translator.writer import CodeWriter

_PARTS_LIMIT: Final = 16
"""Parts of a text that are put together without asking for their sizes first."""
_RESULTS: Final = {
    "boolean": kinds.BOOLEAN,
    "text": kinds.TEXT,
    "name": kinds.TEXT,
    "list": kinds.LIST,
    "object": kinds.OBJECT,
    "sum": kinds.NUMBER | kinds.TEXT | kinds.LIST,
    "value": ANY,
}
"""The kinds of a helper's result by what the opcode's picture calls it; all others are numbers."""
_IDENTITIES: Final = kinds.NULL | kinds.BOOLEAN
_SIGNS: Final = {Opcode.EQ: ("==", "is"), Opcode.NE: ("!=", "is not")}


class ExpressionTranslator:
    """The state of the pass, and what it does with opcodes that take and leave values."""

    def __init__(self, program: Program, route: RouteProgram, chunk: Chunk, moment: Moment) -> None:
        self.program = program
        self.route = route
        self.chunk = chunk
        self.moment = moment
        self.layout = Layout(chunk)
        self.out = CodeWriter()
        self.facts = Facts()
        self.stack: list[Operand] = []
        self.names: dict[str, Any] = {}
        """Everything that the code names and that is not a variable of it."""
        self.pc = 0
        """The next instruction."""
        self._temporaries = 0
        self.unchecked: dict[str, tuple[int, int]] = {}
        """Variables read from slots that may be unset: their slots, and the instructions that read them.

        An operator that tests their class anyway asks only where the test fails; everybody else asks first.
        """

    # The stack.

    def temporary(self) -> str:
        """A new variable for a value within one statement."""
        self._temporaries += 1
        return f"t{self._temporaries}"

    def begin_statement(self) -> None:
        """The stack is empty: the variables for values can be used again."""
        self._temporaries = 0

    def push(self, text: str, known: int, weight: int = 0) -> None:
        """Put an operand on the stack; one that has become long gets a variable."""
        made = Operand(text, known, weight)
        self.stack.append(self.named(made) if weight > operands.WEIGHT_LIMIT else made)

    def pop(self) -> Operand:
        """The operand on top, as exact as the helper would have made it."""
        return self.exact(self.stack.pop())

    def take(self, count: int, *, exact: bool = True) -> list[Operand]:
        """The topmost operands, lowest first."""
        start = len(self.stack) - count
        taken = self.stack[start:]
        del self.stack[start:]
        return [self.exact(operand) for operand in taken] if exact else taken

    def exact(self, operand: Operand) -> Operand:
        """The operand with a whole float as int."""
        if not operand.kinds & INEXACT:
            return operand
        made = self.named(operand)
        self.out.write(
            f"if {made.text}.__class__ is float and {made.text}.is_integer(): {made.text} = int({made.text})"
        )
        return Operand(made.text, made.kinds & ~INEXACT)

    def assign(self, name: str, operand: Operand, place: int = 0) -> None:
        """Give a variable a value; the line that made it does so where it is the one before, and behind a place."""
        made = f"{operand.text} = "
        before = self.out.lines[-1] if self.out.place > place else ""
        if before.startswith(made) and made.startswith("t") and f"({operand.text} :=" not in before:
            self.out.lines[-1] = f"{name} = {before.removeprefix(made)}"
        elif operand.text != name:
            self.out.write(f"{name} = {operand.text}")

    def named(self, operand: Operand) -> Operand:
        """The operand as a name or literal."""
        if operand.weight == 0:
            return operand
        name = self.temporary()
        self.out.write(f"{name} = {operand.text}")
        return Operand(name, operand.kinds)

    # Names.

    def name_of(self, function: Callable[..., Any]) -> str:
        """The name of a helper."""
        self.names[function.__name__] = function
        return function.__name__

    def constant(self, number: int) -> Operand:
        """A constant of the program."""
        value = self.program.constants[number]
        if not isinstance(value, (list, dict)):
            return literal(value)
        self.names[f"K{number}"] = value
        return Operand(f"K{number}", kinds.of_value(value))

    # Operators.

    def value(self, opcode: Opcode, operand: int) -> None:
        """An opcode whose helper is all there is to it."""
        match opcode:
            case Opcode.EQ | Opcode.NE if self.equality(opcode):
                return
            case Opcode.NOT:
                given = self.stack.pop()
                self.push(f"(not {self.truth(given)})", kinds.BOOLEAN, given.weight + 1)
            case Opcode.TEXT:
                self.stack.append(self.text(self.named(self.stack.pop())))
            case Opcode.CONCAT:
                self.concat(operand)
            case Opcode.LIST:
                items = [self.normal(self.named(item)) for item in self.take(operand, exact=False)]
                self.line(f"[{', '.join(items)}]", kinds.LIST)
            case Opcode.OBJECT:
                self.make_object(operand)
            case _:
                self.operate(opcode, operand)

    def operate(self, opcode: Opcode, operand: int) -> None:
        """An operator: by the first native template that can fit, else by its helper."""
        assert opcode.helper is not None
        count = opcode.value.pops or 0
        taken = self.take(count, exact=opcode.value.picture.split()[-1] != "boolean")
        if opcode.operand is OperandKind.CONSTANT:
            taken.append(literal(self.program.constants[operand]))
        result = _RESULTS.get(opcode.value.picture.split()[-1], kinds.NUMBER)
        natives = opcode.natives
        if natives and not natives[-1].signed:
            natives = natives[-1:] if self.asks_for_zero() else natives[:-1]
        self.apply(self.name_of(opcode.helper), natives, taken, result)

    def asks_for_zero(self) -> bool:
        """Whether the next instructions only compare the value that is made now with 0."""
        after = [(i.opcode, i.operand) for i in self.chunk.code[self.pc : self.pc + 2]]
        if len(after) < 2 or after[0][0] is not Opcode.CONST or after[1][0] not in _SIGNS:
            return False
        return self.constant(after[0][1]).value == 0

    def apply(self, helper: str, natives: Sequence[Native], given: Sequence[Operand], result: int) -> None:
        """What a helper makes of the operands, natively where it can."""
        native = choose(natives, given)
        if native is None:
            self.check()
            self.line(f"{helper}({', '.join(operand.text for operand in given)})", result)
            return
        tests = operands.conditions(native, given)
        if not tests and not native.check and native.exact:
            self.check()
            text = native.template.format(*(operand.text for operand in given))
            self.push(f"({text})", _native_kinds(native, given), sum(operand.weight for operand in given) + 1)
            return
        given = [self.named(operand) for operand in given]
        tests = operands.conditions(native, given)
        self.check(*(operand.text for operand in given if operand.kinds == ANY))
        texts = [operand.text for operand in given]
        name = self.temporary()
        self.choice_line(name, native.template.format(*texts), tests, native.check, f"{helper}({', '.join(texts)})")
        known = _native_kinds(native, given) if not tests else result
        self.stack.append(Operand(name, known if native.exact else known | INEXACT))

    def choice_line(self, name: str, native: str, tests: list[str], check: str, helper: str) -> None:
        """A value by its template where all tests hold, else by its helper."""
        if not check and not self.unchecked:
            self.out.write(
                f"{name} = {native} if {' and '.join(tests)} else {helper}" if tests else f"{name} = {native}"
            )
            return
        if check:
            native_test = check.format(f"({name} := {native})")
            place = self.out.place
            self.check()
            self.out.write(f"{name} = {helper}")
            self.out.wrap(place, f"if not ({' and '.join([*tests, native_test])}):", self.out.pc)
            return
        place = self.out.place
        self.check()
        self.out.write(f"{name} = {helper}")
        self.out.wrap(place, "else:", self.out.pc)
        self.out.insert(place, f"if {' and '.join(tests)}: {name} = {native}", self.out.pc)

    def line(self, text: str, known: int) -> None:
        """A value that is made by a line of its own."""
        self.check()
        name = self.temporary()
        self.out.write(f"{name} = {text}")
        self.stack.append(Operand(name, known))

    def equality(self, opcode: Opcode) -> bool:
        """Comparisons with a constant that are the same in Python for every operand."""
        sign, identity = _SIGNS[opcode]
        left, right = self.stack[-2:]
        if left.literal:
            left, right = right, left
        if not right.literal or left.literal:
            return False
        if right.kinds & _IDENTITIES:
            sign = identity
        elif not isinstance(right.value, str) or _is_numeric(right.value):
            return False
        del self.stack[-2:]
        self.push(f"({left.text} {sign} {right.text})", kinds.BOOLEAN, left.weight + 1)
        return True

    def truth(self, operand: Operand) -> str:
        """A Python condition that holds where the value is true."""
        if not operand.kinds & (kinds.LIST | kinds.OBJECT):
            return operand.text
        if not operand.kinds & ~(kinds.LIST | kinds.OBJECT):
            return "True"
        name = self.named(operand).text
        return f"({name} or {name}.__class__ is list or {name}.__class__ is dict)"

    # Texts and normal forms.

    def text(self, operand: Operand) -> Operand:
        """The text of a named operand; that of a variable is kept as long as the variable stays."""
        if operand.literal:
            return literal(values.text(operand.value))
        name = operand.text
        if not operand.kinds & ~kinds.TEXT:
            return operand
        is_variable = name in self.facts.kinds
        if is_variable and name in self.facts.texts:
            return Operand(f"x{name}", kinds.TEXT)
        made = f"x{name}" if is_variable else self.temporary()
        self.out.write(f"{made} = {self._text_of(operand)}")
        if is_variable:
            self.facts.texts.add(name)
        return Operand(made, kinds.TEXT)

    def _text_of(self, operand: Operand) -> str:
        name, known = operand.text, operand.kinds
        rows: list[str] = []
        if known & kinds.TEXT:
            rows.append(f"{name} if {name}.__class__ is str")
        if known & kinds.WHOLE:
            rows.append(f"f'{{{name}}}' if {self._whole(operand)}")
        return " else ".join([*rows, f"text({name})"])

    @staticmethod
    def _whole(operand: Operand) -> str:
        """A condition that an operand is a whole number in the range in which they are exact."""
        known = operand.kinds
        if not known & ~kinds.NATURAL:
            return f"{operand.text} <= {SAFE_INTEGER}"
        in_range = SAFE.format(operand.text)
        return in_range if not known & ~kinds.WHOLE else f"{operand.text}.__class__ is int and {in_range}"

    def normal(self, operand: Operand) -> str:
        """A named operand with its number in normal form."""
        known, name = operand.kinds, operand.text
        if not known & kinds.NUMBER or (operand.literal and values.normalised(operand.value) is operand.value):
            return name
        rows: list[str] = []
        if known & kinds.TEXT:
            rows.append(f"{name}.__class__ is str")
        if known & kinds.WHOLE:
            rows.append(self._whole(operand))
        if not rows:
            return f"normalised({name})"
        return f"({name} if {' or '.join(rows)} else normalised({name}))"

    def concat(self, count: int) -> None:
        """The texts of some values, joined."""
        parts = [self.named(part) for part in self.take(count, exact=False)]
        if not 0 < count <= _PARTS_LIMIT:
            self.line(f"{self.name_of(values.concat)}({', '.join(part.text for part in parts)})", kinds.TEXT)
            return
        pieces = [self.text(part) for part in parts]
        name = self.temporary()
        self.out.write(f"{name} = {_joined(pieces)}")
        if any(not piece.literal for piece in pieces):
            self.out.write(f"if len({name}) > {SHORT_LENGTH}: bounded({name})")
        self.stack.append(Operand(name, kinds.TEXT))

    def make_object(self, count: int) -> None:
        """An object of alternating keys and values."""
        taken = [self.named(item) for item in self.take(count, exact=False)]
        keys = taken[::2]
        if all(not key.kinds & ~kinds.TEXT for key in keys):
            pairs = (f"{key.text}: {self.normal(item)}" for key, item in zip(keys, taken[1::2], strict=True))
            self.line(f"{{{', '.join(pairs)}}}", kinds.OBJECT)
        else:
            self.line(f"{self.name_of(values.make_object)}({', '.join(item.text for item in taken)})", kinds.OBJECT)

    # Variables.

    def input(self, number: int) -> None:
        """A hook's input. Its kinds are those of the table, but for a message that a codec has decoded."""
        name = f"i{number}"
        if name not in self.facts.kinds:
            self.out.write(f"{name} = inputs[{number}]")
            row = list(INPUTS.values())[number]
            trusted = row.kinds == Kind.TEXT and not (row.name == "message" and "codec" in self.route.options)
            self.facts.set(name, kinds.TEXT if trusted else ANY)
        self.stack.append(Operand(name, self.facts.kinds[name]))

    def local(self, number: int) -> None:
        """A local variable."""
        self.stack.append(Operand(f"l{number}", self.facts.kinds.get(f"l{number}", ANY)))

    def slot(self, number: int, safe: bool) -> None:
        """A variable of the connection: read once, then kept in a variable of the function as well."""
        name = f"s{number}"
        if name in self.facts.kinds:
            self.stack.append(Operand(name, self.facts.kinds[name]))
            return
        if safe:
            name = self.temporary()
            self.out.write(f"{name} = slots[{number}]")
            self.out.write(f"if {name} is UNSET: {name} = None")
        else:
            self.out.write(f"{name} = slots[{number}]")
            self.unchecked[name] = number, self.out.pc
            self.facts.set(name, ANY)
        self.stack.append(Operand(name, ANY))

    def check(self, *later: str) -> None:
        """Ask whether the variables that were read are set, but for those that are asked about later."""
        here = self.out.pc
        for name in [name for name in self.unchecked if name not in later]:
            number, self.out.pc = self.unchecked.pop(name)
            self.out.write(f"if {name} is UNSET: raise unset_variable({self.route.slots[number].name!r})")
        self.out.pc = here

    # Calls.

    def call(self, number: int) -> None:
        """A function of the language."""
        row = self.program.imports[number]
        assert row.kind is ImportKind.FUNCTION
        name = f"call_{row.name}"
        if name not in self.names:
            self.names[name] = function_caller(row, self.moment)
        given = self.take(row.arity, exact=False)
        if self.fuse(name, given):
            return
        natives = NATIVE_CALLS.get(row.name, ())
        known = kinds.of_kinds(FUNCTIONS[row.name].result)
        if natives and len(natives[0].guards) == row.arity:
            self.apply(name, natives, given, known)
        else:
            self.line(f"{name}({', '.join(operand.text for operand in given)})", known)

    def fuse(self, name: str, given: Sequence[Operand]) -> bool:
        """A call and the next one in a single template. False where there is none for the two."""
        after = self.chunk.code[self.pc]
        if after.opcode is not Opcode.CALL:
            return False
        first, second = name.removeprefix("call_"), self.program.imports[after.operand]
        natives = FUSED_CALLS.get((first, second.name), ())
        if second.arity != 1 or choose(natives, given) is None:
            return False
        inner, outer = self.names[name], function_caller(second, self.moment)
        self.names[f"{name}_{second.name}"] = lambda *arguments: outer(inner(*arguments))
        self.apply(f"{name}_{second.name}", natives, given, kinds.TEXT)
        self.pc += 1
        return True


def _native_kinds(native: Native, given: Sequence[Operand]) -> int:
    """The kinds of what a template makes of operands that it fits."""
    if native.result != Kind.NUMBER:
        return kinds.of_kinds(native.result)
    if not native.exact:
        return kinds.NUMBER
    if any(operand.kinds & ~kinds.NATURAL for operand in given) and not native.template.startswith("len"):
        return kinds.WHOLE
    return kinds.WHOLE if "-" in native.template else kinds.NATURAL


def _is_numeric(text: str) -> bool:
    """Whether a text may be equal to a number."""
    try:
        return values.parse_number(text) is not None
    except Fault:
        return True


def _joined(pieces: Sequence[Operand]) -> str:
    """Python text that joins texts: the sum of two, a formatted string of more."""
    if len(pieces) <= 2:
        return " + ".join(piece.text for piece in pieces)
    return _formatted(pieces)


def _formatted(pieces: Sequence[Operand]) -> str:
    rows = []
    for piece in pieces:
        if piece.literal:
            inside = str(piece.value).replace("\\", "\\\\").replace("'", "\\'").replace("{", "{{").replace("}", "}}")
            rows.append("".join(c if c.isprintable() else repr(c)[1:-1] for c in inside))
        else:
            rows.append(f"{{{piece.text}}}")
    return f"f'{''.join(rows)}'"
