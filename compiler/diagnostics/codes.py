"""THE table of diagnostic codes.

Families: W1xx reading, W2xx shape, W3xx expression syntax, W4xx names, kinds and flow, W5xx channels
and routes together, W6xx faults (while running, or found early because they cannot be avoided),
W7xx program files. A number that was ever released is never used again.

`bad` and `good` are run by the tests: `bad` yields exactly its code, `good` yields nothing of
warning level or above. Text that starts with `name:` is a route file; an expression example of the
form `{{ … }}` and a list of operations stand in the `on_message` hook of a small route.
"""

from __future__ import annotations

from enum import Enum

from compiler.records import dataclass


class Severity(Enum):
    """How much a finding weighs. Errors stop compilation."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of mistake. Every field must be written."""

    number: int
    name: str
    severity: Severity
    title: str
    why: str
    bad: str
    good: str

    @property
    def label(self) -> str:
        """The code as people cite it: `W401`."""
        return f"W{self.number}"

    @property
    def fault_name(self) -> str:
        """The name as `error.code` shows it in a catch block: `division_by_zero`."""
        return self.name.replace("-", "_")


CODES: dict[str, Code] = {}
"""All codes by name, in the order of their numbers."""


def _code(number: int, name: str, severity: Severity, title: str, why: str, bad: str, good: str) -> Code:
    if name in CODES or any(code.number == number for code in CODES.values()):
        raise ValueError(f"code {name} (W{number}) is declared twice")
    CODES[name] = Code(number, name, severity, title, why, bad.strip("\n"), good.strip("\n"))
    return CODES[name]


def find_code(text: str) -> Code | None:
    """The code with this name or number (`unknown-variable`, `W401`), if there is one."""
    if (code := CODES.get(text.lower().replace("_", "-"))) is not None:
        return code
    return next((code for code in CODES.values() if code.label == text.upper()), None)


_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

# W1xx: reading the file.

ENCODING = _code(
    101,
    "encoding",
    _ERROR,
    "The file is not UTF-8 text",
    "Route files are UTF-8. Bytes of another encoding and control characters cannot be shown, so they are refused.",
    'name: "a\x00b"',
    "name: Echo\npath: /ws/echo\nroute_type: WebSocket\nws_hooks:\n  on_message:\n    - WsOp: {command: send, message: hi}",
)
YAML_SYNTAX = _code(
    102,
    "yaml-syntax",
    _ERROR,
    "The file is not valid YAML",
    "The YAML reader could not go on from here. Most often a quote or bracket is open, a line is indented "
    "differently from its neighbours, or an unquoted value holds `: `.",
    "- Log:\n    message: user: {{ message }}",
    '- Log:\n    message: "user: {{ message }}"',
)
JSON_SYNTAX = _code(
    103,
    "json-syntax",
    _ERROR,
    "The file is not valid JSON",
    "JSON has no comments, no single quotes, no comma at the end of a list and no NaN.",
    "{'name': 'A'}",
    '{"name": "A", "path": "/ws/a", "route_type": "WebSocket", '
    '"ws_hooks": {"on_message": [{"WsOp": {"command": "send", "message": "hi"}}]}}',
)
LIMIT = _code(
    104,
    "limit",
    _ERROR,
    "Something is larger or nested deeper than allowed",
    "Every limit exists so that no file can make the compiler or the server hang or crash.",
    "{{ " + "(" * 201 + "1" + ")" * 201 + " }}",
    "{{ ((1)) }}",
)
DUPLICATE_KEY = _code(
    105,
    "duplicate-key",
    _ERROR,
    "A key is given twice",
    "In YAML the second of two equal keys silently replaces the first, and what stood there is lost.",
    "- Log:\n    message: a\n    message: b",
    "- Log:\n    message: a\n- Log:\n    message: b",
)
UNKNOWN_TAG = _code(
    106,
    "unknown-tag",
    _ERROR,
    "YAML tags are not operations",
    "An operation is a mapping with one key, its name. `!WsOp` is a YAML tag and would be lost in JSON.",
    "- !Log\n  message: a",
    "- Log:\n    message: a",
)
MERGE_KEY = _code(
    107,
    "merge-key",
    _ERROR,
    "Merge keys are not supported",
    "`<<` copies keys where nobody sees them and can grow a small file without bound. Anchors and aliases work.",
    "- Log: {<<: {message: a}}",
    "- Log: {message: a}",
)
RECURSIVE_ALIAS = _code(
    108,
    "recursive-alias",
    _ERROR,
    "An anchor contains itself",
    "Replacing the alias by what it stands for would never end.",
    "- Try: &self\n    operations: [{Try: *self}]\n    catch: []",
    "- Log: {message: &text hello}\n- Log: {message: *text}",
)
NO_ROUTE = _code(
    109,
    "no-route",
    _ERROR,
    "The file holds no route",
    "A file that is named by itself is a route file, and this one is empty.",
    "# nothing but a comment",
    "name: Echo\npath: /ws/echo\nroute_type: WebSocket\nws_hooks:\n  on_message:\n    - WsOp: {command: send, message: hi}",
)

