"""Functions of the moment."""

from __future__ import annotations

import string
from uuid import UUID

import pytest

from compiler.diagnostics import codes
from compiler.language.limits import LIST_ITEMS, SAFE_INTEGER
from compiler.language.values import Value
from tests.compiler.language.functions.calls import fault, run
from tests.compiler.language.functions.evaluator import StillMoment


class Drawing(StillMoment):
    """Gives these bytes, then zeros."""

    def __init__(self, given: bytes) -> None:
        super().__init__()
        self.given = given

    def random_bytes(self, count: int) -> bytes:
        drawn, self.given = self.given[:count], self.given[count:]
        return drawn.ljust(count, b"\0")


def test_uuid() -> None:
    made = UUID(str(run("uuid")))
    assert made.version == 4
    assert made.variant == "specified in RFC 4122"
    assert run("uuid", moment=Drawing(b"\xff" * 16)) == "ffffffff-ffff-4fff-bfff-ffffffffffff"


class TestRandomInt:
    def test_every_number_is_equally_likely(self) -> None:
        """Of the 8 numbers that 3 bits can be, the 2 that are no side of the die are drawn again."""
        drawn = [run("random_int", 1, 6, moment=Drawing(bytes([top << 5]))) for top in range(6)]
        assert drawn == [1, 2, 3, 4, 5, 6]
        assert run("random_int", 1, 6, moment=Drawing(b"\xff\xc0\x60")) == 4

    def test_wide_and_narrow_bounds(self) -> None:
        assert run("random_int", 7, 7) == 7
        assert run("random_int", -SAFE_INTEGER, SAFE_INTEGER, moment=Drawing(b"")) == -SAFE_INTEGER
        assert run("random_int", "-1", "0", moment=Drawing(b"\x80")) == 0

    @pytest.mark.parametrize("bounds", [(5, 1), (0, 1.5), (0.5, 1), (0, 1e300)])
    def test_bad_bounds(self, bounds: tuple[Value, Value]) -> None:
        assert fault("random_int", *bounds) is codes.BAD_ARGUMENT

    def test_numbers_only(self) -> None:
        assert fault("random_int", None, 1) is codes.TYPE_ERROR


def test_random_float_is_below_one() -> None:
    assert run("random_float", moment=Drawing(b"")) == 0
    assert run("random_float", moment=Drawing(b"\xff" * 7)) == 1 - 2**-53
    assert run("random_float", moment=Drawing(b"\x80")) == 0.5


class TestRandomString:
    def test_letters_and_digits(self) -> None:
        text = run("random_string", 500)
        assert isinstance(text, str)
        assert len(text) == 500
        assert set(text) == set(string.ascii_letters + string.digits)

    def test_every_character_is_equally_likely(self) -> None:
        """248 bytes fall on 62 characters four times each; the other eight are drawn again."""
        text = str(run("random_string", 248, moment=Drawing(bytes(reversed(range(256))))))
        assert sorted(text) == sorted((string.ascii_letters + string.digits) * 4)

    @pytest.mark.parametrize(
        ("count", "kind"),
        [(-1, codes.BAD_ARGUMENT), (1.5, codes.BAD_ARGUMENT), (10**7, codes.TOO_LARGE), ("x", codes.TYPE_ERROR)],
    )
    def test_bad_lengths(self, count: Value, kind: object) -> None:
        assert fault("random_string", count) is kind

    def test_none_at_all(self) -> None:
        assert run("random_string", 0) == ""


def test_environment() -> None:
    moment = StillMoment()
    moment.variables["HOME_PAGE"] = "https://example.com"
    assert run("env", "HOME_PAGE", moment=moment) == "https://example.com"
    assert run("env", "OTHER", moment=moment) is None


def test_who_is_connected() -> None:
    moment = StillMoment(rooms={"red": ["a", "b"], "blue": ["c"]})
    assert run("connections", moment=moment) == 3
    assert run("channel_size", "red", moment=moment) == 2
    assert run("members", "red", moment=moment) == ["a", "b"]
    assert run("members", "green", moment=moment) == []


@pytest.mark.parametrize("name", ["channel_size", "members"])
def test_channels_have_names(name: str) -> None:
    assert fault(name, "") is codes.EMPTY_CHANNEL
    assert fault(name, " \n") is codes.EMPTY_CHANNEL
    assert fault(name, None) is codes.TYPE_ERROR


def test_a_crowd_is_no_list() -> None:
    assert fault("members", "red", moment=StillMoment(rooms={"red": ["x"] * (LIST_ITEMS + 1)})) is codes.TOO_LARGE
