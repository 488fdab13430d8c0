"""What the electrodes of a scenario see: in an infinite medium, or in a torso."""

from pathlib import Path

import numpy as np
from jaxtyping import Array, Float

from heartsim.ecg import (
    CONDUCTIVITY,
    body_around,
    default_electrodes,
    lead_field,
    read_electrodes,
    torso_field,
)
from heartsim.mesh import Mesh, read_mesh
from heartsim.tissue import tensor

from ._read import locate
from ._schema import Ecg

Flags = tuple[str, ...]


def leads_of(
    ecg: Ecg, mesh: Mesh, inner: Mesh, cache: Path | None = None
) -> tuple[Float[np.ndarray, "electrodes nodes"] | None, Flags]:
    """The potential at each electrode per voltage at each node of `inner`, the conductive part of
    the heart `mesh`, and what to tell the user. Torso fields are kept in the folder `cache`."""
    if ecg.electrodes == "none":
        return None, ()
    if inner.dim < 3:
        return None, ("ecg: none, for a mesh without volume has no body surface around it",)
    if ecg.electrodes == "default":
        electrodes, flag = default_electrodes(inner)
        flags: Flags = (flag,)
    else:
        electrodes, flags = read_electrodes(locate(ecg.electrodes)), ()
    sigma_i = _tensor(inner, ecg.sigma_il_mS_mm, ecg.sigma_it_mS_mm)
    if inner.frames is None:
        flags += ("ecg: the mesh has no fibres, so that sigma_i = sigma_il in every direction",)
    if ecg.torso is None:
        return np.asarray(lead_field(inner, electrodes, sigma_i, ecg.sigma_bath_mS_mm)), flags
    if ecg.torso == "ellipsoid":
        torso = body_around(mesh)
        flags += torso.notes
    else:
        torso = read_mesh(locate(ecg.torso))
    sigma_e = _tensor(inner, ecg.sigma_el_mS_mm, ecg.sigma_et_mS_mm)
    around = CONDUCTIVITY | ecg.conductivity_mS_mm
    try:
        field = torso_field(torso, around, electrodes, inner, sigma_i, sigma_e, cache=cache)
    except ValueError as error:
        raise ValueError(f"[ecg] torso: {error}") from None
    return np.asarray(field), flags


def _tensor(mesh: Mesh, along: float, across: float) -> Float[Array, "cells 3 3"]:
    across = along if mesh.frames is None else across
    return tensor(mesh, along, across, across)
