"""What the soak test serves. A reload changes one hook of the routes that are busy, so that new code runs each time."""

from __future__ import annotations

BUSY = """\
name: Echo
path: /ws/echo
route_type: WebSocket
ws_hooks:
  on_connect:
    - SetVar: {{name: said, value: 0}}
  on_message:
    - SetVar: {{name: said, value: "{{{{ said + 1 }}}}"}}
    - If:
        condition: "{{{{ message == 'bye' }}}}"
        then: [{{WsOp: {{command: close, code: 3005}}}}, {{Return: {{}}}}]
    - SetVar: {{name: generation, value: {generation}}}
    - WsOp: {{command: send, message: "{{{{ message }}}}"}}
  on_disconnect:
    - SetVar: {{name: said, value: {generation}}}
---
name: Room
path: /ws/room/:room
route_type: WebSocket
ws_hooks:
  on_connect: &count
    - SetVar: {{name: said, value: 0}}
  on_message:
    - If:
        condition: "{{{{ message == 'bye' }}}}"
        then: [{{WsOp: {{command: close, code: 3005}}}}, {{Return: {{}}}}]
    - SetVar: {{name: generation, value: {generation}}}
    - WsOp: {{command: broadcast, channel: "{{{{ params.room }}}}", message: "{{{{ message }}}}", output_var: heard}}
    - WsOp: {{command: send, message: "heard by {{{{ heard }}}}"}}
  on_disconnect: *count
"""
STEADY = """\
name: Sleep
path: /ws/sleep
route_type: WebSocket
ws_hooks:
  on_connect: &count
    - SetVar: {name: said, value: 0}
  on_disconnect: *count
  on_message:
    - Sleep: {duration_ms: 3000}
    - WsOp: {command: send, message: awake}
---
name: Stall
path: /ws/stall
route_type: WebSocket
ws_hooks:
  on_connect: &count
    - SetVar: {name: said, value: 0}
  on_disconnect: *count
  on_message:
    - WsOp: {command: broadcast, channel: "{{ connection_id }}", message: "{{ message }}"}
"""
"""Of another file, which stays as it is: routes of one file share its table of constants."""
CHANGED = 2
"""Routes of `BUSY`, which are others in the next generation."""


def routes(generation: int) -> str:
    """The file's text."""
    return BUSY.format(generation=generation)
