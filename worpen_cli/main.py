"""The command group. A command's module is imported when it is run: `worpen --version` must cost next to nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Final, NoReturn

import click

from worpen_cli import __version__, commands
from worpen_cli.command import CONTEXT_SETTINGS, Invocation, common_options, write_examples
from worpen_cli.console import ExitCode, Stop, guarded

PROGRAM: Final = "worpen"
ENVIRONMENT_PREFIX: Final = "WORPEN"
COMPLETE_VARIABLE: Final = "_WORPEN_COMPLETE"
"""Set by completion scripts."""

EXAMPLES: Final = (
    ("worpen validate", "check every route of this project"),
    ("worpen dev examples/echo.yaml", "serve a route, reload it on every save"),
    ("worpen compile routes -o build", "write one program file per route file"),
    ("worpen repl -c \"'hi' | upper\"", "evaluate an expression"),
)


class LazyGroup(click.Group):
    """The commands are the modules in `worpen_cli.commands`, each with a `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands."""
        folder = os.path.dirname(commands.__file__)
        return sorted(name[:-3] for name in os.listdir(folder) if name.endswith(".py") and not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None where there is no such module."""
        if not cmd_name.isidentifier() or cmd_name not in self.list_commands(ctx):
            return None
        command = import_module(f"{commands.__name__}.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name. Raises Stop with a suggestion where there is none."""
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from compiler.diagnostics.suggest import did_you_mean

            raise Stop(f"no such command: {args[0]}", help=did_you_mean(args[0], self.list_commands(ctx)))
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """First what it is for, then examples, then the commands and options."""
        self.format_help_text(ctx, formatter)
        write_examples(EXAMPLES, formatter)
        formatter.write_paragraph()
        self.format_usage(ctx, formatter)
        self.format_options(ctx, formatter)


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        context.ensure_object(Invocation).console.print_line(f"{PROGRAM} {__version__}")
        context.exit()


@click.group(
    cls=LazyGroup,
    context_settings={**CONTEXT_SETTINGS, "auto_envvar_prefix": ENVIRONMENT_PREFIX},
    no_args_is_help=False,
    invoke_without_command=True,
)
@click.option(
    "--version", "-V", is_flag=True, is_eager=True, expose_value=False, allow_from_autoenv=False,
    callback=_show_version, help="Show the version.",
)  # fmt: skip
@click.pass_context
def worpen(context: click.Context) -> None:
    """Real-time WebSocket backends described as data: checked, compiled, served."""
    if context.invoked_subcommand is None:
        context.ensure_object(Invocation).console.talk_rendered(context.get_help() + "\n")
        context.exit(ExitCode.USAGE)


worpen.params.extend(common_options())


def main(arguments: list[str], leave: Callable[[int], NoReturn] | None = None) -> int:
    """Run the program with these arguments; its exit code. `leave`: see `Invocation`."""
    invocation = Invocation(leave=leave)
    invocation.console.debug = "--debug" in arguments

    def command() -> int | None:
        # Not `worpen.main`: it ends the program with 1, our code for findings, when a pipe breaks.
        if COMPLETE_VARIABLE in os.environ:
            worpen.main(args=arguments, prog_name=PROGRAM, complete_var=COMPLETE_VARIABLE)
        try:
            with worpen.make_context(PROGRAM, list(arguments), obj=invocation) as context:
                result = worpen.invoke(context)
        except click.exceptions.Exit as leaving:
            return leaving.exit_code
        return result if isinstance(result, int) else None

    return guarded(command, invocation.console)


def run() -> NoReturn:
    """The entry point of the script `worpen`."""
    sys.exit(main(sys.argv[1:], os._exit))
