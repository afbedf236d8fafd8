"""The bus of one node hands frames to the members that the hub knows."""

from __future__ import annotations

from collections.abc import Collection

from runtime.bus.local import LocalBus
from runtime.channels import Hub


def test_publish() -> None:
    sent: list[tuple[list[str], bytes, str | None]] = []

    def deliver(members: Collection[str], frame: bytes, exclude: str | None) -> int:
        sent.append((list(members), frame, exclude))
        return len(members)

    hub: Hub[str] = Hub(128)
    bus = LocalBus(hub, deliver)
    for name in "ab":
        hub.enter(name, name.upper())
    hub.join("b", "B", "room")
    assert bus.publish("room", b"1", None) == 1
    assert bus.publish(None, b"2", "A") == 2
    assert bus.publish("empty", b"3", None) == 0
    assert sent == [(["B"], b"1", None), (["A", "B"], b"2", "A")]
