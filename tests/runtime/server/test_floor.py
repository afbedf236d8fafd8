"""What all links of a server share: which there are, and who of them is followed."""

from __future__ import annotations

from tests.runtime.parts import route
from tests.runtime.server.harness import client, over, started


async def test_it_knows_every_connection_until_its_life_is_complete() -> None:
    async with started(route(on_message=lambda i, *_: "hi")) as app:
        floor = app._floor
        assert floor is not None
        async with client(app) as first, client(app):
            await first.send("x")
            await first.recv()
            assert len(floor.links) == 2
            assert {link.session.id for link in floor.links.values()} == set(floor.links)
            assert not floor.emptied.is_set()
        await over(app)
        assert floor.links == {}
        assert floor.emptied.is_set()


async def test_a_connection_knows_whether_it_is_followed() -> None:
    async with started(route(on_message=lambda *_: "heard")) as app, client(app) as first, client(app) as second:
        one, other = app.links.values()
        end_one = app.events.watch(one.connection_id, lambda _: None)
        assert (one.followed, other.followed) == (True, False)
        end_all = app.events.subscribe(lambda _: None, detailed=True)
        assert (one.followed, other.followed) == (True, True)
        async with client(app) as third:
            await third.send("text")
            await third.recv()
            assert [link.followed for link in app.links.values()] == [True] * 3
        end_one()
        end_all()
        for speaker in (first, second):
            await speaker.send("text")
            await speaker.recv()
        assert (one.followed, other.followed) == (False, False)