# W2xx: shape.

WRONG_TYPE = _code(
    201,
    "wrong-type",
    _ERROR,
    "A value has the wrong type",
    "The key takes text, a number, true or false, a list or a mapping, and something else stands there. "
    "A number or boolean that is meant as text needs quotes.",
    "- WsOp: {command: send, message: 5}",
    '- WsOp: {command: send, message: "5"}',
)
MISSING_KEY = _code(
    202,
    "missing-key",
    _ERROR,
    "A required key is missing",
    "The route or operation cannot work without it.",
    "- WsOp: {command: send}",
    "- WsOp: {command: send, message: hi}",
)
UNKNOWN_KEY = _code(
    203,
    "unknown-key",
    _ERROR,
    "A key is not known here",
    "A key that nobody reads would be ignored in silence: a misspelt `channel` would send to everybody. "
    "In a route, keys that start with `x-` are yours.",
    "- WsOp: {command: broadcast, message: hi, chanel: room}",
    "- WsOp: {command: broadcast, message: hi, channel: room}",
)
BAD_VALUE = _code(
    204,
    "bad-value",
    _ERROR,
    "A value is not one of those allowed",
    "The key takes one of a few words, or a number within bounds.",
    "- Log: {message: hi, level: warning}",
    "- Log: {message: hi, level: warn}",
)
BAD_PATH = _code(
    205,
    "bad-path",
    _ERROR,
    "The path is not well formed",
    "A path starts with `/`; each segment is plain text or one `:name` parameter. Query keys need no declaration.",
    "name: A\npath: /ws/chat?room=1\nroute_type: WebSocket\nws_hooks:\n  on_message:\n    - WsOp: {command: send, message: hi}",
    "name: A\npath: /ws/chat/:room\nroute_type: WebSocket\nws_hooks:\n  on_message:\n    - WsOp: {command: send, message: hi}",
)
UNKNOWN_OPERATION = _code(
    206,
    "unknown-operation",
    _ERROR,
    "No operation has this name",
    "An unknown operation would do nothing, and nobody would know.",
    "- WsOpp: {command: send, message: hi}",
    "- WsOp: {command: send, message: hi}",
)
NOT_AN_OPERATION = _code(
    207,
    "not-an-operation",
    _ERROR,
    "This list item is not an operation",
    "One operation is one list item: a mapping with exactly one key, the operation's name, over its fields.",
    "- total: 5",
    '- SetVar: {name: total, value: 5}\n- Log: {message: "{{ total }}"}',
)
TWO_OPERATIONS = _code(
    208,
    "two-operations",
    _ERROR,
    "Two operations stand in one list item",
    "A list item is one operation. The second one needs its own `- `, or its fields are indented too little.",
    "- Log:\n    message: a\n  WsOp:\n    command: send\n    message: b",
    "- Log:\n    message: a\n- WsOp:\n    command: send\n    message: b",
)
MISPLACED_OPERATION = _code(
    209,
    "misplaced-operation",
    _ERROR,
    "The operation cannot stand here",
    "`Break` and `Continue` belong in a loop, `Reject` in `on_auth`, and `on_auth` has no connection to send to.",
    "- Break: {}",
    "- Loop:\n    collection: [1, 2]\n    body:\n      - Break: {}",
)
EMPTY_BLOCK = _code(
    210,
    "empty-block",
    _WARNING,
    "A list of operations is empty",
    "Nothing would happen there. Leave the key out, or write what is missing.",
    "- If: {condition: \"{{ message == 'a' }}\", then: []}",
    "- If: {condition: \"{{ message == 'a' }}\", then: [{Log: {message: a}}]}",
)
USELESS_KEY = _code(
    211,
    "useless-key",
    _WARNING,
    "A key has no effect here",
    "The operation does not use this key with these other keys, so it probably says something else than meant.",
    "- WsOp: {command: send, message: hi, channel: room}",
    "- WsOp: {command: broadcast, message: hi, channel: room}",
)
DUPLICATE_FIELD = _code(
    212,
    "duplicate-field",
    _ERROR,
    "A field is given under two of its names",
    "The names mean the same field, and only one value can count.",
    "- SetVar: {name: a, var: b, value: 1}",
    '- SetVar: {name: a, value: 1}\n- Log: {message: "{{ a }}"}',
)
SQL_INJECTION = _code(
    213,
    "sql-injection",
    _ERROR,
    "A template stands inside SQL text",
    "Text of a client would become part of the statement. Data goes through `params` only.",
    "- SqlOp: {query: \"SELECT * FROM users WHERE name = '{{ message }}'\"}",
    '- SqlOp: {query: "SELECT * FROM users WHERE name = :name", params: {name: "{{ message }}"}}',
)
SQL_PARAMETER = _code(
    214,
    "sql-parameter",
    _ERROR,
    "The statement and its params do not agree",
    "Each `:name` of the statement needs a key in `params`, each `?` an element, and none may be left over.",
    '- SqlOp: {query: "DELETE FROM users WHERE id = :id", params: {user: 1}}',
    '- SqlOp: {query: "DELETE FROM users WHERE id = :id", params: {id: 1}}',
)
NULL_HOOK = _code(
    215,
    "null-hook",
    _WARNING,
    "A hook has no operations",
    "The key is there, but nothing stands under it; often the list below is indented too little.",
    "name: A\npath: /ws/a\nroute_type: WebSocket\nws_hooks:\n  on_connect:\n  on_message:\n    - WsOp: {command: send, message: hi}",
    "name: A\npath: /ws/a\nroute_type: WebSocket\nws_hooks:\n  on_message:\n    - WsOp: {command: send, message: hi}",
)
NOTHING_SENT = _code(
    216,
    "nothing-sent",
    _WARNING,
    "What is sent here reaches nobody",
    "After a connection is closed, and before it is accepted, its client receives nothing. "
    "`broadcast` and `to` still reach others.",
    "name: A\npath: /ws/a\nroute_type: WebSocket\nws_hooks:\n  on_disconnect:\n    - Return: {value: bye}",
    "name: A\npath: /ws/a\nroute_type: WebSocket\nws_hooks:\n  on_disconnect:\n    - Log: {message: bye}",
)
SQL_SYNTAX = _code(
    217,
    "sql-syntax",
    _ERROR,
    "The text is no SQL statement",
    "Neither SQLite nor PostgreSQL would run it. One SqlOp runs one statement, which commits by itself.",
    '- SqlOp: {query: "SELECT * FORM users"}',
    '- SqlOp: {query: "SELECT * FROM users"}',
)

