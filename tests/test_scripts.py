"""scripts/demo, scripts/test and .ci/run in a bare checkout, with a Python that only writes down
what it was asked to do."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMES = ("python3.11", "python3.12", "python3.13", "python3")

PYTHON = r"""#!/bin/bash
# A Python, too old or not, with the venv module or not; its venvs hold the tool below.
case "$*" in
    *version_info*) exit "$TOO_OLD" ;;
    *ensurepip*) exit "$NO_VENV" ;;
    "-m venv --clear "*) mkdir -p "$4/bin" && cp "$TOOL" "$4/bin/python" ;;
    *) exit 99 ;;
esac
"""
TOOL = r"""#!/bin/bash
# Any program of the made-up .venv.
echo "$(basename "$0") $*${HEARTSIM_REQUIRE_DATA:+ (data required)}" >>"$LOG"
here="$(dirname "$0")"
case "$(basename "$0") $*" in
    "python -m pip install"*)
        for name in heartsim ruff mypy; do cp "$0" "$here/$name"; done
        exit "$PIP_FAILS"
        ;;
    "heartsim demo --out "*)
        mkdir "$3"
        echo 'mesh = "x/biventricular.vtu"' >"$3/scenario.toml"
        ;;
    "$FAILS"*) exit 1 ;;
