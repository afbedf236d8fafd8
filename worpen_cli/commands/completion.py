"""`worpen completion`: a script that makes a shell complete commands, options and paths."""

from __future__ import annotations

from typing import Final

import click

from worpen_cli.command import Command, Invocation, pass_invocation

PROGRAM: Final = "worpen"
COMPLETE_VARIABLE: Final = "_WORPEN_COMPLETE"

# PowerShell asks the program in the way that bash does: words and the word's number in the environment,
# one `type,value` a line back. Paths are left to the shell.
POWERSHELL: Final = """\
Register-ArgumentCompleter -Native -CommandName worpen -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $elements = $commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -le $cursorPosition }
    $before = @($elements | ForEach-Object { $_.ToString() })
    $number = $before.Count
    if ($wordToComplete) { $number = $number - 1 }
    $env:COMP_WORDS = $before -join " "
    $env:COMP_CWORD = $number
    $env:_WORPEN_COMPLETE = "bash_complete"
    try {
        worpen | ForEach-Object {
            $kind, $value = $_ -split ",", 2
            if ($kind -eq "plain" -and $value) {
                [System.Management.Automation.CompletionResult]::new($value, $value, "ParameterValue", $value)
            }
        }
    } finally {
        Remove-Item Env:COMP_WORDS, Env:COMP_CWORD, Env:_WORPEN_COMPLETE -ErrorAction SilentlyContinue
    }
}
"""

SHELLS: Final = ("bash", "zsh", "fish", "powershell")


def completion_script(shell: str) -> str:
    """The script for one of `SHELLS`."""
    if shell == "powershell":
        return POWERSHELL
    from click.shell_completion import get_completion_class

    generator = get_completion_class(shell)
    assert generator is not None
    return generator(click.Command(PROGRAM), {}, PROGRAM, COMPLETE_VARIABLE).source()


@click.command(
    "completion",
    cls=Command,
    short_help="Print a completion script for a shell.",
    examples=(
        ('eval "$(worpen completion bash)"', "in ~/.bashrc; the same for zsh"),
        ("worpen completion fish | source", "in ~/.config/fish/config.fish"),
        ("worpen completion powershell | Out-String | iex", "in $PROFILE"),
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
@pass_invocation
def command(invocation: Invocation, shell: str) -> None:
    """Print a script that makes a shell complete worpen's commands, options and paths."""
    invocation.console.print_rendered(completion_script(shell))
