"""Who is in which channel: automatic membership (M1 to M3), and explicit (language section 8)."""

from __future__ import annotations

import json

import pytest

from compiler.analysis.membership import MembershipPlan
from compiler.pipeline import Settings, check_source
from tests.compiler.routes import connect, found, route


def broadcast(channel: str, command: str = "broadcast") -> str:
    message = ", message: m" if command == "broadcast" else ""
    return f"- WsOp: {{command: {command}, channel: {json.dumps(channel)}{message}}}"


SET_ROOM = "- SetVar: {name: room, value: '{{ params.room }}'}\n"


def plan(text: str) -> MembershipPlan:
    return check_source("route.yaml", text.encode(), Settings()).analyses[0].membership


def templates(made: MembershipPlan) -> list[str]:
    return [field.scalar.value for field in made.templates]


def test_literals_of_all_hooks_are_joined_once() -> None:
    text = route(
        broadcast("a") + "\n" + broadcast("b") + "\n" + broadcast("a"),
        on_connect=broadcast("c", "unsubscribe"),
        on_disconnect=broadcast("d"),
    )
    made = plan(text)
    assert (made.automatic, made.literals, made.templates) == (True, ("c", "a", "b", "d"), ())


@pytest.mark.parametrize(
    ("on_message", "joined"),
    [
        (broadcast("{{ room }}"), ["{{ room }}"]),
        (broadcast("{{ params.room }}"), ["{{ params.room }}"]),
        (broadcast("r-{{ room }}-{{ query.a }}"), ["r-{{ room }}-{{ query.a }}"]),
        (broadcast("{{ room }}") + "\n" + broadcast("{{ room }}"), ["{{ room }}"]),
        (broadcast("{{ [room] | map('message ?? item') | first }}"), ["{{ [room] | map('message ?? item') | first }}"]),
        (broadcast("{{ 'literal' }}"), ["{{ 'literal' }}"]),
        (broadcast("{{ message }}"), []),
        (broadcast("{{ room + message }}"), []),
        (broadcast("{{ message ?? 'a' }}"), []),
        (broadcast("{{ message_type }}"), []),
        ("- Loop: {collection: [a], body: [" + broadcast("{{ item }}")[2:] + "]}", []),
        ("- Loop: {collection: [a], body: [" + broadcast("{{ room }}")[2:] + "]}", ["{{ room }}"]),
        ("- Loop: {collection: [a], var: room, body: [" + broadcast("{{ room }}")[2:] + "]}", []),
        ("- Loop: {collection: [a], body: [" + broadcast("{{ loop.index }}")[2:] + "]}", []),
        ("- Try: {operations: [], catch: [" + broadcast("{{ error.code }}")[2:] + "]}", []),
    ],
)
def test_templates_that_could_be_read_at_the_end_are_joined(on_message: str, joined: list[str]) -> None:
    made = plan(route(on_message, on_connect=SET_ROOM))
    assert (made.automatic, templates(made)) == (True, joined)


def test_templates_of_on_disconnect_are_joined_too_but_not_what_only_it_sees() -> None:
    text = route(on_connect=SET_ROOM, on_disconnect=broadcast("{{ room }}") + "\n" + broadcast("{{ close_code }}"))
    assert templates(plan(text)) == ["{{ room }}"]


@pytest.mark.parametrize(
    ("keys", "on_message", "literals", "joined"),
    [
        ("subscribe: []", broadcast("a"), (), []),
        ("subscribe: [b, '{{ params.room }}', b]", broadcast("{{ message }}"), ("b",), ["{{ params.room }}"]),
        ("", broadcast("a") + "\n" + broadcast("b", "subscribe"), (), []),
        ("", broadcast("{{ params.room }}") + "\n" + broadcast("b", "subscribe"), (), []),
    ],
)
def test_explicit_membership(keys: str, on_message: str, literals: tuple[str, ...], joined: list[str]) -> None:
    made = plan(route(on_message, keys=keys))
    assert (made.automatic, made.literals, templates(made)) == (False, literals, joined)


@pytest.mark.parametrize(
    ("channel", "finding"),
    [
        ("{{ message }}", ["W410 message"]),
        ("{{ nowhere }}", ["W401 nowhere"]),
        ("{{ late }}", ["W411 late"]),
        ("{{ some }}", ["W405 some"]),
        ("{{ late ?? 'a' }}", []),
        ("{{ loop.index }}", ["W410 loop"]),
        ("{{ room", ["W302 {{"]),
    ],
)
def test_subscribe_is_read_when_on_connect_ends(channel: str, finding: list[str]) -> None:
    text = route(
        "- SetVar: {name: late, value: 1}\n- Log: {message: '{{ late }}{{ some }}'}",
        on_connect="- If: {condition: query.a, then: [{SetVar: {name: some, value: 1}}, {Return: {}}]}\n" + SET_ROOM,
        keys=f"subscribe: [{json.dumps(channel)}]",
    )
    assert [line for line in found(text) if line not in ("W412 room", "W405 some")] == [
        f for f in finding if f != "W405 some"
    ]
    assert found(text).count("W405 some") == 1 + finding.count("W405 some")


def test_templates_are_evaluated_with_what_is_set() -> None:
    connection = connect(
        route(broadcast("{{ room }}") + "\n" + broadcast("{{ params.room | upper }}"), on_connect=SET_ROOM)
    )
    given = {"params": {"room": "lobby"}}
    connection.run("on_connect", **given)  # type: ignore[arg-type]
    assert connection.channels(**given) == ["lobby", "LOBBY"]  # type: ignore[arg-type]


def test_two_spellings_of_one_template_are_one_chunk() -> None:
    text = route(broadcast("{{ room }}") + "\n" + broadcast("{{room}}"), on_connect=SET_ROOM)
    assert len(connect(text).route.templates) == 1


def test_what_a_template_reads_outlives_the_hook() -> None:
    text = route(SET_ROOM + broadcast("{{ room }}"))
    assert [slot.name for slot in connect(text).route.program.slots] == ["room"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (route("- Log: {message: m}"), "no channels"),
        (
            route(broadcast("a") + "\n" + broadcast("{{ params.room }}")),
            "each connection joins `a`, `{{ params.room }}`",
        ),
        (route(broadcast("{{ message }}")), "a sender joins the channel it broadcasts to"),
        (route(broadcast("a"), keys="subscribe: []"), "explicit membership: each connection joins nothing by itself"),
        (route(broadcast("a"), keys="subscribe: [a]"), "explicit membership: each connection joins `a`"),
    ],
)
def test_membership_in_words(text: str, said: str) -> None:
    assert plan(text).describe() == said
