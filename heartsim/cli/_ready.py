"""What a process of the command line does first."""

from heartsim._vectors import widen_vectors

from ._cache import use_caches


def make_ready() -> None:
    """Ask for wide vectors and for caches, of which the library itself asks for neither."""
    widen_vectors()
    use_caches()
