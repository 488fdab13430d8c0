"""What the electrodes of a scenario see: in an infinite medium, or in a torso."""

import dataclasses
from pathlib import Path

import numpy as np
from jaxtyping import Array, Float

from heartsim.ecg import (
    CONDUCTIVITY,
    Chest,
    HeartPosition,
    body_around,
    default_electrodes,
    lead_field,
    moved_body,
    read_electrodes,
    torso_field,
)
from heartsim.mesh import Mesh, did_you_mean, heart_axes, read_mesh
from heartsim.tissue import tensor

from ._read import locate
from ._schema import Ecg

Flags = tuple[str, ...]
Electrodes = dict[str, Float[np.ndarray, " 3"]]


def leads_of(
    ecg: Ecg, mesh: Mesh, inner: Mesh, cache: Path | None = None
) -> tuple[Float[np.ndarray, "electrodes nodes"] | None, Flags]:
    """The potential at each electrode per voltage at each node of `inner`, the conductive part of
    the heart `mesh`, and what to tell the user. Torso fields are kept in the folder `cache`."""
    if ecg.electrodes == "none":
        return None, ()
    if inner.dim < 3:
        return None, ("ecg: none, for a mesh without volume has no body surface around it",)
    electrodes, flags = _electrodes(ecg, mesh)
    sigma_i = _tensor(inner, ecg.sigma_il_mS_mm, ecg.sigma_it_mS_mm)
    if inner.frames is None:
        flags += ("ecg: the mesh has no fibres, so that sigma_i = sigma_il in every direction",)
    if ecg.torso is None:
        return np.asarray(lead_field(inner, electrodes, sigma_i, ecg.sigma_bath_mS_mm)), flags
    torso, notes = _torso(ecg, mesh)
    sigma_e = _tensor(inner, ecg.sigma_el_mS_mm, ecg.sigma_et_mS_mm)
    around = CONDUCTIVITY | _by_name(ecg.conductivity_mS_mm, torso)
    try:
        field = torso_field(torso, around, electrodes, inner, sigma_i, sigma_e, cache=cache)
    except ValueError as error:
        raise ValueError(f"[ecg] torso: {error}") from None
    return np.asarray(field), flags + notes


def _by_name(given: dict[str, float], torso: Mesh) -> dict[str, float]:
    """Conductivities by the names of the torso's regions, where they are given by tag."""
    names = {str(tag): name for name, tag in torso.region_names}
    names |= {str(tag): names.get(str(tag), str(tag)) for tag in np.unique(torso.regions).tolist()}
    known = [*names.values(), *names]
    for key in given:
        if key not in known:
            raise ValueError(
                f"[ecg] conductivity_mS_mm: the torso has no region {key!r}"
                f"{did_you_mean(key, known)}; it has {', '.join(sorted(set(names.values())))}."
            )
    return {names.get(key, key): value for key, value in given.items()}


def _electrodes(ecg: Ecg, mesh: Mesh) -> tuple[Electrodes, Flags]:
    """Where they are around the heart in its position, and what to tell the user."""
    position, chest = _body(ecg)
    if ecg.electrodes == "default":
        try:
            electrodes, flag = default_electrodes(mesh, position, chest)
        except ValueError as error:
            raise ValueError(f"[ecg] position or chest: {error}") from None
        flags: Flags = (flag,)
    else:
        electrodes, flags = read_electrodes(locate(ecg.electrodes)), ()
        if position is not None:
            axes = heart_axes(mesh)
            places = moved_body(np.array(list(electrodes.values())), axes, position)
            electrodes, flags = dict(zip(electrodes, places, strict=True)), (axes.flag,)
    if position is not None:
        flags += (
            f"ecg: heart moved from where it usually lies ({position}); left, back and head as "
            "the heart's own axes have them",
        )
    return electrodes, flags


def _torso(ecg: Ecg, mesh: Mesh) -> tuple[Mesh, Flags]:
    """The body around the heart in its position, and what to tell the user."""
    position, chest = _body(ecg)
    if ecg.torso == "ellipsoid":
        try:
            torso = body_around(mesh, position=position, chest=chest)
        except ValueError as error:
            raise ValueError(f"[ecg] torso: {error}") from None
        return torso, torso.notes
    torso = read_mesh(locate(str(ecg.torso)))
    if position is None:
        return torso, ()
    points = moved_body(torso.points, heart_axes(mesh), position)
    return dataclasses.replace(torso, points=points), ()


def _body(ecg: Ecg) -> tuple[HeartPosition | None, Chest | None]:
    position = None if ecg.position is None else ecg.position.made
    return position, None if ecg.chest is None else ecg.chest.made


def _tensor(mesh: Mesh, along: float, across: float) -> Float[Array, "cells 3 3"]:
    across = along if mesh.frames is None else across
    return tensor(mesh, along, across, across)