# W3xx: the syntax of templates and expressions.

BAD_EXPRESSION = _code(
    301,
    "bad-expression",
    _ERROR,
    "The expression cannot be read",
    "Something is missing or stands where nothing of its kind can stand.",
    "{{ 1 + }}",
    "{{ 1 + 1 }}",
)
UNCLOSED_TEMPLATE = _code(
    302,
    "unclosed-template",
    _ERROR,
    "A `{{` is never closed",
    "A template ends at `}}`. Quotes and braces inside it must be closed as well. Literal braces: `{{ '{{' }}`.",
    '- Log: {message: "Echo: {{ message }"}',
    '- Log: {message: "Echo: {{ message }}"}',
)
EMPTY_TEMPLATE = _code(
    303,
    "empty-template",
    _ERROR,
    "Nothing stands between the braces",
    "A template holds one expression.",
    '- Log: {message: "Echo: {{ }}"}',
    '- Log: {message: "Echo: {{ message }}"}',
)
UNKNOWN_OPERATOR = _code(
    304,
    "unknown-operator",
    _ERROR,
    "This is not an operator of the language",
    "The operators are `+ - * / % **`, `== != < <= > >=`, `&& || !`, `??`, `? :` and the filter pipe `|`.",
    "{{ message === 'a' }}",
    "{{ message == 'a' }}",
)
UNCLOSED_TEXT = _code(
    305,
    "unclosed-text",
    _ERROR,
    "A text literal is never closed",
    "A text ends at the same quote that opened it; a quote inside is written `\\'` or `\\\"`.",
    "{{ message == 'score }}",
    "{{ message == 'score' }}",
)
SUSPICIOUS_TEXT = _code(
    306,
    "suspicious-text",
    _WARNING,
    "This is plain text, though it looks like a template",
    "Only what stands between `{{` and `}}` is computed.",
    '- WsOp: {command: send, message: "Echo: ${message}"}',
    '- WsOp: {command: send, message: "Echo: {{ message }}"}',
)
REPEATED_KEY = _code(
    307,
    "repeated-key",
    _WARNING,
    "An object names a key twice",
    "The last one counts.",
    "{{ {a: 1, a: 2} }}",
    "{{ {a: 1, b: 2} }}",
)
PRECEDENCE = _code(
    308,
    "precedence",
    _WARNING,
    "This binds differently than it looks",
    "A filter takes everything to its left down to a comparison, `!` takes only the operand beside it, "
    "and `x == a || b` does not compare with `b`.",
    "{{ !message | contains('x') }}",
    "{{ !(message | contains('x')) }}",
)

