"""`worpen repl`: evaluate expressions and templates, at a prompt or line by line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from compiler.language.faults import Fault
from compiler.language.values import Value
from worpen_cli.command import Command, Invocation, pass_invocation
from worpen_cli.console import Console, ExitCode, Stop
from worpen_cli.repl.batch import answer_json, answer_lines
from worpen_cli.repl.evaluation import Evaluator, Mistake

if TYPE_CHECKING:
    from worpen_cli.repl.scene import Scene


@click.command(
    "repl",
    cls=Command,
    short_help="Evaluate expressions and templates.",
    examples=(
        ("worpen repl", "at a prompt"),
        ("worpen repl --route chat.yaml --message hi", "in the scope of a connection"),
        ('worpen repl -c "[1, 2] | sum"', "one expression"),
        ("worpen repl < expressions.txt", "one value per line"),
        ("worpen repl --json < requests.ndjson", "for a program"),
    ),
)
@click.option("-c", "--expression", metavar="EXPR", help="Evaluate this, print the value, and end.")
@click.option("--json", "json", is_flag=True, help='Requests {"expr" or "template", "mode", "vars"} in, answers out.')
@click.option("--route", metavar="FILE[#NAME]", help="Evaluate in the scope of a connection of this route.")
@click.option("--hook", metavar="HOOK", help="The hook whose scope it is (default: on_message).")
@click.option("--message", metavar="TEXT|@FILE", help="The message that on_message gets.")
@click.option("--params", metavar="K=V", multiple=True, help="A value of the route's path; may be repeated.")
@click.option("--query", metavar="K=V", multiple=True, help="A value of the address's query; may be repeated.")
@click.option("--vi", is_flag=True, help="Edit with vi's keys instead of emacs'.")
@pass_invocation
def command(invocation: Invocation, /, expression: str | None, json: bool, vi: bool, **played: Any) -> int:
    """Evaluate expressions; `name = expression` sets a variable, text with {{ }} is a template.

    At a terminal, `:help` lists the commands. Reading from a pipe or file, print one value per line and stop at the
    first error with exit code 1. With --json, answer each line and go on after errors.
    """
    wanted = _Wanted(**played)
    _refuse_together(wanted, expression, json)
    console = invocation.console
    evaluator = Evaluator(invocation.project.environment)
    if json:
        answer_json(sys.stdin.buffer, evaluator, console)
        return ExitCode.FINE
    if expression is None and sys.stdin.isatty() and sys.stdout.isatty():
        return _converse(invocation, evaluator, wanted, vi)
    lines = [expression] if expression is not None else _decoded(sys.stdin.buffer)
    scene = _scene(invocation, wanted)
    return _answer(lines, evaluator, console, scene.scope() if scene is not None else {})


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The scope that was asked for."""

    route: str | None
    hook: str | None
    message: str | None
    params: tuple[str, ...]
    query: tuple[str, ...]


def _refuse_together(wanted: _Wanted, expression: str | None, json: bool) -> None:
    if json and expression is not None:
        raise Stop("-c and --json exclude each other")
    if json and wanted.route is not None:
        raise Stop("--route and --json exclude each other", help="a request's `vars` are all the variables there are")
    if wanted.route is None and any((wanted.hook, wanted.message is not None, wanted.params, wanted.query)):
        raise Stop("--hook, --message, --params and --query need --route FILE")


def _converse(invocation: Invocation, evaluator: Evaluator, wanted: _Wanted, vi: bool) -> int:
    from worpen_cli.repl.commands import COMMANDS
    from worpen_cli.repl.conversation import Conversation
    from worpen_cli.repl.prompt import converse

    conversation = Conversation(evaluator, invocation.console, invocation.project.settings, COMMANDS)
    conversation.scene = _scene(invocation, wanted)
    return converse(conversation, vi=vi)


def _scene(invocation: Invocation, wanted: _Wanted) -> Scene | None:
    """The scope that was asked for. Raises Stop where there is none."""
    if wanted.route is None:
        return None
    from worpen_cli.findings import render_for
    from worpen_cli.repl.mistakes import Refused
    from worpen_cli.repl.scene import Scene, Setting, read_messages, read_pairs, read_script

    settings = invocation.project.settings()
    params, query = read_pairs(wanted.params, "--params"), read_pairs(wanted.query, "--query")
    message = wanted.message or ""
    try:
        waiting = read_messages(message[1:]) if message.startswith("@") else [message]
        script = read_script(wanted.route, settings)
        scene = Scene(script, Setting(params, query, settings.environment), wanted.hook or "")
    except Refused as refusal:
        if refusal.diagnostics:
            console = invocation.console
            console.talk_rendered(render_for(console, refusal.diagnostics, full=True, to_stderr=True))
            raise Stop(refusal.message, code=ExitCode.FINDINGS) from None
        raise Stop(refusal.message, help=refusal.help) from None
    scene.queue(waiting)
    scene.next()
    return scene


def _answer(lines: Iterable[str], evaluator: Evaluator, console: Console, scope: Mapping[str, Value]) -> int:
    try:
        answer_lines(lines, evaluator, console, scope)
    except (Mistake, Fault) as mistake:
        from worpen_cli.repl.mistakes import show_mistake

        console.flush()
        show_mistake(mistake, console)
        return ExitCode.FINDINGS
    return ExitCode.FINE


def _decoded(lines: Iterable[bytes]) -> Iterator[str]:
    for line in lines:
        try:
            yield line.decode("utf-8-sig").rstrip("\r\n")
        except UnicodeDecodeError:
            raise Stop("standard input is not UTF-8 text") from None
