"""The project file: the nearest `worpen.toml`, or `pyproject.toml` with a table `[tool.worpen]`.

    prefix = "/api"          # where every route is served as well
    compression = true       # permessage-deflate, for routes that do not say otherwise
    [env]
    allow = ["SITE_NAME"]    # what the function `env` may read
    [limits]                 # what connections may cost the server, see docs/limits.md
    max_message_bytes = "256KiB"
    [sql]                    # also [redis] and [http], see docs/guides/data.md
    url = "sqlite:///chat.db"
    [validate]               # a table a command: its options, named as on the command line
    fail-on = "warning"

Precedence: flag > WORPEN_<COMMAND>_<FLAG> > project file > default.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from compiler.records import dataclass
from worpen_cli.console import Stop

if TYPE_CHECKING:
    from compiler.pipeline import Settings

DEFAULT_PREFIX: Final = "/api"
OWN_FILE: Final = "worpen.toml"
SHARED_FILE: Final = "pyproject.toml"
SHARED_TABLE: Final = "tool.worpen"
KEYS: Final = ("prefix", "compression")
"""Keys of the project file beside its tables."""
TABLES: Final = ("env", "http", "limits", "redis", "sql")
"""Tables of the project file beside those of the commands."""


@dataclass(frozen=True, slots=True)
class Project:
    """What the project file says. Without one, `path` is None, `root` the working folder and nothing is set."""

    root: str
    path: str | None = None
    table: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def prefix(self) -> str | None:
        """The prefix that the file sets."""
        value = self.table.get("prefix")
        if value is not None and not isinstance(value, str):
            raise self.mistake("prefix", 'is a text such as "/api"')
        return value

    @property
    def compression(self) -> bool:
        """Whether routes that do not say otherwise compress their messages (permessage-deflate)."""
        value = self.table.get("compression", False)
        if not isinstance(value, bool):
            raise self.mistake("compression", "is true or false")
        return value

    @property
    def environment(self) -> frozenset[str]:
        """Names of the environment that routes may read: `env.allow`."""
        names = self.section("env").get("allow", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise self.mistake("env.allow", "is a list of names")
        return frozenset(names)

    def settings(self, prefix: str | None = None) -> Settings:
        """What the compiler needs to know; `prefix` where a flag gave one."""
        from compiler.pipeline import Settings

        return Settings(prefix=self.chosen_prefix(prefix), environment=self.environment)

    def chosen_prefix(self, flag: str | None = None) -> str:
        """Where every route is served as well: what a flag says, else the file, else the default."""
        chosen = self.prefix if flag is None else flag
        return DEFAULT_PREFIX if chosen is None else chosen

    def section(self, name: str) -> Mapping[str, Any]:
        """The table `[name]`, empty where there is none. Raises Stop where it is no table."""
        section = self.table.get(name, {})
        if not isinstance(section, Mapping):
            raise self.mistake(name, "is a table")
        return section

    def mistake(self, key: str, wanted: str) -> Stop:
        """The end of a command whose project file is wrong: at which key, and what should stand there."""
        return Stop(f"{self.shown_path}: `{key}` {wanted}")

    @property
    def shown_path(self) -> str:
        """The project file as the user would write it."""
        return os.path.relpath(self.path) if self.path else ""

    @property
    def default_paths(self) -> tuple[str, ...]:
        """What a command works on when it is given no paths."""
        return (os.path.relpath(self.root),)


def find_project(start: str | os.PathLike[str] = os.curdir) -> Project:
    """The project that a folder (default: the working one) is in. Raises Stop for a file that cannot be read."""
    here = os.path.abspath(start)
    for folder in _upwards(here):
        for name, read in ((OWN_FILE, _read_own), (SHARED_FILE, _read_shared)):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and (table := read(path)) is not None:
                return Project(folder, path, table)
    return Project(here)


def _upwards(folder: str) -> Iterator[str]:
    """A folder and those around it."""
    yield folder
    while (parent := os.path.dirname(folder)) != folder:
        yield (folder := parent)


def _read_own(path: str) -> Mapping[str, Any]:
    return _parse(path, _text(path))


def _read_shared(path: str) -> Mapping[str, Any] | None:
    text = _text(path)
    if SHARED_TABLE not in text:  # nothing for us, well formed or not; and parsing costs time
        return None
    table: Any = _parse(path, text)
    for key in SHARED_TABLE.split("."):
        table = table.get(key) if isinstance(table, Mapping) else None
    if table is not None and not isinstance(table, Mapping):
        raise Stop(f"{os.path.relpath(path)}: `{SHARED_TABLE}` is a table")
    return table


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError:
        raise Stop(f"{os.path.relpath(path)}: the file is not UTF-8 text") from None
    except OSError as error:
        raise Stop(f"{os.path.relpath(path)}: {(error.strerror or str(error)).lower()}") from None


def _parse(path: str, text: str) -> Mapping[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Stop(f"{os.path.relpath(path)}: not valid TOML: {error}") from None