# W4xx: names, kinds and flow.

UNKNOWN_VARIABLE = _code(
    401,
    "unknown-variable",
    _ERROR,
    "No operation sets this variable",
    "A variable exists where the hook provides it (`message`, `params`, …) or where an operation sets it.",
    "{{ mesage }}",
    "{{ message }}",
)
UNKNOWN_FUNCTION = _code(
    402,
    "unknown-function",
    _ERROR,
    "No function or filter has this name",
    "`worpen explain` and the reference list them all.",
    "{{ message | uper }}",
    "{{ message | upper }}",
)
ARGUMENT_COUNT = _code(
    403,
    "argument-count",
    _ERROR,
    "Wrong number of arguments",
    "The piped value counts as the first argument of a filter.",
    "{{ message | replace('a') }}",
    "{{ message | replace('a', 'b') }}",
)
WRONG_KIND = _code(
    404,
    "wrong-kind",
    _ERROR,
    "An operand has a kind that never works here",
    "The compiler knows the kind of this value, and the operation would fail each time.",
    "{{ message.type }}",
    "{{ (message | json_parse).type }}",
)
MAYBE_UNSET = _code(
    405,
    "maybe-unset",
    _WARNING,
    "The variable may not be set yet",
    "It is set on some paths only, or only by an earlier run of the hook. Reading it then is an error.",
    '- If: {condition: "{{ message == \'a\' }}", then: [{SetVar: {name: mode, value: 1}}]}\n- Log: {message: "{{ mode }}"}',
    "- SetVar: {name: mode, value: 0}\n- If: {condition: \"{{ message == 'a' }}\", then: [{SetVar: {name: mode, value: 1}}]}\n"
    '- Log: {message: "{{ mode }}"}',
)
RESERVED_NAME = _code(
    406,
    "reserved-name",
    _ERROR,
    "This name cannot be set",
    "It belongs to the server (`params`, `connection_id`, …), to the language (`true`, `and`, …), or to loops and catch blocks.",
    "- SetVar: {name: params, value: 1}",
    '- SetVar: {name: settings, value: 1}\n- Log: {message: "{{ settings }}"}',
)
UNREACHABLE = _code(
    407,
    "unreachable",
    _WARNING,
    "This operation can never run",
    "An operation above it always leaves.",
    "- Return: {value: a}\n- Log: {message: b}",
    "- Log: {message: b}\n- Return: {value: a}",
)
CONSTANT_CONDITION = _code(
    408,
    "constant-condition",
    _WARNING,
    "The condition is always the same",
    "One of the branches can never be taken, or the loop never ends by its condition.",
    '- If: {condition: "{{ 1 > 2 }}", then: [{Log: {message: a}}]}',
    "- If: {condition: \"{{ message == 'a' }}\", then: [{Log: {message: a}}]}",
)
UNKNOWN_PARAMETER = _code(
    409,
    "unknown-parameter",
    _ERROR,
    "The path has no such parameter",
    "`params` holds exactly the `:name` segments of the route's path. Values after `?` are in `query`.",
    "{{ params.room }}",
    "{{ query.room }}",
)
WRONG_HOOK = _code(
    410,
    "wrong-hook",
    _ERROR,
    "The variable does not exist in this hook",
    "Each hook sees what it is about: a message only in `on_message`, a close code only in `on_disconnect`.",
    'name: A\npath: /ws/a\nroute_type: WebSocket\nws_hooks:\n  on_disconnect:\n    - Log: {message: "{{ message }}"}',
    'name: A\npath: /ws/a\nroute_type: WebSocket\nws_hooks:\n  on_disconnect:\n    - Log: {message: "{{ close_code }}"}',
)
SET_TOO_LATE = _code(
    411,
    "set-too-late",
    _ERROR,
    "The variable is set only later",
    "The only operations that set it run after this one: further down in a hook that runs once, or in a hook that runs afterwards.",
    'name: A\npath: /ws/a\nroute_type: WebSocket\nws_hooks:\n  on_connect:\n    - Log: {message: "{{ n }}"}\n    - SetVar: {name: n, value: 1}',
    'name: A\npath: /ws/a\nroute_type: WebSocket\nws_hooks:\n  on_connect:\n    - SetVar: {name: n, value: 1}\n    - Log: {message: "{{ n }}"}',
)
UNUSED_VARIABLE = _code(
    412,
    "unused-variable",
    _INFO,
    "The variable is never read",
    "It is set, but no expression of the route reads it.",
    "- SetVar: {name: total, value: 1}",
    '- SetVar: {name: total, value: 1}\n- Log: {message: "{{ total }}"}',
)
ENDLESS_LOOP = _code(
    413,
    "endless-loop",
    _WARNING,
    "The loop cannot end by its condition",
    "Nothing in the body changes what the condition reads, and nothing leaves the loop; it will stop with `loop_limit`.",
    '- SetVar: {name: n, value: 1}\n- While: {condition: "{{ n < 5 }}", body: [{Log: {message: again}}]}',
    '- SetVar: {name: n, value: 1}\n- While: {condition: "{{ n < 5 }}", body: [{SetVar: {name: n, value: "{{ n + 1 }}"}}]}',
)
BAD_PATTERN = _code(
    414,
    "bad-pattern",
    _ERROR,
    "The regular expression cannot be read",
    "`matches` takes RE2 syntax, which always runs in linear time: no back-references, no look-around.",
    "{{ message | matches('(a') }}",
    "{{ message | matches('(a)') }}",
)
NOT_A_LITERAL = _code(
    415,
    "not-a-literal",
    _ERROR,
    "This argument must be a text literal",
    "Patterns, inner expressions and names of the environment are checked before the server starts, so they cannot be computed.",
    "{{ 'abc' | matches(message) }}",
    "{{ message | matches('abc') }}",
)
FORBIDDEN_ENVIRONMENT = _code(
    416,
    "forbidden-environment",
    _ERROR,
    "This environment variable is not allowed",
    "`env` reads only the names listed under `env.allow` in worpen.toml, so that a route cannot show secrets.",
    "{{ env('HOME') }}",
    "{{ query.home }}",
)
USER_WITHOUT_AUTH = _code(
    417,
    "user-without-auth",
    _WARNING,
    "`user` is always null without `auth`",
    "The claims of a verified token are in `user`; a route without `auth` verifies none.",
    "{{ user.id }}",
    "{{ query.user_id }}",
)
MAY_RENDER_NULL = _code(
    418,
    "may-render-null",
    _INFO,
    "The text may say `null`",
    "A query key or header that the client did not send is null, and null is written `null`.",
    '- WsOp: {command: send, message: "Hi {{ query.name }}"}',
    "- WsOp: {command: send, message: \"Hi {{ query.name ?? 'you' }}\"}",
)
UNUSED_SUPPRESSION = _code(
    419,
    "unused-suppression",
    _WARNING,
    "Nothing is suppressed here",
    "The comment asks to ignore a finding that is not there any more.",
    "- Log: {message: hi} # worpen: ignore[unknown-variable] old",
    "- Log: {message: hi}",
)
LITERAL_SECRET = _code(
    420,
    "literal-secret",
    _WARNING,
    "A secret is written in the route",
    "Route files are shared and committed. Read secrets with `env`, or name the variable in `secret_env`.",
    "{{ message | hmac_sha256('sk_live_4f9a8b7c6d5e4f3a2b1c') }}",
    "{{ message | hmac_sha256(query.salt ?? '') }}",
)
UNSET_DEFAULT = _code(
    421,
    "never-set",
    _WARNING,
    "The variable is never set, only its default counts",
    "Nothing sets this variable, so `??` or `default` always gives the other value.",
    "{{ nickname ?? 'you' }}",
    "{{ query.nickname ?? 'you' }}",
)
LOST_EXPRESSION = _code(
    422,
    "template-in-text",
    _WARNING,
    "Braces inside a text literal are text",
    "Inside quotes `{{ }}` is not computed.",
    "- If: {condition: \"message == '{{ query.word }}'\", then: [{Log: {message: a}}]}",
    '- If: {condition: "message == query.word", then: [{Log: {message: a}}]}',
)

