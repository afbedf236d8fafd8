"""SqlOp: one SQL statement, whose data goes through its params."""

from __future__ import annotations

from typing import Final

from compiler.diagnostics import codes
from compiler.diagnostics.source import Span
from compiler.language import effects
from compiler.language.sql import Placeholders, find_placeholders, statement_kind
from compiler.language.values import Kind
from compiler.lower import Assembler
from compiler.operations import fields
from compiler.operations.constants import check_kind
from compiler.operations.lowering import lower_or, written_or
from compiler.operations.model import Flow, Operation, Sets, operation
from compiler.operations.sql_syntax import find_mistake
from compiler.operations.statements import Statement
from compiler.syntax.fields import ListField, ObjectField, ValueField, Written
from compiler.syntax.findings import Findings

DEFAULT_OUTPUT: Final = "sql_result"


@operation(
    aliases=("sql",),
    synonyms="Sql SqlQuery Query Database Db DbQuery",
    example='- SqlOp:\n    query: "SELECT body FROM notes WHERE room = :room"\n    params: {room: lobby}\n'
    '    output_var: notes\n- WsOp: {command: send, message: "{{ notes }}"}',
)
class SqlOp(Operation):
    """Runs one SQL statement. Data goes through `params` only, never into the text.

    A statement that reads gives a list of row objects (`fetch: one`: an object or null), any other
    `{rows_affected, last_insert_id}`.
    """

    query: Statement = fields.statement("The statement, without templates.", synonyms="sql statement")
    params: ValueField | None = fields.value(
        "A mapping for `:name`, a list for `?`.", required=False, aliases=("args",), synonyms="parameters values"
    )
    operation: Written[str] | None = fields.word(
        "Whether it reads rows or changes them.", ("query", "execute"), required=False, default="by the statement",
        word_synonyms={"exec": "execute", "select": "query", "insert": "execute", "update": "execute",
                       "delete": "execute", "fetch": "query"},
    )  # fmt: skip
    fetch: Written[str] | None = fields.word(
        "All rows or one.", ("all", "one"), required=False, default="all", word_synonyms={"first": "one", "many": "all"}
    )
    output_var: Written[str] | None = fields.variable(
        "The variable that gets the result.", required=False, default=DEFAULT_OUTPUT, synonyms="output result_var into"
    )

    def check(self, found: Findings) -> None:
        """No template in the statement; it can be read; placeholders and params agree."""
        if (at := self.query.text.find("{{")) >= 0:
            found.add(
                codes.SQL_INJECTION,
                self._place(found, Span(at, at + 2)),
                "a template inside the SQL text lets a client write SQL; use a named parameter",
                help="write `:name` in the statement and put the value under `params`",
            )
            return
        check_kind(found, self.params, "params", Kind.LIST | Kind.OBJECT)
        if (mistake := find_mistake(self.query.text)) is not None:
            found.add(codes.SQL_SYNTAX, self._place(found, mistake.place), mistake.message)
            return
        placeholders = find_placeholders(self.query.text)
        if isinstance(self.params, ObjectField):
            self._check_names(found, placeholders, self.params)
        elif isinstance(self.params, ListField):
            self._check_count(found, placeholders, self.params)
        elif self.params is None:
            self._check_absent(found, placeholders)

    def _place(self, found: Findings, inside: Span) -> Span:
        return found.locator(self.query.scalar)(inside)

    def _check_absent(self, found: Findings, placeholders: Placeholders) -> None:
        named = [*placeholders.named.items(), *(("?", place) for place in placeholders.positional)]
        if named:
            name, place = named[0]
            message = f"the statement names `{name}`, but there are no `params`"
            help = "write `params: […]`, a value for each `?`" if name == "?" else f"write `params: {{{name[1:]}: …}}`"
            found.add(codes.SQL_PARAMETER, self._place(found, place), message, help=help)

    def _check_count(self, found: Findings, placeholders: Placeholders, given: ListField) -> None:
        if placeholders.named:
            help = f"write a mapping: `params: {{{next(iter(placeholders.named))[1:]}: …}}`"
            message = "`params` is a list, but the statement has named placeholders"
            found.add(codes.SQL_PARAMETER, given.span, message, help=help)
        elif len(given.items) != len(placeholders.positional):
            message = (
                f"the statement has {len(placeholders.positional)} `?`, and `params` has {len(given.items)} elements"
            )
            found.add(codes.SQL_PARAMETER, given.span, message)

    def _check_names(self, found: Findings, placeholders: Placeholders, given: ObjectField) -> None:
        if placeholders.positional:
            message = "`params` is a mapping, but the statement has `?` placeholders"
            found.add(codes.SQL_PARAMETER, given.span, message, help="write a list: `params: […]`")
            return
        keys = {f":{key.value}": key for key, _ in given.entries}
        lacking = [(name, place) for name, place in placeholders.named.items() if name not in keys]
        for name, place in lacking:
            message = f"the statement names `{name}`, but `params` has no `{name[1:]}`"
            found.add(codes.SQL_PARAMETER, self._place(found, place), message)
        idle = [key for name, key in keys.items() if name not in placeholders.named]
        for key in idle[len(lacking) :]:  # each key too many is probably one that is lacking, misspelt
            found.add(codes.SQL_PARAMETER, key.span, f"the statement has no `:{key.value}`")

    def flow(self) -> Flow:
        """Reads the params and sets the result."""
        result = Written(DEFAULT_OUTPUT, self.place) if self.output_var is None else self.output_var
        return (*self.reads(), Sets(result, effects.SQL.reply))

    def lower(self, asm: Assembler) -> None:
        """`query; params; operation; fetch; EMIT sql; SET`."""
        asm.constant(self.query.text)
        lower_or(asm, self.params, None)
        asm.constant(written_or(self.operation, statement_kind(self.query.text)))
        asm.constant(written_or(self.fetch, "all"))
        asm.effect(effects.SQL)
        asm.store(written_or(self.output_var, DEFAULT_OUTPUT))
