"""What every command has: examples at the head of its help, `--color` and `--debug`, defaults from the project file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, Final, NoReturn

import click

from compiler.diagnostics.suggest import did_you_mean
from compiler.records import dataclass
from worpen_cli.console import COLOR_CHOICES, Console, Stop
from worpen_cli.project import KEYS, TABLES, Project, find_project

HELP_NAMES: Final = ("-h", "--help")
CONTEXT_SETTINGS: Final = {"help_option_names": list(HELP_NAMES), "max_content_width": 100}


@dataclass(slots=True)
class Invocation:
    """What one run of the program carries along: where it prints, and the project it is about."""

    console: Console = field(default_factory=Console)
    known_project: Project | None = None
    leave: Callable[[int], NoReturn] | None = None
    """Ends the process at once with an exit code; None where the process is not ours alone."""

    @property
    def project(self) -> Project:
        """The project around the working folder. Raises Stop where its file cannot be read."""
        if self.known_project is None:
            self.known_project = find_project()
        return self.known_project


pass_invocation = click.make_pass_decorator(Invocation, ensure=True)
"""Hands a command its `Invocation`."""


def _set_color(context: click.Context, _: click.Parameter, choice: str | None) -> None:
    if choice is not None:
        context.ensure_object(Invocation).console.color = choice


def _set_debug(context: click.Context, _: click.Parameter, chosen: bool) -> None:
    if chosen:
        context.ensure_object(Invocation).console.debug = True


def common_options() -> list[click.Parameter]:
    """The options that every command takes."""
    color = click.Option(
        ["--color"], type=click.Choice(COLOR_CHOICES), is_eager=True, expose_value=False, callback=_set_color,
        help="Colour the output (default: on a terminal).",
    )  # fmt: skip
    debug = click.Option(
        ["--debug"], is_flag=True, is_eager=True, expose_value=False, callback=_set_debug,
        help="Show the traceback when worpen itself fails.",
    )  # fmt: skip
    return [color, debug]


class Command(click.Command):
    """A command with examples, common options and defaults from the project file.

    `examples` are pairs of a command line and what it is for.
    """

    def __init__(self, *args: Any, examples: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        kwargs.setdefault("context_settings", dict(CONTEXT_SETTINGS))
        super().__init__(*args, **kwargs)
        self.examples = examples
        self.params.extend(common_options())

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context, its defaults taken from the project file unless only help is wanted."""
        if parent is not None and not any(arg in HELP_NAMES for arg in args) and not extra.get("resilient_parsing"):
            project = parent.ensure_object(Invocation).project
            extra["default_map"] = self._defaults(project, _siblings(parent))
        return super().make_context(info_name, args, parent, **extra)

    def _defaults(self, project: Project, commands: Iterable[str]) -> dict[str, Any]:
        _check_keys(project, project.table, [*KEYS, *TABLES, *commands], "")
        own = project.section(self.name or "")
        options = {flag_name(param): param for param in self.params if isinstance(param, click.Option)}
        _check_keys(project, own, list(options), f"{self.name}.")
        chosen = {options[key].name or "": self._value(project, options[key], value) for key, value in own.items()}
        if "prefix" in options and project.prefix is not None:
            chosen.setdefault("prefix", project.prefix)
        return chosen

    def _value(self, project: Project, option: click.Option, value: Any) -> Any:
        """The value of an option as the project file gives it. Raises Stop for one that the option does not take."""
        try:
            option.type_cast_value(click.Context(self, resilient_parsing=True), value)
        except (click.BadParameter, TypeError, ValueError) as error:
            shown = error.message if isinstance(error, click.BadParameter) else str(error)
            raise project.mistake(f"{self.name}.{flag_name(option)}", f"is not right: {shown}") from None
        return value

    def format_help(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """First what it is for, then examples, then the reference."""
        self.format_help_text(context, formatter)
        write_examples(self.examples, formatter)
        formatter.write_paragraph()
        self.format_usage(context, formatter)
        self.format_options(context, formatter)
        self.format_epilog(context, formatter)


def flag_name(option: click.Parameter) -> str:
    """An option's name as people write it, without its dashes: `max-errors`."""
    return max((name for name in option.opts), key=len).lstrip("-")


def _siblings(parent: click.Context) -> list[str]:
    command = parent.command
    return command.list_commands(parent) if isinstance(command, click.Group) else []


def _check_keys(project: Project, table: Mapping[str, Any], known: list[str], prefix: str) -> None:
    for key in table:
        if key not in known:
            raise Stop(f"{project.shown_path}: unknown key `{prefix}{key}`", help=did_you_mean(key, known))


def write_examples(examples: Sequence[tuple[str, str]], formatter: click.HelpFormatter) -> None:
    """The examples of a help page, each command line with what it is for."""
    with formatter.section("Examples"):
        formatter.write_dl(examples, col_max=60)