# W5xx: channels, and routes against each other.

DUPLICATE_ROUTE = _code(
    501,
    "duplicate-route",
    _ERROR,
    "Two routes answer the same address",
    "The server could not tell which of them a client means. A route is also served under the prefix `/api`.",
    "name: A\npath: /ws/:a\nroute_type: WebSocket\nws_hooks: {on_message: [{WsOp: {command: send, message: hi}}]}\n---\n"
    "name: B\npath: /ws/:b\nroute_type: WebSocket\nws_hooks: {on_message: [{WsOp: {command: send, message: hi}}]}",
    "name: A\npath: /ws/a\nroute_type: WebSocket\nws_hooks: {on_message: [{WsOp: {command: send, message: hi}}]}\n---\n"
    "name: B\npath: /ws/b\nroute_type: WebSocket\nws_hooks: {on_message: [{WsOp: {command: send, message: hi}}]}",
)
DUPLICATE_NAME = _code(
    502,
    "duplicate-name",
    _WARNING,
    "Two routes have the same name",
    "Logs, metrics and the board tell routes apart by their names.",
    "name: A\npath: /ws/a\nroute_type: WebSocket\nws_hooks: {on_message: [{WsOp: {command: send, message: hi}}]}\n---\n"
    "name: A\npath: /ws/b\nroute_type: WebSocket\nws_hooks: {on_message: [{WsOp: {command: send, message: hi}}]}",
    "name: A\npath: /ws/a\nroute_type: WebSocket\nws_hooks: {on_message: [{WsOp: {command: send, message: hi}}]}\n---\n"
    "name: B\npath: /ws/b\nroute_type: WebSocket\nws_hooks: {on_message: [{WsOp: {command: send, message: hi}}]}",
)
EMPTY_AUDIENCE = _code(
    503,
    "empty-audience",
    _WARNING,
    "No connection can be in this channel",
    "With explicit membership only `subscribe` joins a channel, and no route that is checked here subscribes to this one.",
    "name: A\npath: /ws/a\nroute_type: WebSocket\nsubscribe: [news]\nws_hooks:\n  on_message:\n"
    "    - WsOp: {command: broadcast, message: hi, channel: sport}",
    "name: A\npath: /ws/a\nroute_type: WebSocket\nsubscribe: [news]\nws_hooks:\n  on_message:\n"
    "    - WsOp: {command: broadcast, message: hi, channel: news}",
)
NULLABLE_CHANNEL = _code(
    504,
    "nullable-channel",
    _INFO,
    "The channel may be null or empty",
    "A query key that the client did not send is null, and a null or empty channel is the error `empty_channel`.",
    '- WsOp: {command: broadcast, message: hi, channel: "{{ query.room }}"}',
    "- WsOp: {command: broadcast, message: hi, channel: \"{{ query.room || 'lobby' }}\"}",
)
CLAIMED_SUBSCRIPTION = _code(
    505,
    "claimed-subscription",
    _INFO,
    "The reply claims a subscription that no operation makes",
    "The text says so, but only `WsOp` with `command: subscribe` or a broadcast joins a channel.",
    '- SetVar: {name: channel, value: "{{ message }}"}\n- WsOp: {command: send, message: "Subscribed to {{ channel }}"}',
    '- WsOp: {command: subscribe, channel: "{{ message }}"}\n- WsOp: {command: send, message: "Subscribed to {{ message }}"}',
)

