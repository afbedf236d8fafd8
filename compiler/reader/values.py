"""Reading the fields of operations: a node and the row that declares it in, a typed field out."""

from __future__ import annotations

from typing import Any

from compiler.diagnostics import codes
from compiler.language.limits import BRACKET_DEPTH
from compiler.operations.constants import check_whole
from compiler.operations.rows import FieldRow, Position
from compiler.operations.statements import Statement
from compiler.reader.nodes import (
    Unreadable,
    refuse_type,
    require_flag,
    require_literal,
    require_number,
    require_text,
    require_variable,
    require_word,
)
from compiler.syntax.fields import (
    Collection,
    Condition,
    ConditionField,
    ConstantField,
    ListField,
    ObjectField,
    TemplateField,
    TextField,
    ValueField,
    Written,
)
from compiler.syntax.findings import Findings
from compiler.syntax.parser import parse_condition, parse_template
from compiler.syntax.tree import Mapping, Node, Scalar, Sequence, Tagged


class FieldReader:
    """Reads fields of one file. `codec` decides what a message may be."""

    def __init__(self, found: Findings, codec: str) -> None:
        self.found = found
        self.codec = codec

    def read(self, node: Node, row: FieldRow, label: str) -> Any:
        """The field's value, for every position but blocks and cases. Raises Unreadable where a finding was made."""
        match row.position:
            case Position.VALUE:
                return self.value(node, label)
            case Position.WHOLE:
                return self.whole(node, row.name, label)
            case Position.TEXT:
                return self.text(node, row.name, label)
            case Position.CHANNEL:
                return self.channel(node, row.name, label)
            case Position.MESSAGE:
                return self.text(node, row.name, label) if self.codec == "text" else self.value(node, label)
            case Position.CONDITION:
                return self.condition(node, row.name, label)
            case Position.COLLECTION:
                return self.collection(node, row.name, label)
            case Position.STATEMENT:
                return self.statement(node, row.name, label)
            case _:
                return Written(self._literal(node, row), node.span, label)

    def _literal(self, node: Node, row: FieldRow) -> Any:
        match row.position:
            case Position.WORD:
                return require_word(self.found, node, row.name, row.words, row.word_synonyms)
            case Position.VARIABLE:
                return require_variable(self.found, node, row.name)
            case Position.FLAG:
                return require_flag(self.found, node, row.name)
            case Position.INTEGER:
                return require_number(self.found, node, row.name, whole=True, minimum=row.minimum, maximum=row.maximum)
            case _:
                return require_literal(self.found, node, row.name)

    def statement(self, node: Node, name: str, label: str) -> Statement:
        """SQL text; what is wrong inside of it, the operation says."""
        text = require_text(self.found, node, name)
        assert isinstance(node, Scalar)
        if not text.strip():
            self.found.add(codes.BAD_VALUE, node.span, f"`{name}` is empty")
            raise Unreadable
        return Statement(text, node, label)

    def whole(self, node: Node, name: str, label: str) -> ValueField:
        """Value position that must be a whole number; a constant is checked."""
        field = self.value(node, label)
        if not check_whole(self.found, field, name):
            raise Unreadable
        return field

    def text(self, node: Node, name: str, label: str) -> TextField:
        """Text position."""
        text = require_text(self.found, node, name)
        assert isinstance(node, Scalar)
        template, problems = parse_template(text)
        self.found.add_scalar_problems(node, problems)
        return TextField(template, node, label)

    def channel(self, node: Node, name: str, label: str) -> TextField:
        """A text position that must not be blank."""
        field = self.text(node, name, label)
        constant = field.template.constant
        if constant is not None and not constant.strip() and not field.template.broken:
            help = "leave `channel` out to reach everybody" if label == "WsOp.channel" else ""
            self.found.add(
                codes.EMPTY_CHANNEL, node.span, f"the {name} is blank, and a channel needs a name", help=help
            )
            raise Unreadable
        return field

    def value(self, node: Node, label: str) -> ValueField:
        """Value position: strings are templates; lists and mappings are walked, without recursion."""
        if isinstance(node, Scalar):
            return self._scalar(node, label)
        made: list[ValueField] = []
        pending: list[tuple[Node, int, bool]] = [(node, 0, False)]
        while pending:
            part, depth, items_made = pending.pop()
            if depth > BRACKET_DEPTH:
                self.found.add(codes.LIMIT, part.span, f"the value is nested more than {BRACKET_DEPTH} deep")
                raise Unreadable
            if isinstance(part, Scalar):
                made.append(self._scalar(part, label))
            elif isinstance(part, Tagged):
                raise refuse_type(self.found, part, label, "a value")
            elif items_made:
                made.append(_collected(part, made, label))
            else:
                pending.append((part, depth, True))
                pending += [(item, depth + 1, False) for item in reversed(_items(part))]
        return made[0]

    def _scalar(self, node: Scalar, label: str) -> ValueField:
        if not isinstance(node.resolved, str):
            return ConstantField(node.resolved, node.span, label)
        template, problems = parse_template(node.value)
        self.found.add_scalar_problems(node, problems)
        return TemplateField(template, node, label)

    def condition(self, node: Node, name: str, label: str) -> Condition:
        """Condition position: an expression, or `true` or `false` without quotes."""
        if isinstance(node, Scalar) and isinstance(node.resolved, bool):
            return ConstantField(node.resolved, node.span, label)
        if not isinstance(node, Scalar) or not isinstance(node.resolved, str):
            raise refuse_type(self.found, node, name, "an expression in quotes, or true or false", _as_condition(node))
        return self._expression(node, label)

    def _expression(self, node: Scalar, label: str) -> ConditionField:
        expression, problems = parse_condition(node.value)
        self.found.add_scalar_problems(node, problems)
        return ConditionField(expression, node, label)

    def collection(self, node: Node, name: str, label: str) -> Collection:
        """Condition position, or a list."""
        if isinstance(node, Sequence):
            field = self.value(node, label)
            assert isinstance(field, ListField)
            return field
        if isinstance(node, Scalar) and node.resolved is None:
            return ConstantField(None, node.span, label)
        if isinstance(node, Scalar) and isinstance(node.resolved, str):
            return self._expression(node, label)
        raise refuse_type(self.found, node, name, "an expression or a list")


def _as_condition(node: Node) -> str:
    """What may have been meant by a number: 1 and 0 are true and false elsewhere."""
    value = getattr(node, "resolved", None)
    return f"write `{str(value != 0).lower()}`" if isinstance(value, (int, float)) else ""


def _items(node: Sequence | Mapping) -> list[Node]:
    return node.items if isinstance(node, Sequence) else [entry.value for entry in node.entries]


def _collected(node: Sequence | Mapping, made: list[ValueField], label: str) -> ListField | ObjectField:
    """A list or mapping of its items, which are taken from the end of what was made."""
    start = len(made) - len(_items(node))
    items = tuple(made[start:])
    del made[start:]
    if isinstance(node, Sequence):
        return ListField(items, node.span, label)
    keys = (Written(entry.key.value, entry.key.span) for entry in node.entries)
    return ObjectField(tuple(zip(keys, items, strict=True)), node.span, label)
