"""Sleep, RedisOp, HttpRequest: operations that wait for something outside."""

from __future__ import annotations

from typing import Final

from compiler.bytecode.opcodes import Opcode
from compiler.diagnostics import codes
from compiler.language import effects
from compiler.language.limits import SLEEP_SECONDS
from compiler.language.values import Kind
from compiler.lower import Assembler
from compiler.operations import fields
from compiler.operations.constants import check_kind, number_of
from compiler.operations.lowering import lower_or, written_or
from compiler.operations.model import Flow, Operation, Sets, operation
from compiler.operations.rows import Variant
from compiler.syntax.fields import TextField, ValueField, Written
from compiler.syntax.findings import Findings


@operation(
    synonyms="Wait Delay Pause Timeout SetTimeout",
    example="- Sleep: {duration_ms: 100}\n- Log: {message: later}",
)
class Sleep(Operation):
    """Waits. Only this connection waits; at most 60 seconds in one run of a hook."""

    duration_ms: ValueField = fields.whole(
        "Milliseconds, a whole number.", aliases=("ms",), synonyms="duration milliseconds time seconds timeout"
    )

    def check(self, found: Findings) -> None:
        """A constant is not more than a hook may sleep."""
        duration = number_of(self.duration_ms)
        if duration is not None and duration > SLEEP_SECONDS * 1000:
            message = f"one run of a hook can sleep {SLEEP_SECONDS} seconds at most"
            found.add(codes.HOOK_TIMEOUT, self.duration_ms.span, message)

    def lower(self, asm: Assembler) -> None:
        """`duration; EMIT sleep`."""
        asm.value(self.duration_ms)
        asm.effect(effects.SLEEP)
        asm.emit(Opcode.DROP)


_REDIS_OUTPUT: Final = "redis_result"
_REDIS: Final = {
    "GET": Variant((), ("output_var",), "text or null"),
    "SET": Variant(("value",), ("ttl_seconds", "output_var"), "`OK`"),
    "DEL": Variant((), ("output_var",), "how many keys there were"),
    "EXPIRE": Variant(("ttl_seconds",), ("output_var",), "whether the key exists"),
    "INCR": Variant((), ("output_var",), "the new number"),
    "DECR": Variant((), ("output_var",), "the new number"),
}


@operation(
    synonyms="Redis Cache Valkey",
    variants=("command", _REDIS),
    example='- RedisOp: {command: INCR, key: "visits:{{ route }}", output_var: visits}\n'
    '- WsOp: {command: send, message: "visit {{ visits }}"}',
)
class RedisOp(Operation):
    """Runs one Redis command. `output_var` gets its answer."""

    command: Written[str] = fields.word(
        "The command.", tuple(_REDIS), synonyms="cmd operation op action",
        word_synonyms={"PUT": "SET", "DELETE": "DEL", "REMOVE": "DEL", "TTL": "EXPIRE", "INCREMENT": "INCR",
                       "DECREMENT": "DECR"},
    )  # fmt: skip
    key: TextField = fields.text("The key.", synonyms="name")
    value: ValueField | None = fields.value(
        "What SET stores: text as it is, else JSON.", required=False, synonyms="data body"
    )
    ttl_seconds: ValueField | None = fields.whole(
        "Seconds until the key goes, a whole number.", required=False, synonyms="ttl expire expires seconds"
    )
    output_var: Written[str] | None = fields.variable(
        "The variable that gets the result.", required=False, default=_REDIS_OUTPUT, synonyms="output result_var"
    )

    def flow(self) -> Flow:
        """Reads its fields and sets the result."""
        result = Written(_REDIS_OUTPUT, self.place) if self.output_var is None else self.output_var
        return (*self.reads(), Sets(result, effects.REDIS.reply))

    def lower(self, asm: Assembler) -> None:
        """`command; key; value; ttl; EMIT redis; SET`."""
        asm.constant(self.command.value)
        asm.text(self.key)
        lower_or(asm, self.value, None)
        lower_or(asm, self.ttl_seconds, None)
        asm.effect(effects.REDIS)
        asm.store(written_or(self.output_var, _REDIS_OUTPUT))


_HTTP_OUTPUT: Final = "http_response"
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_DEFAULT_TIMEOUT_MS: Final = 5000


@operation(
    aliases=("http",),
    synonyms="Http Fetch HttpOp Request Curl HttpCall Webhook",
    example='- HttpRequest: {url: "https://api.example.com/rooms/{{ query.room | url_encode }}", output_var: answer}\n'
    '- WsOp: {command: send, message: "{{ answer.status }}"}',
)
class HttpRequest(Operation):
    """Makes one HTTP request, only to hosts that the server's settings allow.

    `output_var` gets `{status, headers, body}`; a JSON body is decoded.
    """

    url: TextField = fields.text("The address.", synonyms="uri address endpoint")
    method: Written[str] | None = fields.word(
        "The method.", _METHODS, required=False, default="GET", synonyms="verb type"
    )
    headers: ValueField | None = fields.value("A mapping of headers.", required=False, synonyms="header")
    body: ValueField | None = fields.value(
        "Text as it is, anything else as JSON.", required=False, synonyms="data json payload"
    )
    timeout_ms: ValueField | None = fields.whole(
        "The most milliseconds it may take, a whole number.",
        required=False,
        default=str(_DEFAULT_TIMEOUT_MS),
        synonyms="timeout",
    )
    output_var: Written[str] | None = fields.variable(
        "The variable that gets the answer.", required=False, default=_HTTP_OUTPUT, synonyms="output result_var"
    )

    def check(self, found: Findings) -> None:
        """Headers are a mapping."""
        check_kind(found, self.headers, "headers", Kind.OBJECT)

    def flow(self) -> Flow:
        """Reads its fields and sets the answer."""
        result = Written(_HTTP_OUTPUT, self.place) if self.output_var is None else self.output_var
        return (*self.reads(), Sets(result, effects.HTTP.reply))

    def lower(self, asm: Assembler) -> None:
        """`method; url; headers; body; timeout; EMIT http; SET`."""
        asm.constant(written_or(self.method, "GET"))
        asm.text(self.url)
        lower_or(asm, self.headers, None)
        lower_or(asm, self.body, None)
        lower_or(asm, self.timeout_ms, _DEFAULT_TIMEOUT_MS)
        asm.effect(effects.HTTP)
        asm.store(written_or(self.output_var, _HTTP_OUTPUT))
