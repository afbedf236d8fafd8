"""Sleep, SqlOp, RedisOp, HttpRequest: operations that wait for something outside. And Reject."""

from __future__ import annotations

from typing import Final

from compiler.bytecode.opcodes import Opcode
from compiler.diagnostics import codes
from compiler.diagnostics.source import Span
from compiler.language import effects
from compiler.language.effects import Effect
from compiler.language.values import Kind
from compiler.lower import Assembler
from compiler.operations import fields
from compiler.operations.model import Flow, Leaves, Operation, Sets, Variant, Way, operation
from compiler.operations.sql import Placeholders, find_placeholders, statement_kind
from compiler.syntax.fields import ConstantField, ListField, ObjectField, TextField, ValueField, Written
from compiler.syntax.findings import Findings

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


def _check_whole(found: Findings, field: ValueField | None, name: str) -> None:
    """A constant in a field of milliseconds or seconds must be a whole number that is not negative."""
    if field is None:
        return
    if isinstance(field, (ListField, ObjectField)):
        found.add(codes.WRONG_TYPE, field.span, f"`{name}` must be a whole number")
        return
    if isinstance(field, ConstantField):
        value = field.value
    elif field.template.constant is not None:
        value = field.template.constant
        if not value.isdigit():
            found.add(codes.WRONG_TYPE, field.span, f"`{name}` must be a whole number of at least 0, this is text")
        return
    else:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        found.add(codes.WRONG_TYPE, field.span, f"`{name}` must be a whole number of at least 0")
    elif value < 0:
        found.add(codes.BAD_VALUE, field.span, f"`{name}` must not be negative")


def _store_reply(asm: Assembler, effect: Effect, output: Written[str] | None, default: str) -> None:
    asm.effect(effect)
    asm.store(default if output is None else output.value)


def _optional(asm: Assembler, field: ValueField | TextField | None) -> None:
    if field is None:
        asm.constant(None)
    elif isinstance(field, TextField):
        asm.text(field)
    else:
        asm.value(field)


@operation(
    synonyms=("Wait", "Delay", "Pause", "Timeout"), example="- Sleep: {duration_ms: 100}\n- Log: {message: later}"
)
class Sleep(Operation):
    """Waits. Only this connection waits; at most 60 seconds in one run of a hook."""

    duration_ms: ValueField = fields.value(
        "Milliseconds, a whole number.",
        aliases=("ms",),
        synonyms={"duration": "duration_ms", "milliseconds": "duration_ms", "time": "duration_ms"},
    )

    def check(self, found: Findings) -> None:
        """A constant must be a whole number."""
        _check_whole(found, self.duration_ms, "duration_ms")

    def lower(self, asm: Assembler) -> None:
        """`duration; EMIT sleep`."""
        asm.value(self.duration_ms)
        asm.effect(effects.SLEEP)
        asm.emit(Opcode.DROP)


