"""A pytest plugin: a test marked `browser` or `network` may not be skipped, it has failed."""

from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    expected_failure = hasattr(report, "wasxfail")
    must_run = any(item.get_closest_marker(name) for name in ("browser", "network"))
    if report.skipped and must_run and not expected_failure:
        report.outcome = "failed"
        report.longrepr = f"skipped, but it must run here: {report.longrepr}"
    return report
