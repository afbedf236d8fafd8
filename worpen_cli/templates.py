"""What `worpen new` starts a project with: the examples, exactly as they are.

They stand beside the packages `compiler` and `runtime`: in the tree in `examples/`, in a wheel in `_lib/examples/`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import compiler
from compiler.diagnostics.suggest import did_you_mean
from worpen_cli.console import Stop
from worpen_cli.project import OWN_FILE

TEMPLATES: Final = ("echo", "chat", "rooms", "game", "notifications")
EXAMPLES: Final = Path(compiler.__file__).parent.parent / "examples"
SYNONYMS: Final = {
    "hello": "echo",
    "minimal": "echo",
    "broadcast": "chat",
    "room": "rooms",
    "channels": "rooms",
    "counter": "game",
    "pubsub": "notifications",
    "subscribe": "notifications",
}
PROJECT_FILE: Final = """\
# The project file of worpen: without paths, its commands work on the routes in this folder and below.

# Every route is served at its own path, and under this prefix as well.
prefix = "/api"
"""


def files_of(template: str) -> dict[str, str]:
    """The files of a new project, by name. Raises Stop for a template that there is not."""
    if template not in TEMPLATES:
        raise Stop(f"no template is called {template}", help=did_you_mean(template, TEMPLATES, SYNONYMS))
    names = (f"{template}.yaml", f"{template}.test.yaml")
    return {name: (EXAMPLES / name).read_text(encoding="utf-8") for name in names} | {OWN_FILE: PROJECT_FILE}


def make_project(folder: Path, files: dict[str, str]) -> list[Path]:
    """Write files into a new or empty folder, and return their paths. Raises Stop where something is there already."""
    if folder.is_dir() and any(folder.iterdir()):
        raise Stop(f"{folder} is not empty; nothing was written", help="name a folder that is not there yet")
    if folder.exists() and not folder.is_dir():
        raise Stop(f"{folder} is there already and is no folder; nothing was written")
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in files.items():
        with (folder / name).open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
        written.append(folder / name)
    return written
