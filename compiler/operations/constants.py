"""What can be said of a field's value before anything runs: its constant, where it has one."""

from __future__ import annotations

from compiler.diagnostics import codes
from compiler.language.faults import Fault
from compiler.language.values import Kind, Value, describe_kind, kind_of, parse_number
from compiler.records import dataclass
from compiler.syntax.fields import ConstantField, ListField, ObjectField, TemplateField, TextField, ValueField
from compiler.syntax.findings import Findings


@dataclass(frozen=True, slots=True)
class Constant:
    """The value of a field that holds no template."""

    value: Value


def constant_of(field: ValueField | TextField | None) -> Constant | None:
    """The scalar that a field always is; None where it depends on the run, is broken, a list or a mapping."""
    if isinstance(field, ConstantField):
        return Constant(field.value)
    if isinstance(field, (TemplateField, TextField)) and not field.template.broken:
        text = field.template.constant
        return None if text is None else Constant(text)
    return None


def kind_of_field(field: ValueField) -> Kind:
    """The kinds that a field's value may have, as far as its form shows them."""
    if isinstance(field, ListField):
        return Kind.LIST
    if isinstance(field, ObjectField):
        return Kind.OBJECT
    constant = constant_of(field)
    return Kind.ANY if constant is None else kind_of(constant.value)


def check_kind(found: Findings, field: ValueField | None, name: str, kinds: Kind) -> None:
    """A value whose form shows that it is of another kind is a finding."""
    if field is None or kind_of_field(field) & kinds:
        return
    message = f"`{name}` must be {describe_kind(kinds)}, this is {describe_kind(kind_of_field(field))}"
    found.add(codes.WRONG_TYPE, field.span, message)


def check_whole(found: Findings, field: ValueField, name: str) -> bool:
    """Whether a value can be a whole number that is not negative, or its text; a finding where it never is."""
    constant = constant_of(field)
    if constant is None and kind_of_field(field) is Kind.ANY:
        return True
    number = number_of(field)
    if number is None or (isinstance(number, float) and not number.is_integer()):
        message = f"`{name}` must be a whole number of at least 0, this is {_described(field, constant)}"
        found.add(codes.WRONG_TYPE, field.span, message)
    elif number < 0:
        found.add(codes.BAD_VALUE, field.span, f"`{name}` must not be negative")
    else:
        return True
    return False


def number_of(field: ValueField) -> int | float | None:
    """The number that a field always is, as a number or as its text; None for anything else."""
    constant = constant_of(field)
    value = None if constant is None else constant.value
    if isinstance(value, str):
        try:
            return parse_number(value)
        except Fault:
            return None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _described(field: ValueField, constant: Constant | None) -> str:
    if constant is not None and isinstance(constant.value, float):
        return f"{constant.value:g}"
    return describe_kind(kind_of_field(field))
