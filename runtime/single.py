"""One hook alone, verified and interpreted: for an expression that is evaluated by itself.

The loader's way (everything around the hook verified as well, Python made of it) costs more than the value of one
expression that mostly runs once; what the hook's safety rests on is verified here too.
"""

from __future__ import annotations

from compiler.bytecode.program import Program
from compiler.bytecode.verifier import verify_hook
from runtime.interpreter import build_hook
from runtime.seam import Context, Hook


def link_hook(program: Program, hook: str, context: Context) -> Hook:
    """One hook of a program's first route, ready to run. Raises LoadError where it does not pass verification."""
    route = program.routes[0]
    verify_hook(hook, route, program)
    return build_hook(program, route, route.hooks[hook], context)
