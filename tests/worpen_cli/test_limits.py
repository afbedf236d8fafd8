"""Limits from flags, environment and project file."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.limits import LIMITS, ServerLimits, WireLimits
from worpen_cli.console import Stop
from worpen_cli.limits import Source, choose_limits, limit_lines, limit_rows, limits_page
from worpen_cli.project import Project, find_project

PAGE = Path(__file__).parents[2] / "docs" / "limits.md"


def project(folder: Path, text: str) -> Project:
    (folder / "worpen.toml").write_text(text, encoding="utf-8")
    return find_project(folder)


def test_without_settings_all_is_default(tmp_path: Path) -> None:
    limits = choose_limits(Project(str(tmp_path)), (), {})
    assert limits.wire() == WireLimits()
    assert limits.server() == ServerLimits()
    assert {chosen.source for chosen in limits.chosen.values()} == {Source.DEFAULT}


def test_the_stronger_source_wins(tmp_path: Path) -> None:
    file = project(tmp_path, "[limits]\nfragments = 3\nchannels = 4\ninbox-bytes = '1KiB'\nmessage_rate = 5\n")
    environment = {"WORPEN_LIMITS_CHANNELS": "6", "WORPEN_LIMITS_MESSAGE_RATE": "7", "OTHER": "8"}
    limits = choose_limits(file, ("message-rate=0", "connections = 9"), environment)
    wire, server = limits.wire(), limits.server()
    assert (wire.fragments, server.channels, wire.message_rate, server.connections) == (3, 6, 0, 9)
    assert wire.inbox_bytes == 1024
    sources = {name: limits.chosen[name].source.value for name in ("fragments", "channels", "message_rate", "fuel")}
    assert sources == {"fragments": "file", "channels": "environment", "message_rate": "flag", "fuel": "default"}


@pytest.mark.parametrize(
    ("text", "flags", "environment", "message", "help"),
    [
        ("[limits]\nfragmets = 3", (), {}, "there is no limit `fragmets`", "did you mean `fragments`?"),
        ("limits = 3", (), {}, "`limits` is a table", ""),
        ("[limits]\nfragments = 'x'", (), {}, "limit `fragments`: it is a whole number", ""),
        ("", ("fragments",), {}, "--limit name=value", ""),
        ("", ("fragments=-1",), {}, "--limit: limit `fragments`: it is a whole number, more than 0", ""),
        ("", (), {"WORPEN_LIMITS_FUELS": "1"}, "WORPEN_LIMITS_FUELS: there is no limit `fuels`", "`fuel`"),
    ],
)
def test_mistakes(
    tmp_path: Path, text: str, flags: tuple[str, ...], environment: dict[str, str], message: str, help: str
) -> None:
    with pytest.raises(Stop) as stopped:
        choose_limits(project(tmp_path, text), flags, environment)
    assert message in str(stopped.value)
    assert help in stopped.value.help


def test_the_list_names_every_limit_with_its_source(tmp_path: Path) -> None:
    limits = choose_limits(Project(str(tmp_path)), ("fragments=7",), {"WORPEN_LIMITS_FUEL": "8"})
    lines = list(limit_lines(limits))
    assert [line.split()[0] for line in lines] == [*LIMITS, "text_bytes", "list_items"]
    by_name = {line.split()[0]: line for line in lines}
    assert by_name["fragments"].split()[1:3] == ["7", "flag"]
    assert by_name["fuel"].split()[1:3] == ["8", "environment"]
    assert "close 1009" in by_name["max_message_bytes"]
    assert by_name["text_bytes"].split()[1:4] == ["1", "MiB", "language"]


def test_the_list_for_programs(tmp_path: Path) -> None:
    rows = {row["name"]: row for row in limit_rows(choose_limits(Project(str(tmp_path)), ("message_rate=0",), {}))}
    assert rows["message_rate"]["value"] == 0
    assert rows["message_rate"]["default"] == 1_000
    assert rows["message_rate"]["source"] == "flag"
    assert list(rows) == list(LIMITS)


def test_the_page_is_that_of_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == limits_page(), "run: make docs"
