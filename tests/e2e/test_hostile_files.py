"""Files that were made to exhaust whoever reads them: refused, at a bounded cost of time and memory."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.cli import command_line, environment

HEAD = "name: a\npath: /a\nroute_type: WebSocket\nws_hooks:\n  on_message:\n"
MEBIBYTE = 1 << 20


def aliases() -> str:
    """Each list holds the one before nine times."""
    return "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))


def merge_keys() -> str:
    rows = (f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 300))
    return "a0: &a0 {x: 1}\n" + "".join(rows)


def many(line: Callable[[int], str]) -> str:
    return HEAD + "".join(f"    {line(n)}\n" for n in range(50_000))[: MEBIBYTE - 1000]


HOSTILE: dict[str, Callable[[], str]] = {
    "aliases.yaml": aliases,
    "merge-keys.yaml": merge_keys,
    "own-alias.yaml": lambda: HEAD + "    - &a [*a]\n",
    "brackets.yaml": lambda: "[" * 100_000,
    "braces.yaml": lambda: "{" * 100_000,
    "brackets.json": lambda: "[" * 100_000,
    "objects.json": lambda: '{"a":' * 100_000,
    "dashes.yaml": lambda: "- " * 100_000,
    "indented.yaml": lambda: "".join(" " * n + "a:\n" for n in range(1_000)),
    "one-scalar.yaml": lambda: "name: " + "x" * (MEBIBYTE - 100),
    "one-template.yaml": lambda: HEAD + '    - Log: {message: "{{ ' + "(" * 500_000 + ' }}"}\n',
    "one-sum.yaml": lambda: HEAD + '    - Log: {message: "{{ 1' + " + 1" * 200_000 + ' }}"}\n',
    "templates.yaml": lambda: HEAD + '    - Log: {message: "' + "{{ x }}" * 100_000 + '"}\n',
    "emoji.yaml": lambda: HEAD + '    - Log: {message: "' + "🙂{{ x }}" * 50_000 + '"}\n',
    "unknown-keys.yaml": lambda: "".join(f"k{n}: 1\n" for n in range(50_000)),
    "unknown-operations.yaml": lambda: many(lambda n: f"- Op{n}: {{}}"),
    "unknown-variables.yaml": lambda: many(lambda n: f'- Log: "{{{{ v{n} }}}}"'),
    "duplicates.yaml": lambda: "a: 1\n" * 50_000,
    "documents.yaml": lambda: "---\na: 1\n" * 50_000,
    "anchors.yaml": lambda: "".join(f"k{n}: &a{n} 1\n" for n in range(50_000)),
    "comments.yaml": lambda: HEAD + "    - Log: {message: x} # worpen: ignore[unknown-variable]\n" * 15_000,
    "too-large.yaml": lambda: "a" * (20 * MEBIBYTE),
    "tabs.yaml": lambda: "a:\n" + "\tb: 1\n" * 50_000,
    "quotes.yaml": lambda: '"' * 500_000,
    "numbers.yaml": lambda: HEAD + "    - Return: {value: " + "9" * 1_000_000 + "}\n",
}
HARMLESS = ("one-sum.yaml", "comments.yaml")
"""Large, and nothing wrong with them, or nothing that is an error."""
ALLOWED_SECONDS, ALLOWED_BYTES = 10, 400 * MEBIBYTE
"""Generous, for machines that are busy: on an idle one each of them takes less than a second."""


def validate(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (4 * ALLOWED_BYTES, 4 * ALLOWED_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (ALLOWED_SECONDS, ALLOWED_SECONDS))

    return subprocess.run(
        command_line("validate", *options, path.name), cwd=path.parent, env=environment(), preexec_fn=limit,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_soon(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(HOSTILE[name](), encoding="utf-8")
    done = validate(path)
    assert done.returncode == (0 if name in HARMLESS else 1), done.stderr[-2000:]
    assert done.stdout.startswith(f"{name}:") or not done.returncode
    assert done.stdout.count("\n") <= 100
    assert len(done.stdout) + len(done.stderr) < 100_000


@pytest.mark.parametrize("name", ["unknown-keys.yaml", "emoji.yaml", "tabs.yaml"])
@pytest.mark.parametrize("options", [["--format", "full"], ["--format", "sarif"], ["--diff"]])
def test_however_it_is_shown(name: str, options: list[str], tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(HOSTILE[name](), encoding="utf-8")
    assert validate(path, *options).returncode == 1