@operation(
    aliases=("sql",), synonyms=("Sql", "Query", "QueryDb", "Database", "Db", "DbQuery"),
    example="- SqlOp:\n    query: \"SELECT body FROM notes WHERE room = :room\"\n    params: {room: lobby}\n    output_var: notes\n"
    "- WsOp: {command: send, message: \"{{ notes }}\"}",
)  # fmt: skip
class SqlOp(Operation):
    """Runs one SQL statement. Data goes through `params` only, never into the text."""

    query: Written[str] = fields.literal(
        "The statement, without templates.", synonyms={"sql": "query", "statement": "query"}
    )
    params: ValueField | None = fields.value(
        "A mapping for `:name`, a list for `?`.",
        required=False,
        aliases=("args",),
        synonyms={"parameters": "params", "values": "params"},
    )
    operation: Written[str] | None = fields.word(
        "Whether it reads rows or changes them.", ("query", "execute"), required=False, default="by the statement",
        word_synonyms={"exec": "execute", "select": "query", "insert": "execute", "update": "execute", "delete": "execute", "fetch": "query"},
    )  # fmt: skip
    fetch: Written[str] | None = fields.word(
        "All rows or one.", ("all", "one"), required=False, default="all", word_synonyms={"first": "one", "many": "all"}
    )
    output_var: Written[str] | None = fields.variable(
        "The variable that gets the result.", required=False, default="sql_result"
    )

    def check(self, found: Findings) -> None:
        """No template in the statement; placeholders and params agree."""
        if (at := self.query.value.find("{{")) >= 0:
            found.add(
                codes.SQL_INJECTION, self._inside(at), "a template inside the SQL text lets a client write SQL; use a named parameter",
                help="write `:name` in the statement and put the value under `params`",
            )  # fmt: skip
            return
        self._check_params(found, find_placeholders(self.query.value))

    def _inside(self, offset: int) -> Span:
        # A statement that is written without escapes on one line starts behind its quote.
        shift = (self.query.span.end - self.query.span.start - len(self.query.value)) // 2
        start = self.query.span.start + shift + offset
        return Span(start, min(start + 2, self.query.span.end))

    def _check_params(self, found: Findings, placeholders: Placeholders) -> None:
        given = self.params
        if isinstance(given, ObjectField):
            self._check_names(found, placeholders, given)
        elif isinstance(given, ListField):
            if len(given.items) != len(placeholders.positional) or placeholders.named:
                found.add(
                    codes.SQL_PARAMETER, given.span,
                    f"the statement has {len(placeholders.positional)} `?`, and `params` has {len(given.items)} elements",
                )  # fmt: skip
        elif given is None and (placeholders.named or placeholders.positional):
            name, offset = next(iter(placeholders.named.items()), ("?", (placeholders.positional or [0])[0]))
            found.add(
                codes.SQL_PARAMETER, self._inside(offset), f"the statement names `{name}`, but there are no `params`"
            )

    def _check_names(self, found: Findings, placeholders: Placeholders, given: ObjectField) -> None:
        keys = {key.value: key for key, _ in given.entries}
        for name, offset in placeholders.named.items():
            if name.removeprefix(":") not in keys:
                found.add(
                    codes.SQL_PARAMETER,
                    self._inside(offset),
                    f"the statement names `{name}`, but `params` has no `{name[1:]}`",
                )
                return
        for key, written in keys.items():
            if f":{key}" not in placeholders.named:
                found.add(codes.SQL_PARAMETER, written.span, f"the statement has no `:{key}`")

    def flow(self) -> Flow:
        """Reads the params and sets the result."""
        result = Written("sql_result", self.place) if self.output_var is None else self.output_var
        return (*self.reads(), Sets(result, effects.SQL.reply))

    def lower(self, asm: Assembler) -> None:
        """`query; params; operation; fetch; EMIT sql; SET`."""
        asm.constant(self.query.value)
        _optional(asm, self.params)
        asm.constant(statement_kind(self.query.value) if self.operation is None else self.operation.value)
        asm.constant("all" if self.fetch is None else self.fetch.value)
        _store_reply(asm, effects.SQL, self.output_var, "sql_result")


_REDIS: Final = {
    "GET": Variant((), ("output_var",), "text or null"),
    "SET": Variant(("value",), ("ttl_seconds", "output_var"), "`OK`"),
    "DEL": Variant((), ("output_var",), "how many keys there were"),
    "EXPIRE": Variant(("ttl_seconds",), ("output_var",), "whether the key exists"),
    "INCR": Variant((), ("output_var",), "the new number"),
    "DECR": Variant((), ("output_var",), "the new number"),
}


