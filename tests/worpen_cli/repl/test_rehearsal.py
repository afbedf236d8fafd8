"""A route on a stage without a network."""

from __future__ import annotations

from compiler.language.faults import OutOfFuel
from compiler.pipeline import Settings, compile_source
from worpen_cli.repl.rehearsal import CONNECTION_ID, Performance, Rehearsal

HEAD = "name: R\npath: /r\nroute_type: WebSocket\nws_hooks:\n"


def rehearse(hooks: str) -> Rehearsal:
    compilation = compile_source("r.yaml", (HEAD + hooks).encode(), Settings())
    assert compilation.program is not None, compilation.report.diagnostics
    return Rehearsal(compilation.program, 0, {"params": {}, "query": {}, "headers": {}})


def effects(performance: Performance) -> list[tuple[str, object]]:
    return [(deed.effect, deed.reply) for deed in performance.deeds]


def test_effects_are_those_of_a_server_with_one_client() -> None:
    stage = rehearse(
        """\
  on_connect:
    - WsOp: {command: subscribe, channel: a}
  on_message:
    - WsOp: {command: broadcast, channel: a, message: x}
    - WsOp: {command: broadcast, channel: b, message: x}
    - WsOp: {command: broadcast, message: y, exclude_self: true}
    - WsOp: {command: send, to: nobody, message: x}
    - WsOp: {command: send, message: "{{ connections() }} {{ members('a') }}"}
    - WsOp: {command: unsubscribe, channel: a}
"""
    )
    assert effects(stage.perform("on_connect")) == [("subscribe", 1)]
    done = stage.perform("on_message", "m")
    assert effects(done) == [
        ("publish", 1), ("publish", 0), ("broadcast", 0), ("send_to", 0), ("send", 1), ("unsubscribe", 0),
    ]  # fmt: skip
    assert done.frames == (b"x", f'1 ["{CONNECTION_ID}"]'.encode())
    assert [deed.mark.line for deed in done.deeds if deed.mark] == [8, 9, 10, 11, 12, 13]
    assert done.steps > 10


def test_channels_by_themselves() -> None:
    stage = rehearse("  on_message:\n    - WsOp: {command: broadcast, channel: a, message: x}\n")
    stage.perform("on_connect")
    assert stage.channels() == ("a",)


def test_nobody_waits_and_nobody_is_asked() -> None:
    stage = rehearse(
        """\
  on_message:
    - Sleep: {duration_ms: 60000}
    - SqlOp: {query: "SELECT 1", output_var: a}
    - SqlOp: {query: "DELETE FROM t", output_var: b}
    - RedisOp: {command: GET, key: k, output_var: c}
    - HttpRequest: {url: "http://example.com", output_var: d}
    - Return: {value: "{{ [a, b, c, d.status] }}"}
"""
    )
    stage.perform("on_connect")
    done = stage.perform("on_message", "m")
    assert done.outcome is None
    assert [deed.rehearsed for deed in done.deeds] == [False, True, True, True, True, False]
    assert done.frames == (b'[[],{"rows_affected":0,"last_insert_id":null},null,200]',)


def test_what_a_hook_returns_is_sent() -> None:
    stage = rehearse('  on_message:\n    - Return: {value: "{{ [1] }}"}\n')
    stage.perform("on_connect")
    done = stage.perform("on_message", "m")
    assert done.frames == (b"[1]",)
    assert [(deed.effect, deed.mark and deed.mark.operation) for deed in done.deeds] == [("send", "Return")]


def test_faults_are_outcomes_and_deeds() -> None:
    stage = rehearse(
        """\
  on_message:
    - Try:
        operations:
          - WsOp: {command: send, message: "{{ message }}", binary: true}
        catch:
          - WsOp: {command: send, message: "{{ error }}"}
    - Throw: {message: over, code: mine}
"""
    )
    stage.perform("on_connect")
    done = stage.perform("on_message", "no base64!")
    assert [deed.fault is not None for deed in done.deeds] == [True, False]
    assert str(done.outcome) == "over"


def test_a_hung_hook_ends_with_its_fuel() -> None:
    stage = rehearse(
        """\
  on_message:
    - Loop:
        collection: "{{ range(0, 1000) }}"
        body:
          - Loop:
              collection: "{{ range(0, 1000) }}"
              body:
                - SetVar: {name: a, value: "{{ index }}"}
    - WsOp: {command: send, message: "{{ a }}"}
"""
    )
    stage.perform("on_connect")
    assert isinstance(stage.perform("on_message", "m").outcome, OutOfFuel)


CLOSING = """\
  on_message:
    - WsOp: {command: close}
  on_disconnect:
    - WsOp: {command: broadcast, message: bye}
"""


def test_closing_and_leaving() -> None:
    stage = rehearse(CLOSING)
    stage.perform("on_connect")
    assert not stage.is_over
    assert effects(stage.perform("on_message", "m")) == [("close", 1)]
    assert stage.is_over
    assert effects(stage.perform("on_disconnect")) == [("broadcast", 0)]


def test_who_is_refused() -> None:
    stage = rehearse("  on_auth:\n    - Reject: {status: 403, reason: no}\n  on_message:\n    - Return: {}\n")
    assert [(deed.effect, deed.arguments) for deed in stage.perform("on_auth").deeds] == [("reject", (403, "no"))]


SETTING = """\
  on_connect:
    - SetVar: {name: a, value: 1}
  on_message:
    - WsOp: {command: send, message: "{{ a }}"}
"""


def test_variables_are_read_and_set() -> None:
    stage = rehearse(SETTING)
    stage.perform("on_connect")
    assert stage.variables() == {"a": 1}
    assert stage.assign("a", "two")
    assert not stage.assign("b", 1)
    assert stage.perform("on_message", "m").frames == (b"two",)
