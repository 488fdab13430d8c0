"""Maps of activation, repolarisation and action potential duration on the heart's surface."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from heartsim._types import AnyArray
from heartsim.mesh import Mesh, boundary_triangles, heart_axes, read_mesh

from ._atrial_views import SIDES, atrial_views
from ._figure import save_png
from ._map import Field, map_figure
from ._raster import View

FIELDS = {
    "activation_ms": Field("Activation", "activation time (ms)", "total", "never activated"),
    "repolarisation_ms": Field(
        "Repolarisation", "repolarisation time (ms)", "dispersion", "not repolarised"
    ),
    "apd90_ms": Field("APD90", "APD90 (ms)", "dispersion", "not repolarised"),
}


def activation_png(
    mesh: str | Path | Mesh,
    out: str | Path,
    *,
    field: str = "activation_ms",
    values: Float[AnyArray, " nodes"] | None = None,
    isochrone_ms: float = 10.0,
    uniform: bool = False,
) -> None:
    """Draw anterior, posterior and basal views of a time on the heart's surface, and of an atrium's
    from four sides.

    `mesh` is a Mesh or a file that `read_mesh` takes; `values` [ms] default to its point data
    `field` (activation_ms, repolarisation_ms or apd90_ms). Red is earliest, purple latest
    (`uniform`: yellow to blue, see `time_colours`), grey is NaN; dark lines lie every
    `isochrone_ms`. Sides are named after the heart's own axes. ValueError for an unknown or
    missing field, values that do not fit the mesh, lines, a spacing that is not positive.
    """
    if field not in FIELDS:
        raise ValueError(f"activation_png: field {field!r} is unknown; use {', '.join(FIELDS)}.")
    name = "activation_png"
    if not isinstance(mesh, Mesh):
        name, mesh = str(mesh), read_mesh(mesh)
    shown = _values(mesh, field, values, name)
    views, note = map_views(mesh)
    figure = map_figure(
        mesh.points,
        boundary_triangles(mesh),
        shown,
        views,
        FIELDS[field],
        isochrone_ms=isochrone_ms,
        uniform=uniform,
        note=note,
    )
    save_png(figure, out)


def _values(mesh, field, values, name):
    """The times to draw: `values` or else the mesh's `field`, one for each node."""
    if values is None:
        if field not in mesh.point_data:
            raise ValueError(f"{name}: point data {field!r} is missing; a run writes it.")
        values = mesh.point_data[field]
    if values.shape != (mesh.n_nodes,):
        raise ValueError(f"{name}: {values.size} values, but the mesh has {mesh.n_nodes} nodes.")
    return values


def map_views(mesh: Mesh) -> tuple[list[View], str]:
    """The sides from which a heart, or an atrium alone, is drawn, and what to know about them."""
    views = atrial_views(mesh)
    if views:
        return views, SIDES
    axes = heart_axes(mesh)
    views = heart_views(axes.apex_to_base, axes.right_to_left, axes.posterior_to_anterior)
    return views, f"{axes.flag}; they follow the heart, not the chest"


def heart_views(
    apex_to_base: Float[AnyArray, " 3"],
    right_to_left: Float[AnyArray, " 3"],
    posterior_to_anterior: Float[AnyArray, " 3"],
) -> list[View]:
    """From the front, from behind, and onto the base: the front view tilted towards the viewer,
    so that the heart's left stays on the reader's right. Unit vectors as `heart_axes` has them.
    """
    base, left, front = (
        np.asarray(axis) for axis in (apex_to_base, right_to_left, posterior_to_anterior)
    )
    return [
        View("Anterior", left, base, front, "R", "L", "base", "apex"),
        View("Posterior", -left, base, -front, "L", "R", "base", "apex"),
        View("Basal", left, -front, base, "R", "L", "posterior", "anterior"),
    ]
