"""The command line of worpen.

Importing this package makes `compiler` and `runtime` importable, and makes sure that they are ours. Both
names are generic: in a wheel they live in `worpen_cli/_lib/`, out of everybody's way, and that folder
comes first on the path; in a source tree they stand beside this package. A `compiler` or `runtime` from
anywhere else (another distribution, something that was imported before) is refused with an ImportError.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

__version__ = "0.1.0"

PACKAGES = ("compiler", "runtime")
"""The packages that travel with this one."""


def _home() -> str:
    """The folder that holds our packages: `_lib` in a wheel, the project's root in a source tree."""
    here = os.path.dirname(os.path.realpath(__file__))
    bundled = os.path.join(here, "_lib")
    return bundled if os.path.isdir(bundled) else os.path.dirname(here)


def _origin(name: str) -> str | None:
    """The file that `import name` runs, or ran; None for a package without one."""
    try:
        spec = find_spec(name)
    except ValueError:  # already imported, by hand, without a spec
        return getattr(sys.modules[name], "__file__", None)
    return spec.origin if spec is not None else None


def adopt_packages(home: str) -> None:
    """Put `home` in front of the path. Raises ImportError where `compiler` or `runtime` is not the one in it."""
    if sys.path[:1] != [home]:
        sys.path.insert(0, home)
    for name in PACKAGES:
        origin = _origin(name)
        if origin is None or os.path.realpath(origin) != os.path.join(home, name, "__init__.py"):
            raise ImportError(
                f"worpen needs its own `{name}` from {home}, and `import {name}` gives {origin or 'another one'}."
                f" Something else called `{name}` is in the way: rename it, or give worpen an environment of its own.",
                name=name,
                path=origin,
            )


adopt_packages(_home())
