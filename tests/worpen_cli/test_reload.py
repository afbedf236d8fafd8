"""What is served after each save."""

from __future__ import annotations

import pytest

from compiler.pipeline import Settings
from runtime.channels import Hub
from runtime.host import Surroundings
from runtime.loader import link
from runtime.seam import Context
from runtime.server.catalogue import BrokenRoute, RouteEntry
from worpen_cli.files import InputFile
from worpen_cli.reload import Generation, RouteSet, readable_paths


def route(path: str, message: str = "hi", name: str = "") -> str:
    operation = f"WsOp: {{command: send, message: '{message}'}}"
    return (
        f"name: {name or path}\npath: {path}\nroute_type: WebSocket\n"
        f"ws_hooks:\n  on_message:\n    - {operation}\n"
    )  # fmt: skip


BROKEN = "{{ nope }}"


class Folder:
    """A set of files over its saves."""

    def __init__(self) -> None:
        context = Context(Surroundings(Hub(128)))
        self.routes = RouteSet(Settings(), lambda program: link(program, context))
        self.files: dict[str, str] = {}

    def save(self, **texts: str | None) -> Generation:
        for name, text in texts.items():
            if text is None:
                del self.files[name]
            else:
                self.files[name] = text
        inputs = [InputFile(name, text.encode(), name) for name, text in sorted(self.files.items())]
        return self.routes.compile(inputs)


@pytest.fixture
def folder() -> Folder:
    return Folder()


def served(generation: Generation) -> dict[str, str]:
    """The condition of each address: ok, stale or broken."""
    found = {}
    for entry in generation.entries:
        if isinstance(entry, BrokenRoute):
            found[entry.path] = "broken"
        else:
            found[entry.route.program.path] = "stale" if entry.stale else "ok"
    return found


def names_found(generation: Generation) -> list[str]:
    return [diagnostic.code.name for diagnostic in generation.diagnostics]


def test_good_files_are_served(folder: Folder) -> None:
    generation = folder.save(a=route("/ws/a"), b=route("/ws/b"))
    assert served(generation) == {"/ws/a": "ok", "/ws/b": "ok"}
    assert generation.changed == ("a", "b")
    assert generation.broken == ()


def test_what_did_not_change_stays_the_same_program(folder: Folder) -> None:
    before = folder.save(a=route("/ws/a"), b=route("/ws/b"))
    after = folder.save(b=route("/ws/b", "ho"))
    assert after.changed == ("b",)
    kept = [
        new.route is old.route
        for old, new in zip(before.entries, after.entries, strict=True)
        if isinstance(old, RouteEntry) and isinstance(new, RouteEntry)
    ]
    assert kept == [True, False]


def test_a_broken_file_goes_on_as_it_was_and_says_so_on_every_save(folder: Folder) -> None:
    good = folder.save(a=route("/ws/a"), b=route("/ws/b"))
    broken = folder.save(a=route("/ws/a", BROKEN))
    assert served(broken) == {"/ws/a": "stale", "/ws/b": "ok"}
    assert (broken.broken, broken.stale) == (("a",), ("a",))
    entry = next(entry for entry in broken.entries if isinstance(entry, RouteEntry) and entry.stale)
    assert entry.route in [entry.route for entry in good.entries if isinstance(entry, RouteEntry)]
    again = folder.save(b=route("/ws/b", "ho"))
    assert names_found(again) == ["unknown-variable"]
    mended = folder.save(a=route("/ws/a", "better"))
    assert served(mended) == {"/ws/a": "ok", "/ws/b": "ok"}
    assert names_found(mended) == []


def test_a_file_that_never_compiled_says_why(folder: Folder) -> None:
    generation = folder.save(a=route("/ws/a", BROKEN))
    assert served(generation) == {"/ws/a": "broken"}
    assert (generation.broken, generation.stale) == (("a",), ())
    (entry,) = generation.entries
    assert isinstance(entry, BrokenRoute)
    assert "unknown-variable" in entry.reason


def test_a_removed_file_is_gone(folder: Folder) -> None:
    folder.save(a=route("/ws/a"), b=route("/ws/b"))
    assert served(folder.save(a=None)) == {"/ws/b": "ok"}
    assert served(folder.save(b=None)) == {}