# W6xx: faults. In a catch block `error.code` is the name with `_` for `-`.

TYPE_ERROR = _code(
    601,
    "type-error",
    _ERROR,
    "An operation met a value of the wrong type",
    "Arithmetic takes numbers and numeric texts, ordering two values of one kind, a function the kinds it names.",
    "{{ 'hello' * 5 }}",
    "{{ 'hello' | repeat(5) }}",
)
DIVISION_BY_ZERO = _code(
    602,
    "division-by-zero",
    _ERROR,
    "Division or remainder by zero",
    "The result would be infinite or undefined, and neither is a value of the language.",
    "{{ 10 / 0 }}",
    "{{ 10 / 2 }}",
)
UNDEFINED_VARIABLE = _code(
    603,
    "undefined-variable",
    _ERROR,
    "A variable was read before it was set",
    "`??` or `default` gives a value for that case.",
    '- Try:\n    operations: [{SetVar: {name: n, value: "{{ (message | json_parse).n }}"}}]\n    catch: []\n- Log: {message: "{{ n }}"}',
    '- Try:\n    operations: [{SetVar: {name: n, value: "{{ (message | json_parse).n }}"}}]\n    catch: []\n- Log: {message: "{{ n ?? 0 }}"}',
)
NUMBER_RANGE = _code(
    604,
    "number-range",
    _ERROR,
    "A number is too large",
    "Numbers are IEEE doubles; infinity and NaN are not values of the language.",
    "{{ 9 ** 9 ** 9 }}",
    "{{ 9 ** 9 }}",
)
TOO_LARGE = _code(
    605,
    "too-large",
    _ERROR,
    "A text or list would be too large",
    "Texts and lists have at most 1 MiB and 100 000 items.",
    "{{ 'x' | repeat(10000000) }}",
    "{{ 'x' | repeat(10) }}",
)
BAD_ARGUMENT = _code(
    606,
    "bad-argument",
    _ERROR,
    "A function cannot work with this argument",
    "The argument is of the right kind, but outside of what the function can do.",
    "{{ 'abc' | substring(-1) }}",
    "{{ 'abc' | slice(-1) }}",
)
LOOP_LIMIT = _code(
    607,
    "loop-limit",
    _ERROR,
    "A While loop ran out of rounds",
    "Its condition was still true after `max_iterations` rounds.",
    '- SetVar: {name: n, value: 0}\n- While: {condition: "{{ n >= 0 }}", max_iterations: 3, body: [{SetVar: {name: n, value: "{{ n + 1 }}"}}]}',
    '- SetVar: {name: n, value: 0}\n- While: {condition: "{{ n < 3 }}", body: [{SetVar: {name: n, value: "{{ n + 1 }}"}}]}',
)
OUT_OF_FUEL = _code(
    608,
    "out-of-fuel",
    _ERROR,
    "A hook ran too many rounds",
    "One run of a hook has fuel for 100 000 rounds of its loops and inner expressions. No catch block stops this.",
    '- Loop: {collection: "{{ range(0, 1000) }}", body: [{Loop: {collection: "{{ range(0, 1000) }}", body: [{Comment: {text: round}}]}}]}',
    '- Loop: {collection: "{{ range(0, 10) }}", body: [{Comment: {text: round}}]}',
)
HOOK_TIMEOUT = _code(
    609,
    "hook-timeout",
    _ERROR,
    "A hook ran too long",
    "One run of a hook has 10 seconds, Sleep not counted, and at most 60 seconds of Sleep.",
    "- Sleep: {ms: 60001}",
    "- Sleep: {ms: 10}",
)
EMPTY_CHANNEL = _code(
    610,
    "empty-channel",
    _ERROR,
    "The channel has no name",
    "Null, empty and blank are no channel names; a message must never go to everybody by accident.",
    '- WsOp: {command: broadcast, message: hi, channel: "  "}',
    "- WsOp: {command: broadcast, message: hi, channel: room}",
)
THROWN = _code(
    611,
    "thrown",
    _ERROR,
    "A Throw operation ended the hook",
    "No catch block stands around it.",
    "- Throw: {message: no}",
    '- Try:\n    operations: [{Throw: {message: no}}]\n    catch: [{Log: {message: "{{ error }}"}}]',
)
SEND_REFUSED = _code(
    612,
    "send-refused",
    _ERROR,
    "A frame could not be made",
    "The text or data is larger than a message may be, or `binary` data is not base64.",
    '- WsOp: {command: send, message: "{{ message }}!", binary: true}',
    '- WsOp: {command: send, message: "aGk=", binary: true}',
)
CHANNEL_LIMIT = _code(
    613,
    "channel-limit",
    _ERROR,
    "A connection is in too many channels",
    "One connection can be in 128 channels.",
    '- Loop: {collection: "{{ range(0, 200) }}", body: [{WsOp: {command: subscribe, channel: "c{{ item }}"}}]}',
    "- WsOp: {command: subscribe, channel: room}",
)
CALL_LIMIT = _code(
    614,
    "call-limit",
    _ERROR,
    "A hook asked for too much outside",
    "One run of a hook can make 64 calls to databases, Redis and HTTP together, 16 of them SQL.",
    '- Loop: {collection: "{{ range(0, 100) }}", body: [{RedisOp: {command: INCR, key: "n{{ item }}"}}]}',
    '- RedisOp: {command: INCR, key: n}',
)
SQL_ERROR = _code(
    615,
    "sql-error",
    _ERROR,
    "The database refused the statement",
    "The message is the database's own: no such table, a broken constraint, a value of the wrong type, a parameter that cannot be stored.",
    '- SqlOp: {query: "SELECT * FROM no_such_table"}',
    '- SqlOp: {query: "SELECT 1 AS one"}',
)
SQL_TIMEOUT = _code(
    616,
    "sql-timeout",
    _ERROR,
    "A statement took too long",
    "A statement has 2 seconds. Then it is stopped and undone; the connection can ask again.",
    '- SqlOp:\n    query: WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS last FROM n',
    '- SqlOp: {query: "SELECT 1 AS one"}',
)
SQL_UNAVAILABLE = _code(
    617,
    "sql-unavailable",
    _ERROR,
    "The database cannot be reached or cannot work",
    "It is down, refuses the login, is locked by somebody else, its disk is full, or all connections are in use.",
    '- SqlOp: {query: "SELECT * FROM users"}',
    '- Try:\n    operations: [{SqlOp: {query: "SELECT * FROM users"}}]\n    catch: [{Log: {message: "{{ error.message }}"}}]',
)
SQL_TOO_MANY_ROWS = _code(
    618,
    "sql-too-many-rows",
    _ERROR,
    "A statement gives too many rows",
    "One statement can give 1000 rows. Write a `LIMIT`.",
    '- SqlOp:\n    query: WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT i FROM n',
    '- SqlOp:\n    query: WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT i FROM n LIMIT 100',
)
REDIS_ERROR = _code(
    619,
    "redis-error",
    _ERROR,
    "Redis refused the command",
    "The key holds another type of value, or what is to be counted is no number.",
    '- RedisOp: {command: SET, key: n, value: many}\n- RedisOp: {command: INCR, key: n}',
    '- RedisOp: {command: SET, key: n, value: "1"}\n- RedisOp: {command: INCR, key: n}',
)
REDIS_TIMEOUT = _code(
    620,
    "redis-timeout",
    _ERROR,
    "Redis did not answer in time",
    "A command has half a second; it is not tried again, so whether it was done is not known.",
    '- RedisOp: {command: GET, key: a}',
    '- Try:\n    operations: [{RedisOp: {command: GET, key: a}}]\n    catch: [{Log: {message: "{{ error.message }}"}}]',
)
REDIS_UNAVAILABLE = _code(
    621,
    "redis-unavailable",
    _ERROR,
    "Redis cannot be reached",
    "It is down, refuses the login, or no address of one is set.",
    '- RedisOp: {command: GET, key: a}',
    '- Try:\n    operations: [{RedisOp: {command: GET, key: a}}]\n    catch: [{Log: {message: "{{ error.message }}"}}]',
)
HTTP_ERROR = _code(
    622,
    "http-error",
    _ERROR,
    "An HTTP request failed",
    "The host cannot be reached, broke the connection, did not speak HTTP, or answered more than 1 MiB.",
    '- HttpRequest: {url: "https://api.example.com/"}',
    '- Try:\n    operations: [{HttpRequest: {url: "https://api.example.com/"}}]\n    catch: [{Log: {message: "{{ error.message }}"}}]',
)
HTTP_TIMEOUT = _code(
    623,
    "http-timeout",
    _ERROR,
    "An HTTP request took too long",
    "The whole answer must be there within `timeout_ms`, 5000 where nothing else is written.",
    '- HttpRequest: {url: "https://api.example.com/", timeout_ms: 1}',
    '- Try:\n    operations: [{HttpRequest: {url: "https://api.example.com/", timeout_ms: 1}}]\n    catch: [{Log: {message: "{{ error.message }}"}}]',
)
HTTP_REFUSED = _code(
    624,
    "http-refused",
    _ERROR,
    "An HTTP request is not allowed",
    "Only hosts that the settings name under `[http] allow` can be asked, and addresses of private networks only where they are named themselves.",
    '- HttpRequest: {url: "http://{{ message }}/"}',
    '- Try:\n    operations: [{HttpRequest: {url: "https://api.example.com/{{ message | url_encode }}"}}]\n    catch: [{Log: {message: "{{ error.message }}"}}]',
)

