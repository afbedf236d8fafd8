"""A thousand route files, from program files to ready to serve, against reading the YAML alone:
`python -m tests.bench.loading`.

Ready means decoded, checked, verified and linked; hooks are translated by their first message.
"""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any, Final

import yaml

from compiler.bytecode.codec import decode, encode
from compiler.bytecode.verifier import verify
from compiler.pipeline import Settings, compile_source
from runtime.loader import LinkedProgram, link, load
from runtime.seam import Context
from tests.assembly import Quiet

ROUTE: Final = """\
name: "Room {number}"
path: "/ws/room-{number}"
route_type: "WebSocket"
ws_hooks:
  on_connect:
    - SetVar:
        name: "score"
        value: {number}
    - SetVar:
        name: "player"
        value: "{{{{ connection_id }}}}"
    - WsOp:
        command: "send"
        message: "Welcome to room {number}, {{{{ player }}}}"
  on_message:
    - If:
        condition: "{{{{ message | startsWith('score:') }}}}"
        then:
          - SetVar:
              name: "score"
              value: "{{{{ score + {number} * 2 }}}}"
          - WsOp:
              command: "broadcast"
              message: "{{{{ player }}}} has {{{{ score }}}}"
              channel: "room-{number}"
        else:
          - Try:
              body:
                - SetVar:
                    name: "order"
                    value: "{{{{ message | json_parse }}}}"
                - If:
                    condition: "{{{{ order.price * order.quantity > 100 }}}}"
                    then:
                      - WsOp:
                          command: "send"
                          message: "That is a lot: {{{{ order.price * order.quantity | round(2) }}}}"
                    else:
                      - Log:
                          message: "{{{{ player }}}} ordered {{{{ order.name ?? 'nothing' }}}}"
              catch:
                - WsOp:
                    command: "send"
                    message: "error: {{{{ error.message }}}}"
  on_disconnect:
    - Log:
        message: "{{{{ player }}}} left with {{{{ score }}}}"
    - WsOp:
        command: "broadcast"
        message: "{{{{ player }}}} left room {number}"
        channel: "room-{number}"
"""
"""About fifty lines, as routes are written."""


def seconds(action: Callable[[Any], Any], things: Sequence[Any]) -> float:
    """CPU time of an action on all things, whose results are kept, as a server keeps its routes.

    Without the collector of cycles, which would count what others left.
    """
    gc.collect()
    gc.disable()
    try:
        start = time.process_time()
        kept = [action(thing) for thing in things]
        spent = time.process_time() - start
        del kept
        return spent
    finally:
        gc.enable()


def memory_of(raws: Sequence[bytes], context: Context) -> tuple[float, float]:
    """KiB that one loaded route takes, before and after its hooks are translated."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept: list[LinkedProgram] = [load(raw, context) for raw in raws]
    loaded = tracemalloc.get_traced_memory()[0]
    for linked in kept:
        linked.prepare()
    translated = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (loaded - before) / len(raws) / 1024, (translated - before) / len(raws) / 1024


def main(count: int = 1000, rounds: int = 5) -> None:
    """Print how long the steps take, and how much memory a route."""
    texts = [ROUTE.format(number=number) for number in range(count)]
    context = Context(Quiet())
    programs = [compile_source(f"room{n}.yaml", text.encode(), Settings()).program for n, text in enumerate(texts)]
    made = [program for program in programs if program is not None]
    raws = [encode(program) for program in made]
    print(f"{len(made)} routes of {len(texts[0].splitlines())} lines, {len(raws[0])} bytes each as programs")
    steps: dict[str, tuple[Callable[[Any], Any], Sequence[Any]]] = {
        "YAML, C loader": (lambda text: yaml.load(text, yaml.CSafeLoader), texts),
        "ready to serve": (lambda raw: load(raw, context), raws),
        "  decode": (decode, raws),
        "  verify": (verify, made),
        "  verify and link": (lambda program: link(program, context), made),
        "translate as well": (lambda raw: load(raw, context).prepare(), raws),
    }
    found = {name: [seconds(*steps[name])] for name in steps}
    for _ in range(rounds - 1):
        for name in steps:
            found[name].append(seconds(*steps[name]))
    for name, spent in found.items():
        against = statistics.median(a / b for a, b in zip(spent, found["YAML, C loader"], strict=True))
        print(f"{name:<20} {statistics.median(spent):7.3f} s  {against:6.2f} times")
    one = [found[name] for name in ("  verify", "translate as well", "ready to serve")]
    share = statistics.median(v / (t - r) for v, t, r in zip(*one, strict=True))
    print(f"to verify takes {share:.3f} of what it takes to translate")
    print("memory: {:.1f} KiB a loaded route, {:.1f} KiB when translated".format(*memory_of(raws, context)))


if __name__ == "__main__":
    main()
