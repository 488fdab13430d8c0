"""What every test may ask for: the shared data, and double precision."""

import os
from pathlib import Path

import jax
import pytest


def pytest_sessionstart():
    """Wide vectors, as the command line asks for them."""
    from heartsim import widen_vectors  # here, so that signatures are checked by then

    widen_vectors()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of shared data: HEARTSIM_DATA, or `../shared/data` beside the project."""
    default = Path(__file__).parents[2] / "shared" / "data"
    path = Path(os.environ.get("HEARTSIM_DATA", default))
    if not path.is_dir():
        pytest.skip(f"the shared data is not here ({path}); set HEARTSIM_DATA to its folder")
    return path


FIRST = ("fit/test_ten_hearts.py", "test_docs.py", "ionic/", "reference/", "scenario/", "devices/")


def pytest_collection_modifyitems(items):
    """Files that take minutes go first, so that no core waits for one at the end."""

    def late(item):
        name = item.path.relative_to(Path(__file__).parent).as_posix()
        return next((k for k, start in enumerate(FIRST) if name.startswith(start)), len(FIRST))

    items.sort(key=late)


@pytest.fixture(scope="module", autouse=True)
def forget_programs():
    """Compiled programs of a file go with it: kept, they came to gigabytes a process. Imports are
    no longer kept, nor checked."""
    yield
    jax.clear_caches()
    from heartsim.ionic import keep_imports  # here as above

    keep_imports(None)  # a command of the file may have asked for it


@pytest.fixture
def x64():
    """Run the test in double precision."""
    with jax.enable_x64(True):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """With HEARTSIM_REQUIRE_DATA set, a data test that is skipped counts as failed."""
    report = yield
    required = os.environ.get("HEARTSIM_REQUIRE_DATA") and item.get_closest_marker("data")
    if required and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.name} needs the shared data, and was skipped."
    return report


def pytest_terminal_summary(terminalreporter):
    """Ratios that tests recorded: what a worker of xdist prints is lost, what it reports is not."""
    reports = [r for name in ("passed", "failed") for r in terminalreporter.getreports(name)]
    lines = [line for r in reports for name, line in r.user_properties if name == "ratio"]
    if lines:
        terminalreporter.section("micro-benchmark: ratios to SciPy and NumPy in the same process")
        for line in lines:
            terminalreporter.write_line(line)
