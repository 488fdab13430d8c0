"""Where the command line keeps what is dear to compute twice."""

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """HEARTSIM_CACHE, or the user's cache folder of this system."""
    chosen = os.environ.get("HEARTSIM_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "heartsim"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "heartsim" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "heartsim"


def tuning_folder() -> Path:
    """Tuned conductivities, and limit cycles of cells."""
    return cache_folder() / "tuning"


def compile_folder() -> Path:
    """Compiled programs."""
    return cache_folder() / "compiled"


def use_caches() -> None:
    """Let JAX keep compiled programs, and imports of cell models be kept and checked, which is told
    on stderr."""
    import jax

    from heartsim.ionic import keep_imports

    jax.config.update("jax_compilation_cache_dir", str(compile_folder()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    keep_imports(cache_folder() / "cells", _tell)


def _tell(sentence: str, warns: bool) -> None:
    print(f"{'warning' if warns else 'note'}: {sentence}", file=sys.stderr)
