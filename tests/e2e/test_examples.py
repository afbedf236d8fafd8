"""The examples: each one is served, and talked to as the conversation beside it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.e2e.conversation import Conversation, Party, read_conversations
from tests.e2e.serving import serving

PROJECT = Path(__file__).resolve().parents[2]
EXAMPLES = PROJECT / "examples"
ROUTES = sorted(path for path in EXAMPLES.glob("*.yaml") if not path.name.endswith(".test.yaml"))
CONVERSATIONS = [
    pytest.param(conversation, id=f"{file.name.removesuffix('.test.yaml')}: {conversation.name}")
    for file in sorted(EXAMPLES.glob("*.test.yaml"))
    for conversation in read_conversations(file)
]
OF_THE_GUIDE = ("chat", "echo", "rooms", "game", "notifications")


def without_header(text: str) -> str:
    """The text of a route below the comment at its top."""
    return re.sub(r"\A(#.*\n)+\n", "", text)


@pytest.mark.parametrize("conversation", CONVERSATIONS)
async def test_conversation(conversation: Conversation) -> None:
    async with serving(*conversation.routes) as address:
        await Party(address).play(conversation)


@pytest.mark.parametrize("route", ROUTES, ids=lambda path: path.stem)
def test_a_route_says_what_it_shows_and_has_its_conversation(route: Path) -> None:
    header = re.match(r"(#.*\n)+", route.read_text(encoding="utf-8"))
    assert header is not None
    assert "Try it:" in header[0]
    tests = route.with_suffix(".test.yaml")
    assert {path for conversation in read_conversations(tests) for path in conversation.routes} == {route}


def test_no_two_routes_share_an_address() -> None:
    addresses = [yaml.safe_load(route.read_text(encoding="utf-8"))["path"] for route in ROUTES]
    assert len(set(addresses)) == len(addresses)


def test_the_twin_says_the_same() -> None:
    twin = json.loads((EXAMPLES / "json" / "chat.json").read_text(encoding="utf-8"))
    assert twin == yaml.safe_load((EXAMPLES / "chat.yaml").read_text(encoding="utf-8"))


def test_the_examples_of_the_guide_are_as_they_stand_there() -> None:
    guide = PROJECT.parent / "shared" / "reference" / "websocket-guide.md"
    if not guide.is_file():
        pytest.skip(f"no guide at {guide}")
    blocks = re.findall(r"^```(?:yaml|json)\n(.*?)^```", guide.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    routes = [block for block in blocks if "route_type" in block]
    ours = [without_header((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")) for name in OF_THE_GUIDE]
    assert [ours[0], (EXAMPLES / "json" / "chat.json").read_text(encoding="utf-8"), *ours[1:]] == routes
