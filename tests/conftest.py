"""What holds for every test: nothing is left out unnoticed, and no test is judged by a clock."""

from __future__ import annotations

import os
import signal
import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Generator

IN_CI = bool(os.environ.get("CI"))
LEFT_OUT = pytest.StashKey[int]()

settings.register_profile(
    "steady",
    deadline=None,
    max_examples=int(os.environ.get("VETUSTE_EXAMPLES", "100")),
    derandomize=IN_CI,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("steady")


def pytest_configure(config: pytest.Config) -> None:
    """Let children be interrupted, though a shell that started this in the background lets none be.

    And keep nothing in the cache of whoever runs the tests.
    """
    folder = tempfile.TemporaryDirectory(prefix="vetuste-cache-")
    config.add_cleanup(folder.cleanup)
    os.environ["XDG_CACHE_HOME"] = folder.name
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _has_no_data(item: pytest.Item) -> bool:
    """Whether a test has no parameters because what it reads (``tests/corpus.py``) is not there."""
    return any("empty parameter set" in str(mark.kwargs.get("reason")) for mark in item.iter_markers("skip"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what has no data here and, without root, what needs namespaces; in ``CI`` nothing."""
    if IN_CI:
        return
    items[:] = [item for item in items if not _has_no_data(item)]
    left_out = [item for item in items if os.geteuid() and item.get_closest_marker("namespaces")]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
        config.stash[LEFT_OUT] = len(left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The one line about tests that need root."""
    if number := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(
            f"{number} tests need root for network namespaces of their own and were left out: "
            "sudo .venv/bin/python -m pytest -m namespaces"
        )


def _as_failure(report: pytest.TestReport | pytest.CollectReport) -> None:
    if IN_CI and report.skipped:
        where = (
            report.longrepr if isinstance(report.longrepr, tuple) else (report.nodeid, "", report.longrepr)
        )
        report.outcome = "failed"
        vars(report).pop("wasxfail", None)  # or pytest would print a failure and still end with 0
        report.longrepr = (
            f"{where[0]}:{where[1]}: skipped or expected to fail, which CI does not accept: {where[2]}"
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped or expectedly failing test into a failed one, where ``CI`` is set."""
    report = yield
    _as_failure(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself while it is collected."""
    report = yield
    _as_failure(report)
    return report
