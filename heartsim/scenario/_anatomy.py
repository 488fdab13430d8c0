"""From a heart on file to one with surfaces, coordinates, segments and fibres."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int

from heartsim.anatomy import (
    LV,
    RV,
    SEGMENTS,
    SEPTUM,
    UVC_APEX,
    VALVES,
    FibreAngles,
    Heart,
    OutflowAngles,
    cut_faces,
    describe_heart,
    valve_nodes,
)
from heartsim.mesh import (
    Mesh,
    read_mesh,
    require_heart_size,
    require_sound,
    signed_volumes,
    submesh,
)

from ._check import mesh_rows
from ._rows import Rows, row


def anatomy_of(
    path: str | Path,
    *,
    unit: str | None = None,
    keep: Sequence[str | int] = (),
    left: tuple[float, float, float] | None = None,
    angles: FibreAngles | OutflowAngles | None = None,
    valves: Mapping[str, str | int] | None = None,
    uvc_apex: float = UVC_APEX,
    landmarks: Sequence[str] = (),
    stage: Callable[[str], None] = lambda _: None,
) -> tuple[Mesh, Rows]:
    """The ventricles of a mesh on file with what their shape tells, and its numbers.

    `keep` names their regions where the file has atria or vessels too: where these are cut away
    is base. `valves` names the region behind each valve (mitral, aortic, tricuspid, pulmonary):
    the nodes where it was cut away become a node set. `left` [mm] is a point in the left cavity,
    for a heart that leaves it open; `uvc_apex` and `landmarks`, each as NAME=X,Y,Z [mm], as
    in `describe_heart`; `stage` is told what begins. ValueError names the file and what was wanted.
    """
    stage("reading")
    places = dict(named_numbers("landmark", text, "apex=20,11,12") for text in landmarks)
    whole = read_mesh(path, unit=unit)
    require_heart_size(whole, "mm" if unit is None else unit, str(path))
    mesh, cut = kept_and_cut(whole, keep)
    if valves:
        mesh = _with_valves(path, whole, mesh, keep, valves)
    require_sound(mesh, str(path))
    try:
        given = {name: np.array(place) for name, place in places.items()}
        inside = None if left is None else np.array(left)
        heart = describe_heart(
            mesh, angles, cut, inside, uvc_apex=uvc_apex, landmarks=given, stage=stage
        )
    except ValueError as fault:
        raise ValueError(f"{path}: {str(fault).removeprefix('anatomy: ')}") from None
    return heart.mesh, mesh_rows(heart.mesh) | heart_rows(heart)


def named_numbers(
    option: str, text: str, example: str, counts: Sequence[int] = (3,)
) -> tuple[str, list[float]]:
    """NAME=X,Y,Z, or with as many numbers as `counts` allows; ValueError names the option."""
    name, _, place = text.partition("=")
    try:
        numbers = [float(part) for part in place.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in counts or not np.isfinite(numbers).all():
        more = " or NAME=X,Y,Z,RADIUS" if 4 in counts else ""
        raise ValueError(f"--{option} {text}: NAME=X,Y,Z{more} in mm is wanted, such as {example}.")
    return name, numbers


def kept_and_cut(
    whole: Mesh, keep: Sequence[str | int]
) -> tuple[Mesh, Int[np.ndarray, "cut 3"] | None]:
    """The regions to keep, all where none is named, and the faces where the rest was cut away."""
    if not keep:
        return whole, None
    mesh, nodes = _kept(whole, keep)
    return mesh, cut_faces(whole, mesh, nodes) if mesh.dim == 3 else None


def _kept(whole: Mesh, keep: Sequence[str | int]) -> tuple[Mesh, Int[np.ndarray, " nodes"]]:
    tags = [whole.region_tag(region) for region in keep]
    return submesh(whole, np.isin(np.asarray(whole.regions), tags))


def _with_valves(
    path: str | Path,
    whole: Mesh,
    mesh: Mesh,
    keep: Sequence[str | int],
    valves: Mapping[str, str | int],
) -> Mesh:
    """The regions that are kept, with the nodes of the valves."""
    if not keep:
        raise ValueError(
            f"{path}: valves are where the regions behind them are cut away, and none is; name the "
            "regions of the ventricles (keep)."
        )
    nodes, sets = _kept(whole, keep)[1], dict(mesh.node_sets)
    for valve, region in valves.items():
        tag = whole.region_tag(region)
        sets[valve] = valve_nodes(whole, mesh, nodes, tag)
        if tag in map(whole.region_tag, keep) or not np.size(sets[valve]):
            raise ValueError(
                f"{path}: region {region} does not begin where the ventricles that are kept end, "
                f"so that it tells no {valve} valve; name the atrium or the vessel behind it."
            )
    return dataclasses.replace(mesh, node_sets=sets)


def heart_rows(heart: Heart) -> Rows:
    """What was found in the shape of a heart."""
    mesh, axis = heart.mesh, heart.axis
    volume = signed_volumes(mesh.points, mesh.cells) / 1000
    chamber, segment = mesh.cell_data["chamber"], mesh.cell_data["segment"]
    rows = {
        "surfaces_by": row(heart.surfaces.how, "", "what told the surfaces apart"),
        "apex_mm": row(
            axis.apex.round(2).tolist(), "mm", "epicardial node farthest below the base, or given"
        ),
        "base_mm": row(axis.base.round(2).tolist(), "mm", "middle of the rim of the left cavity"),
        "long_axis_mm": row(
            float(np.linalg.norm(axis.base - axis.apex)), "mm", "from apex_mm to base_mm"
        ),
        "septum_degrees": row(
            float(np.degrees(heart.septum)),
            "degrees",
            "between the insertions of the right ventricle around the left cavity, half-way up; "
            "null: one ventricle",
        ),
    }
    rows |= _opening_rows(heart)
    for name, tags, words in (
        ("left", (LV, SEPTUM), "muscle of the left ventricle with septum"),
        ("septum", (SEPTUM,), "muscle between the cavities"),
        ("right", (RV,), "muscle of the right free wall"),
    ):
        muscle = float(volume[np.isin(chamber, tags)].sum())
        rows[f"{name}_muscle_mL"] = row(muscle, "mL", words)
    for number in np.unique(segment).tolist():
        rows[f"segment_{number}_mL"] = row(
            float(volume[segment == number].sum()), "mL", f"muscle, {SEGMENTS[number - 1]}"
        )
    return rows


def _opening_rows(heart: Heart) -> Rows:
    """Where the cavities open, and where their valves are."""
    mesh, rows = heart.mesh, {}
    x = np.asarray(mesh.points)
    for side, name in (("left", "lv_endo"), ("right", "rv_endo")):
        if name in heart.surfaces.faces:
            rims = [x[rim].mean(axis=0).round(2) for rim in heart.surfaces.openings(name)]
            words = (
                "middle of each rim of the cavity, the longest first: of valves, or of two that "
            )
            rows[f"{side}_openings_mm"] = row([m.tolist() for m in rims], "mm", words + "share it")
    for valve in (valve for pair in VALVES.values() for valve in pair):
        if valve in mesh.node_sets:
            middle = x[mesh.node_sets[valve]].mean(axis=0).round(2).tolist()
            rows[f"{valve}_mm"] = row(middle, "mm", "middle of that valve's nodes")
    return rows
