"""Repairing files: rounds, what is not made, and what is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.pipeline import Settings, check_source
from worpen_cli.console import Stop
from worpen_cli.files import InputFile
from worpen_cli.repair import Repaired, Repairer, difference, write_repaired

HEAD = "name: Echo\npath: /ws/echo\nroute_type: WebSocket\nws_hooks:\n  on_message:\n"


def repaired(text: str, *, unsafe: bool = False, name: str = "a.yaml") -> Repaired:
    repairer = Repairer(lambda n, raw: check_source(n, raw, Settings()), lambda _: True, unsafe=unsafe)
    return repairer.repair(InputFile(name, text.encode(), name))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("- WsOp: {comand: send, message: x}", "- WsOp: {command: send, message: x}"),
        ("- WsOp: {'comand': send, message: x}", "- WsOp: {'command': send, message: x}"),
        ("- wsop: {command: send, message: x}", "- WsOp: {command: send, message: x}"),
        ("- WsOp: {command: emit, message: x}", "- WsOp: {command: broadcast, message: x}"),
        ("- WsOp: {command: send, message: 5}", '- WsOp: {command: send, message: "5"}'),
        ("- WsOp: {command: send, message: {{ message }}}", '- WsOp: {command: send, message: "{{ message }}"}'),
        ("- Log: {level: warning, message: x}", "- Log: {level: warn, message: x}"),
        ('- Log: {message: "{{ message | uper }}"}', '- Log: {message: "{{ message | upper }}"}'),
        (
            "- Return: {value: '{{ message === ''a'' and true or false }}'}",
            "- Return: {value: '{{ message == ''a'' && true || false }}'}",
        ),
        ("- Return: {value: '{{ message.naïve }}'}", "- Return: {value: '{{ message[''naïve''] }}'}"),
        ('- Return: {value: "{{ message.naïve }}"}', "- Return: {value: \"{{ message['naïve'] }}\"}"),
        (
            "- Log:\n      message: x  # why\n      level: info",
            "- Log:\n        message: x  # why\n        level: info",
        ),
    ],
)
def test_what_is_certain_is_mended(before: str, after: str) -> None:
    done = repaired(HEAD + "    " + before + "\n")
    assert done.raw.decode() == HEAD + "    " + after + "\n"
    assert done.fixes > 0
    assert repaired(done.raw.decode()).fixes == 0


@pytest.mark.parametrize(
    "line",
    [
        '- Log: {message: "${message}"}',
        '- Log: {message: "{{ mesage }}"}',
        '- Log: {message: "{{ !message | length }}"}',
        "- If: {condition: 'message = 1', then: [Log: {message: x}]}",
        "- Return: {value: '{{ 5 & 4 }}'}",
        "- Log: {mesage: y, message: x}",  # it would be there twice
        "- Lg: {message: x}",  # too short to be certain
    ],
)
def test_what_is_a_guess_is_left(line: str) -> None:
    assert repaired(HEAD + "    " + line + "\n").fixes == 0


def test_guesses_are_made_where_they_are_asked_for() -> None:
    assert b'"{{ message }}"' in repaired(HEAD + '    - Log: {message: "${message}"}\n', unsafe=True).raw
    assert (
        b'"{{ !(message | length) }}"'
        in repaired(HEAD + '    - Log: {message: "{{ !message | length }}"}\n', unsafe=True).raw
    )
    summed = repaired(HEAD + '    - SetVar: {name: n, value: "{{ 1 }} + 1"}\n', unsafe=True)
    assert b'value: "{{ 1 + 1 }}"' in summed.raw


def test_marks_line_ends_and_comments_are_kept() -> None:
    text = "\ufeff" + (HEAD.replace("route_type", "route-type") + "    - Log: {message: 5} # five\n").replace(
        "\n", "\r\n"
    )
    assert repaired(text).raw.decode() == text.replace("route-type", "route_type").replace("5}", '"5"}')


def test_tabs_become_blanks() -> None:
    text = (
        "name: Echo\npath: /ws/echo\nroute_type: WebSocket\nws_hooks:\n\ton_message:\n\t\t- Log:\n\t\t\t\tmessage: x\n"
    )
    assert repaired(text).raw.decode() == text.replace("\t", "  ")


def test_json() -> None:
    hooks = '"ws_hooks": {"on_message": [{"Log": {"message": 5,}},]},'
    text = '{"name": "Echo", "path": "/e", "route-type": \'WebSocket\', ' + hooks + "}"
    expected = text.replace("route-type", "route_type").replace("'", '"').replace("5,", '"5"').replace(",]", "]")
    assert repaired(text, name="a.json").raw.decode() == expected.replace(",}", "}")


def test_a_round_with_one_harmful_fix_makes_the_others() -> None:
    text = HEAD + "    - Log: {mesage: y, message: x}\n    - Log: {messge: x}\n"
    assert repaired(text).raw.decode() == text.replace("messge", "message")


def test_the_diff() -> None:
    one = Repaired(InputFile("a.yaml", b"a\nb\r\nc", "a.yaml"), b"a\nB\r\nC", 2)
    plain = "".join(difference(one, for_terminal=False, color=False))
    assert plain == (
        "--- a.yaml\n+++ a.yaml\n@@ -1,3 +1,3 @@\n a\n-b\r\n-c\n\\ No newline at end of file\n"
        "+B\r\n+C\n\\ No newline at end of file\n"
    )
    shown = list(difference(one, for_terminal=True, color=True))
    assert "\x1b[31m-b\x1b[0m\n" in shown
    hidden = Repaired(InputFile("a.yaml", "\u202ea".encode(), "a.yaml"), "\u202eb".encode(), 1)
    assert "-\\u202ea\n\\ No newline at end of file\n" in list(difference(hidden, for_terminal=True, color=False))


def test_a_link_is_followed_and_a_file_that_changed_is_left(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "a.yaml"
    real.write_bytes(b"a")
    link.symlink_to(real)
    write_repaired(Repaired(InputFile(str(link), b"a", "a.yaml"), b"b", 1))
    assert link.is_symlink()
    assert real.read_bytes() == b"b"
    with pytest.raises(Stop, match="changed while"):
        write_repaired(Repaired(InputFile(str(link), b"a", "a.yaml"), b"c", 1))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yaml", "real.yaml"]
