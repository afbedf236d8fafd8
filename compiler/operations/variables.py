"""SetVar and Comment."""

from __future__ import annotations

from compiler.lower import Assembler
from compiler.operations import fields
from compiler.operations.model import Flow, Operation, Reads, Sets, operation
from compiler.syntax.fields import ValueField, Written


@operation(
    aliases=("set",),
    synonyms="Assign Let Var SetVariable Variable Store",
    example='- SetVar: {name: score, value: "{{ (score ?? 0) + 1 }}"}\n- Log: {message: "{{ score }}"}',
)
class SetVar(Operation):
    """Sets a variable of this connection. It lives until the connection's `on_disconnect` has run."""

    name: Written[str] = fields.variable("The variable's name.", aliases=("var",), synonyms="variable key")
    value: ValueField = fields.value("What it is set to.", synonyms="val to expression")

    def flow(self) -> Flow:
        """Reads the value, then sets the variable."""
        return (Reads(self.value), Sets(self.name, value=self.value))

    def lower(self, asm: Assembler) -> None:
        """`value; SET`."""
        asm.value(self.value)
        asm.store(self.name.value)


@operation(synonyms="Note Remark", example="- Comment: {text: why this is so}\n- Log: {message: hi}")
class Comment(Operation):
    """Does nothing: a note that JSON can hold as well. Compiles to nothing."""

    text: Written[str] | None = fields.literal("The note.", required=False, synonyms="message note comment")

    def lower(self, asm: Assembler) -> None:
        """Nothing."""