@operation(
    synonyms=("Redis", "Cache", "Valkey"), variants=("command", _REDIS),
    example="- RedisOp: {command: INCR, key: \"visits:{{ route }}\", output_var: visits}\n- WsOp: {command: send, message: \"visit {{ visits }}\"}",
)  # fmt: skip
class RedisOp(Operation):
    """Runs one Redis command."""

    command: Written[str] = fields.word(
        "The command.",
        tuple(_REDIS),
        word_synonyms={
            "PUT": "SET",
            "DELETE": "DEL",
            "REMOVE": "DEL",
            "TTL": "EXPIRE",
            "INCREMENT": "INCR",
            "DECREMENT": "DECR",
        },
    )
    key: TextField = fields.text("The key.", synonyms={"name": "key"})
    value: ValueField | None = fields.value("What SET stores: text as it is, else JSON.", required=False)
    ttl_seconds: ValueField | None = fields.value(
        "Seconds until the key goes.", required=False, synonyms={"ttl": "ttl_seconds", "expire": "ttl_seconds"}
    )
    output_var: Written[str] | None = fields.variable(
        "The variable that gets the result.", required=False, default="redis_result"
    )

    def check(self, found: Findings) -> None:
        """A constant lifetime must be a whole number."""
        _check_whole(found, self.ttl_seconds, "ttl_seconds")

    def flow(self) -> Flow:
        """Reads its fields and sets the result."""
        result = Written("redis_result", self.place) if self.output_var is None else self.output_var
        return (*self.reads(), Sets(result))

    def lower(self, asm: Assembler) -> None:
        """`command; key; value; ttl; EMIT redis; SET`."""
        asm.constant(self.command.value)
        asm.text(self.key)
        _optional(asm, self.value)
        _optional(asm, self.ttl_seconds)
        _store_reply(asm, effects.REDIS, self.output_var, "redis_result")


@operation(
    aliases=("http",), synonyms=("Http", "Fetch", "HttpOp", "Request", "Curl", "HttpCall"),
    example="- HttpRequest: {url: \"https://api.example.com/rooms/{{ query.room | url_encode }}\", output_var: answer}\n"
    "- WsOp: {command: send, message: \"{{ answer.status }}\"}",
)  # fmt: skip
class HttpRequest(Operation):
    """Makes one HTTP request, only to hosts that the server's settings allow."""

    url: TextField = fields.text("The address.", synonyms={"uri": "url", "address": "url"})
    method: Written[str] | None = fields.word("The method.", METHODS, required=False, default="GET")
    headers: ValueField | None = fields.value("A mapping of headers.", required=False)
    body: ValueField | None = fields.value(
        "Text as it is, anything else as JSON.", required=False, synonyms={"data": "body", "json": "body"}
    )
    timeout_ms: ValueField | None = fields.value(
        "The most milliseconds it may take.", required=False, default="5000", synonyms={"timeout": "timeout_ms"}
    )
    output_var: Written[str] | None = fields.variable(
        "The variable that gets the answer.", required=False, default="http_response"
    )

    def check(self, found: Findings) -> None:
        """A constant time limit must be a whole number."""
        _check_whole(found, self.timeout_ms, "timeout_ms")

    def flow(self) -> Flow:
        """Reads its fields and sets the answer."""
        result = Written("http_response", self.place) if self.output_var is None else self.output_var
        return (*self.reads(), Sets(result, Kind.OBJECT))

    def lower(self, asm: Assembler) -> None:
        """`method; url; headers; body; timeout; EMIT http; SET`."""
        asm.constant("GET" if self.method is None else self.method.value)
        asm.text(self.url)
        _optional(asm, self.headers)
        _optional(asm, self.body)
        if self.timeout_ms is None:
            asm.constant(5000)
        else:
            asm.value(self.timeout_ms)
        _store_reply(asm, effects.HTTP, self.output_var, "http_response")


@operation(
    hooks=("on_auth",), synonyms=("Deny", "Refuse", "Forbid"),
    example="- If: {condition: \"{{ query.token == null }}\", then: [{Reject: {status: 401, reason: no token}}]}",
)  # fmt: skip
class Reject(Operation):
    """Refuses the handshake. Only in `on_auth`."""

    status: Written[int] | None = fields.integer(
        "The HTTP status.", default="403", minimum=400, maximum=499, synonyms={"code": "status"}
    )
    reason: TextField | None = fields.text("The text of the answer.", required=False, synonyms={"message": "reason"})

    def flow(self) -> Flow:
        """Reads its fields. The handshake is refused and the hook is over."""
        return (*self.reads(), Leaves(Way.HOOK))

    def lower(self, asm: Assembler) -> None:
        """`status; reason; EMIT reject; RETURN`."""
        asm.constant(403 if self.status is None else self.status.value)
        if self.reason is None:
            asm.constant("")
        else:
            asm.text(self.reason)
        asm.effect(effects.REJECT)
        asm.emit(Opcode.RETURN)