esac
"""


@pytest.fixture
def checkout(tmp_path):
    """A checkout with the scripts only, and a folder of Pythons that come first on PATH."""
    for name in ("scripts", ".ci"):
        shutil.copytree(ROOT / name, tmp_path / "project" / name)
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "project")
    for folder in ("heartsim", "tests", "benchmarks"):
        (tmp_path / "project" / folder).mkdir()
    (tmp_path / "bin").mkdir()
    for name in NAMES:
        (tmp_path / "bin" / name).write_text(PYTHON)
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "tool").write_text(TOOL)
    (tmp_path / "tool").chmod(0o755)
    return tmp_path


def run(checkout, script, *arguments, **setting):
    """Run a script; return what it gave and the list of what was asked of the tools."""
    path = f"{checkout / 'bin'}:{os.environ['PATH']}"
    log = checkout / "log"
    log.write_text("")
    env = {"PATH": path, "LOG": str(log), "TOOL": str(checkout / "tool")}
    env |= {"TOO_OLD": "0", "NO_VENV": "0", "PIP_FAILS": "0", "FAILS": "nothing"} | setting
    done = subprocess.run(
        ["bash", checkout / "project" / script, *arguments],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done, log.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("script", ["scripts/demo", "scripts/test", ".ci/run"])
@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        (
            {"NO_VENV": "1"},
            "python3.11 has no venv module; on Debian: apt-get install python3-venv",
        ),
        (
            {"TOO_OLD": "1"},
            "Python 3.11 or later is not here; on Debian: apt-get install python3 python3-venv",
        ),
    ],
)
def test_a_bare_machine_is_told_in_one_line_what_it_lacks(checkout, script, setting, sentence):
    done, asked = run(checkout, script, **setting)
    name = "demo" if script == "scripts/demo" else "test"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{name}: {sentence}\n")
    assert asked == []
    assert not (checkout / "project" / ".venv").exists()


def test_the_demo_installs_once_and_replaces_only_its_own_results(checkout):
    out = checkout / "project" / "runs" / "demo"
    demo = f"heartsim demo --out {out}"
    done, asked = run(checkout, "scripts/demo")
    assert done.returncode == 0, done.stderr
    assert asked[-1] == demo
    assert [line for line in asked if "pip install" in line] == [
        f"python -m pip install -qq --disable-pip-version-check -e {checkout / 'project'}"
    ]
    (out / "report.html").touch()
    done, asked = run(checkout, "scripts/demo")
    assert done.returncode == 0, done.stderr
    assert asked == [demo]  # no pip, hence no network
    assert not (out / "report.html").exists()

    (out / "scenario.toml").write_text('mesh = "mine.vtu"')
    done, asked = run(checkout, "scripts/demo")
    assert done.returncode == 2
    assert done.stderr == f"demo: {out} is not an earlier demo and is left alone; move it away\n"
    assert asked == []

    with (checkout / "project" / "pyproject.toml").open("a") as changed:
        changed.write("# another dependency\n")
    shutil.rmtree(out)
    _, asked = run(checkout, "scripts/demo")
    assert any("pip install" in line for line in asked)


def test_a_failed_installation_is_said_and_tried_again(checkout):
    for _ in range(2):
        done, asked = run(checkout, "scripts/demo", PIP_FAILS="1")
        assert done.returncode == 1
        assert "the installation failed" in done.stderr
        assert any("pip install" in line for line in asked)
        assert not any(line.startswith("heartsim") for line in asked)


@pytest.mark.parametrize(
    ("arguments", "pytest_sees"),
    [
        ((), "-m not long -rs"),
        (("--all",), "-m  -rs"),
        (("tests/mesh", "-x"), "-m not long -rs tests/mesh -x"),
        (("--all", "-k", "carp"), "-m  -rs -k carp"),
    ],
)
def test_tests_run_after_lint_and_types(checkout, arguments, pytest_sees):
    done, asked = run(checkout, "scripts/test", *arguments)
    assert done.returncode == 0, done.stderr
    code, files = "heartsim tests benchmarks scripts", "--dist loadfile --no-loadscope-reorder"
    assert asked[-4:] == [
        f"ruff check {code}",
        f"ruff format --check {code}",
        "mypy ",
        f"python -m pytest -n auto --maxprocesses 4 {files} {pytest_sees}",
    ]


def test_with_all_the_shared_data_is_required_where_it_lies_beside(checkout):
    (checkout / "shared" / "data").mkdir(parents=True)
    for arguments, required in (((), False), (("--all",), True)):
        _, asked = run(checkout, "scripts/test", *arguments)
        assert asked[-1].endswith("(data required)") == required


@pytest.mark.parametrize("broken", ["ruff check", "ruff format", "mypy", "python -m pytest"])
def test_the_exit_code_is_honest(checkout, broken):
    done, asked = run(checkout, ".ci/run", FAILS=broken)
    assert done.returncode == 1
    assert asked[-1].startswith(broken)


def test_unknown_arguments_and_help(checkout):
    done, asked = run(checkout, "scripts/demo", "--fast")
    assert done.returncode == 2
    assert "unknown argument --fast" in done.stderr
    for script in ("scripts/demo", "scripts/test"):
        done, asked = run(checkout, script, "--help")
        assert done.returncode == 0
        assert done.stdout.startswith(f"usage: {script}")
        assert asked == []


@pytest.mark.parametrize(("require", "code"), [("1", 1), (None, 0)])
def test_with_all_a_skipped_data_test_counts_as_failed(tmp_path, require, code):
    """The project's own conftest, with a data test that finds no data."""
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_data.py").write_text(
        "import pytest\n"
        "@pytest.mark.data\n"
        "def test_it(shared_data): pass\n"
        "@pytest.mark.skip(reason='another reason, not data')\n"
        "def test_other(): pass\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    data: needs data\n")
    env = os.environ | {"HEARTSIM_DATA": str(tmp_path / "nowhere")}
    env.pop("HEARTSIM_REQUIRE_DATA", None)
    if require is not None:
        env["HEARTSIM_REQUIRE_DATA"] = require
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout
    assert ("test_it needs the shared data" in done.stdout) == (code == 1)
    assert ("1 skipped" if code else "2 skipped") in done.stdout


def test_ratios_of_the_micro_benchmark_end_the_session_though_workers_print_nothing():
    """In a process of its own, with a worker as scripts/test has them."""
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "1", "--dist", "loadfile"]
    done = subprocess.run(
        [sys.executable, *words, "tests/benchmarks/test_micro.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    _, told = done.stdout.split("micro-benchmark: ratios to SciPy and NumPy in the same process")
    lines = [line for line in told.splitlines() if re.search(r": \d+\.\d\d times ", line)]
    assert [line.split(":")[0] for line in lines] == ["sparse product", "dot product", "TTP06 step"]
