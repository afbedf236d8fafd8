"""Hooks against other engines, side by side in one run: `python -m tests.bench.peers`.

Needs jinja2, minijinja, cel-expr-python and, for the picture, matplotlib; what is not installed is left out. Peers get
everything parsed and compiled beforehand where they can. CEL has no `split`, `upper` and templates: what it does
instead is less, and noted in the README.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

from runtime import translator
from tests.bench.clock import ratio, rounds_of
from tests.bench.hooks import prepared
from tests.bench.workloads import FLOORS, MESSAGE, ROUTES

EXPRESSION: Final = "name|upper if (a + b * c) / 2 > 10 and (d % 3 == 0 or not e) else name|trim|lower"
VARIABLES: Final = {"a": 7, "b": 3, "c": 9, "d": 9, "e": False, "name": "  Ada Lovelace "}
GAME: Final = {"score": 41, "player_id": "p-7"}
TEMPLATES: Final[dict[str, tuple[dict[str, Any], tuple[str, ...]]]] = {
    "echo template": ({}, ("Echo: {{ message }}",)),
    "branch on a prefix": (
        {},
        (
            "{% if message.startswith('subscribe:') %}Subscribed to {{ message.split(':')|last }}"
            "{% else %}Invalid{% endif %}",
        ),
    ),
    "game score": (GAME, ("{{ score + 1 }}", "Score: {{ score }}", "{{ player_id }} scored! Total: {{ score }}")),
    "long expression": (VARIABLES, (EXPRESSION,)),
}
"""For each workload its variables and the templates that a message renders; the last is an expression with a value."""
CEL: Final[dict[str, tuple[str, ...]]] = {
    "echo template": ("'Echo: ' + message",),
    "branch on a prefix": ("message.startsWith('subscribe:') ? 'Subscribed to ' + message : 'Invalid'",),
    "game score": ("score + 1", "'Score: ' + string(score)", "player_id + ' scored! Total: ' + string(score)"),
    "long expression": ("(a + b * c) / 2 > 10 && (d % 3 == 0 || !e) ? name + '!' : name",),
}


def given(name: str) -> dict[str, Any]:
    """What the peers of a workload are given."""
    return {"message": MESSAGE[name], **TEMPLATES[name][0]}


def jinja2(name: str) -> Callable[[], Any]:
    """The templates, rendered one behind the other."""
    environment = import_module("jinja2").Environment()
    variables, texts = given(name), TEMPLATES[name][1]
    renders = [
        environment.compile_expression(text) if text == EXPRESSION else environment.from_string(text).render
        for text in texts
    ]
    return lambda: [render(**variables) for render in renders]


def minijinja(name: str) -> Callable[[], Any]:
    """The same in Rust. Its texts have no methods, so `split` is its filter."""
    environment = import_module("minijinja").Environment()
    names = [f"t{number}" for number in range(len(TEMPLATES[name][1]))]
    for key, text in zip(names, TEMPLATES[name][1], strict=True):
        text = f"{{{{ {text} }}}}" if text == EXPRESSION else text.replace("message.split(':')", "message|split(':')")
        environment.add_template(key, text.replace("message.startswith('subscribe:')", _STARTS))
    variables = given(name)
    return lambda: [environment.render_template(key, **variables) for key in names]


def cel(name: str) -> Callable[[], Any]:
    """Expressions of CEL in C++."""
    module = import_module("cel_expr_python.cel")
    variables = given(name)
    environment = module.NewEnv(variables=dict.fromkeys(variables, module.Type.DYN))
    compiled = [environment.compile(text) for text in CEL[name]]
    return lambda: [each.eval(data=variables).value() for each in compiled]


_STARTS: Final = "message is startingwith('subscribe:')"

PEERS: Final[Mapping[str, Callable[[str], Callable[[], Any]]]] = {
    "minijinja": minijinja,
    "CEL (C++)": cel,
    "jinja2": jinja2,
}


def measure(name: str) -> dict[str, list[float]]:
    """Nanoseconds of one message for the hook, by hand, and for each peer that is there."""
    hook, arguments = prepared(name, translator.build_hook)
    contestants: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "worpen": (hook, arguments),
        "Python by hand": (FLOORS[name], arguments),
    }
    for peer, make in PEERS.items():
        try:
            run = make(name)
            run()
        except ImportError:
            print(f"{peer} is not installed")
            continue
        contestants[peer] = (run, ())
    return rounds_of(contestants, rounds=31)


def draw(ratios: Mapping[str, Mapping[str, float]], path: str) -> None:
    """A picture of the ratios."""
    matplotlib = import_module("matplotlib")
    matplotlib.use("svg" if path.endswith(".svg") else "agg")
    plot = import_module("matplotlib.pyplot")
    figure, axes = plot.subplots(figsize=(8, 4.2))
    peers = list(next(iter(ratios.values())))
    width = 0.8 / len(peers)
    for place, peer in enumerate(peers):
        bars = axes.bar([n + place * width for n in range(len(ratios))], [row[peer] for row in ratios.values()], width)
        bars.set_label(peer)
        axes.bar_label(bars, fmt="%.3g", fontsize=8)
    axes.set_xticks([n + 0.4 - width / 2 for n in range(len(ratios))], list(ratios))
    axes.set_yscale("log")
    axes.axhline(1, color="gray", linewidth=0.8)
    axes.set_ylabel("time, in times of a translated hook")
    axes.legend(loc="upper left", ncols=len(peers), fontsize=8)
    axes.margins(y=0.25)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Print the ratios; draw them where a path is given."""
    ratios: dict[str, dict[str, float]] = {}
    for name in list(ROUTES)[:4]:
        found = measure(name)
        ratios[name] = {peer: ratio(found, peer, "worpen") for peer in found if peer != "worpen"}
        print(f"{name:<20} worpen {statistics.median(found['worpen']):6.0f} ns   ", end="")
        print("   ".join(f"{peer} {times:.2f}" for peer, times in ratios[name].items()))
    if len(sys.argv) > 1:
        draw(ratios, sys.argv[1])


if __name__ == "__main__":
    main()
