"""`heartsim doctor`."""

import importlib.util
import os
import platform
import shutil
from importlib.metadata import version
from pathlib import Path

from heartsim.scenario import Rows, row

from ._cache import cache_folder
from ._options import Json
from ._show import show


def doctor(as_json: Json = False) -> None:
    """Devices, precision, versions, caches, rendering: what works here, how to mend the rest."""
    rows = _versions() | _devices() | _places() | _rendering()
    show(rows, as_json=as_json, title="heartsim doctor")


def _versions() -> Rows:
    rows = {"python": row(platform.python_version(), "", "interpreter; 3.11 or later is needed")}
    for package in ("heartsim", "jax", "jaxlib", "equinox", "numpy", "pyvista", "vtk"):
        rows[package] = row(version(package), "", "installed version")
    return rows


def _devices() -> Rows:
    """Computes one sum in each precision on each device, rather than believe that it works."""
    import jax
    import jax.numpy as jnp

    devices = jax.devices()
    rows = {
        "devices": row([str(d) for d in devices], "", "what JAX computes on"),
        "processors": row(_processors(), "1", "processors that this process may use"),
        "xla_flags": row(os.environ.get("XLA_FLAGS", ""), "", "what XLA is asked for: XLA_FLAGS"),
    }
    for precision in ("float32", "float64"):
        with jax.enable_x64(precision == "float64"):
            good = all(
                float(jnp.sum(jax.device_put(jnp.arange(4.0, dtype=precision), d))) == 6.0
                for d in devices
            )
        rows[precision] = row(good, "", "whether every device computes in this precision")
    if devices[0].platform == "cpu" and shutil.which("nvidia-smi"):
        rows["advice_gpu"] = row(
            "there is an NVIDIA driver, but JAX sees no GPU: pip install 'heartsim[cuda]'", "", ""
        )
    return rows


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _places() -> Rows:
    cache = cache_folder()
    held = sum(p.stat().st_size for p in cache.rglob("*") if p.is_file())
    return {
        "cache": row(
            str(cache), "", "compiled programs, tuned conductivities, limit cycles; HEARTSIM_CACHE"
        ),
        "cache_MB": row(held / 1e6, "MB", "what it holds; it may be removed at any time"),
        "free_disk_GB": row(shutil.disk_usage(Path.cwd()).free / 1e9, "GB", "in this folder"),
        "free_memory_GB": row(_free_memory(), "GB", "memory that is free now"),
    }


def _free_memory() -> float | None:
    """GB, where the system tells it the way Linux does."""
    info = Path("/proc/meminfo")
    if not info.is_file():
        return None
    lines = dict(line.split(":") for line in info.read_text(encoding="utf-8").splitlines())
    return float(lines["MemAvailable"].split()[0]) / 1e6


def _rendering() -> Rows:
    """Pictures need no OpenGL; VTK's own window does, and only reading and writing files is
    asked of it here."""
    rows = {
        "pictures": row(
            importlib.util.find_spec("matplotlib") is not None,
            "",
            "whether maps, ECG and report can be drawn: without display and without OpenGL",
        )
    }
    try:
        importlib.import_module("vtkmodules.vtkIOXML")
        rows["vtk_files"] = row(True, "", "whether .vtu files can be read and written")
    except ImportError as error:
        advice = f"no: {error}; on Debian: apt install libgl1 libxrender1"
        rows["vtk_files"] = row(advice, "", "whether .vtu files can be read and written")
    return rows