# W7xx: program files.

NOT_A_PROGRAM = _code(
    701,
    "not-a-program",
    _ERROR,
    "The file is not a worpen program",
    "A program file starts with the four bytes `WBC` and 1. Compile the route again.",
    "any other file",
    "worpen compile route.yaml",
)
PROGRAM_VERSION = _code(
    702,
    "program-version",
    _ERROR,
    "The program is of another format version",
    "The format changed between the version that wrote the file and this one. Compile the route again.",
    "a file of a later worpen",
    "worpen compile route.yaml",
)
DAMAGED_PROGRAM = _code(
    703,
    "damaged-program",
    _ERROR,
    "The program file is damaged",
    "Its checksum or its structure does not hold: it was cut off or changed. Compile the route again.",
    "a truncated file",
    "worpen compile route.yaml",
)
INVALID_PROGRAM = _code(
    704,
    "invalid-program",
    _ERROR,
    "The program does not pass verification",
    "The instructions would not be safe to run. worpen never writes such a file.",
    "a file with altered instructions and a new checksum",
    "worpen compile route.yaml",
)
FALSE_MANIFEST = _code(
    705,
    "false-manifest",
    _ERROR,
    "The program does more than its manifest says",
    "The manifest lists channels, statements, keys, hosts and environment names; the loader computes it again and compares.",
    "a file with an altered manifest",
    "worpen compile route.yaml",
)
OUTSIDE_MANIFEST = _code(
    706,
    "outside-manifest",
    _ERROR,
    "The program asked for something that its manifest does not name",
    "Channels, keys, hosts and other names that are computed are compared with the manifest when a hook asks for them. "
    "What is not in it ends the hook, and no catch block stops that. Programs that worpen compiled never do this.",
    "a file whose manifest says less than its instructions do",
    "worpen compile route.yaml",
)