def test_of_two_that_clash_at_the_start_the_first_is_served(folder: Folder) -> None:
    generation = folder.save(a=route("/ws/:x", name="A"), b=route("/ws/:y", name="B"))
    assert names_found(generation) == ["duplicate-route"]
    assert generation.broken == ("b",)
    assert served(generation) == {"/ws/:x": "ok", "/ws/:y": "broken"}
    assert isinstance(generation.entries[0], RouteEntry)


def test_of_two_that_clash_the_one_already_serving_goes_on(folder: Folder) -> None:
    folder.save(b=route("/ws/b"))
    generation = folder.save(a=route("/ws/b", name="A"))
    assert generation.broken == ("a",)
    first = generation.entries[0]
    assert isinstance(first, RouteEntry)
    assert (first.route.program.name, first.stale) == ("/ws/b", False)


def test_a_file_that_moves_onto_a_served_address_stays_where_it_was(folder: Folder) -> None:
    folder.save(a=route("/ws/a"), b=route("/ws/b"))
    generation = folder.save(a=route("/ws/b", name="A"))
    assert served(generation) == {"/ws/b": "ok", "/ws/a": "stale"}
    assert folder.save(b=None).broken == ()


def test_a_clash_with_a_version_that_is_served_on(folder: Folder) -> None:
    folder.save(a=route("/ws/a"))
    generation = folder.save(a=route("/ws/a", BROKEN), c=route("/ws/a", name="C"))
    assert set(generation.broken) == {"a", "c"}
    first = generation.entries[0]
    assert isinstance(first, RouteEntry)
    assert (first.route.program.name, first.stale) == ("/ws/a", True)


def test_falling_back_can_break_another(folder: Folder) -> None:
    """`a` may not move to `/ws/b`, so `/ws/a` is not free for `c`."""
    folder.save(a=route("/ws/a"), b=route("/ws/b"))
    generation = folder.save(a=route("/ws/b", name="A"), c=route("/ws/a", name="C"))
    assert set(generation.broken) == {"a", "c"}
    stale = [entry.route.program.path for entry in generation.entries if isinstance(entry, RouteEntry) and entry.stale]
    assert stale == ["/ws/a"]


def test_a_broken_file_under_a_new_name_goes_on(folder: Folder) -> None:
    folder.save(a=route("/ws/a"))
    folder.save(a=route("/ws/a", BROKEN))
    assert served(folder.save(a=None, z=route("/ws/a", BROKEN))) == {"/ws/a": "stale"}


def test_only_what_was_saved_repeats_its_warnings(folder: Folder) -> None:
    first = folder.save(a=route("/ws/a", "${x}"), b=route("/ws/b"))
    assert names_found(first) == ["suspicious-text"]
    assert names_found(folder.save(b=route("/ws/b", "ho"))) == []


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("path: /ws/a\n", ["/ws/a"]),
        ("name: x\npath:  '/ws/:a'  # why\nws_hooks: {{{", ["/ws/:a"]),
        ('{"path": "/ws/a", "ws_hooks": ', ["/ws/a"]),
        ("path: /a\n---\npath: /b\n", ["/a", "/b"]),
        ("path: nowhere\n  path: /nested\n", []),
        ("", []),
    ],
)
def test_addresses_are_read_where_nothing_else_can_be(text: str, paths: list[str]) -> None:
    assert readable_paths(text) == paths


def test_broken_files_name_their_addresses_and_errors(folder: Folder) -> None:
    folder.save(a=route("/ws/a"), b=route("/ws/b", BROKEN), c="name: [\n")
    b, c = folder.routes.broken_files()
    assert (b.file, b.paths, c.file, c.paths) == ("b", ("/ws/b",), "c", ())
    assert "`nope`" in b.text
    assert [found["name"] for found in b.diagnostics] == ["unknown-variable"]
    folder.save(a=route("/ws/a", BROKEN), b=route("/ws/b"), c=None)
    (a,) = folder.routes.broken_files()
    assert (a.file, a.paths) == ("a", ("/ws/a",))
    folder.save(a=route("/ws/a"))
    assert folder.routes.broken_files() == []


def test_of_two_that_clash_the_later_one_is_broken(folder: Folder) -> None:
    folder.save(a=route("/ws/a"))
    folder.save(b=route("/ws/a", name="other"))
    (b,) = folder.routes.broken_files()
    assert (b.file, b.paths) == ("b", ("/ws/a",))
