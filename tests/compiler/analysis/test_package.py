"""Analysis as a whole: what comes out for a route."""

from __future__ import annotations

from compiler.analysis import analyse
from compiler.analysis.flow import ChannelUse
from compiler.diagnostics.diagnostic import Report
from compiler.pipeline import Settings, check_source
from tests.compiler.routes import compiled, route

ROUTE = route(
    "- SetVar: {name: message, value: x}\n- SetVar: {name: score, value: '{{ score + 1 }}'}\n"
    "- WsOp: {command: broadcast, message: m, channel: '{{ message }}'}",
    on_connect="- SetVar: {name: score, value: '0'}\n- WsOp: {command: broadcast, message: m, channel: a}",
)


def test_what_is_known_of_a_route() -> None:
    analysis = check_source("r.yaml", ROUTE.encode(), Settings()).analyses[0]
    assert [slot.name for slot in analysis.slots] == ["score"]
    assert [(use.hook, use.command, use.passing) for use in analysis.channels] == [
        ("on_connect", "broadcast", False),
        ("on_message", "broadcast", True),
    ]
    assert all(isinstance(use, ChannelUse) for use in analysis.channels)
    assert analysis.assigned == {"message": {"on_message"}}
    assert analysis.membership.literals == ("a",)


def test_findings_are_those_of_one_walk() -> None:
    """Kinds that settle late make further walks; what was found before does not count twice."""
    hook = (
        "- Log: {message: '{{ a.x }}{{ nope }}'}\n- SetVar: {name: a, value: '{{ b }}'}\n- SetVar: {name: b, value: []}"
    )
    text = route(hook, on_connect="- SetVar: {name: b, value: 1}\n- SetVar: {name: a, value: 1}")
    assert [d.code.label for d in compiled(text).report.diagnostics] == ["W404", "W401"]


def test_a_route_can_be_analysed_again() -> None:
    once = check_source("r.yaml", ROUTE.encode(), Settings()).analyses[0]
    report = Report()
    again = analyse(once.route, report, frozenset())
    assert (again.slots, again.membership.literals, report.diagnostics) == (once.slots, once.membership.literals, [])
