"""What every test shares: hypothesis profiles, the canary, and where the project and the conformance files are.

`HYPOTHESIS_PROFILE=deep` looks longer and differently each time; the default, `ci`, gives the same examples on
every run, so that a failure is a change of the code and nothing else.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import canary

PROJECT = Path(__file__).resolve().parent.parent

settings.register_profile("ci", derandomize=True, deadline=None, database=None, max_examples=100)
settings.register_profile(
    "deep", deadline=None, max_examples=5_000, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


pytest_runtest_makereport = canary.pytest_runtest_makereport


def pytest_configure() -> None:
    """Look for secrets in everything that tests print, and hear Ctrl-C."""
    canary.watch()
    # A shell lets what runs in its background ignore Ctrl-C, and so would every program that a test interrupts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update` writes the expectations of golden files anew."""
    parser.addoption("--update", action="store_true", help="write the expectations of golden files anew")


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether expectations are to be written instead of compared."""
    return bool(request.config.getoption("--update"))


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's root."""
    return PROJECT


@pytest.fixture(scope="session")
def conformance() -> Path:
    """The folder of conformance files beside the project; skips where there is none."""
    folder = PROJECT.parent / "shared" / "conformance"
    if not folder.is_dir():
        pytest.skip(f"no conformance files at {folder}")
    return folder
