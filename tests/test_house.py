"""The plan of the house, held to: who may import whom, sizes, and what an import may do."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "heartsim"
ORDER = [
    (
        "_code",
        "_depth",
        "_files",
        "_jit",
        "_linear",
        "_loops",
        "_memory",
        "_sizes",
        "_types",
        "_vectors",
    ),
    ("units",),
    ("mesh",),
    ("ionic",),
    ("fem",),
    ("anatomy",),
    ("tissue",),
    ("ecg",),
    ("fit", "therapy"),
    ("scenario",),
    ("viz",),
    ("cli",),
]
SEES_ONLY = {
    "ionic": {"_code", "_depth", "_files", "_linear", "_loops", "_sizes", "_types", "units"},
    "viz": {"_files", "_types", "units", "mesh"},
}
"""Packages that see less than all above them: a membrane needs no mesh, pictures no solver."""
FILES = sorted(ROOT.rglob("*.py"))


def allowed(package: str) -> set[str]:
    """What a package may import of heartsim."""
    if package in SEES_ONLY:
        return {package, *SEES_ONLY[package]}
    floor = next(k for k, names in enumerate(ORDER) if package in names)
    return {package}.union(*ORDER[:floor])


def imports(path: Path):
    """Names of heartsim's packages that a file imports, wherever in the file."""
    here = path.relative_to(ROOT).parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = ["heartsim", *here[:-1]][: len(here) - node.level + 1]
            names = [".".join([*base, node.module] if node.module else base)]
        elif isinstance(node, ast.ImportFrom) and node.module == "heartsim":
            names = [f"heartsim.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith("heartsim."))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_follow_the_plan(path):
    parts = path.relative_to(ROOT).parts
    if len(parts) == 1:
        return  # heartsim/__init__.py lists the public names of all packages
    outside = set(imports(path)) - allowed(parts[0])
    assert not outside, f"{path.name} imports {outside}, which do not stand above it"


def test_every_package_has_its_floor():
    packages = {p.name for p in ROOT.iterdir() if (p / "__init__.py").exists()}
    assert packages <= {name for floor in ORDER for name in floor}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_rooms_are_small(path):
    """Files under 300 lines, functions under 40 without their docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            doc = ast.get_docstring(node, clean=False)
            length = node.end_lineno - node.lineno + 1 - (len(doc.splitlines()) if doc else 0)
            assert length <= 40, f"{path.name}: {node.name} has {length} lines"


def test_import_sets_no_option_prints_nothing_and_loads_nothing_slow():
    code = (
        "import os, sys, jax; before = dict(jax.config.values), dict(os.environ); import heartsim; "
        "assert (dict(jax.config.values), dict(os.environ)) == before; "
        "slow = {f'scipy.{part}' for part in ('signal', 'stats', 'ndimage', 'interpolate')}; "
        "slow |= {'matplotlib', 'pyvista', 'vtkmodules', 'typer', 'myokit'}; "
        "loaded = slow & set(sys.modules); "
        "assert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert done.stderr == ""
