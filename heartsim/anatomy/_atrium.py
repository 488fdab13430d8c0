"""All that is known about an atrium from its shape: openings, fields, bundles, fibres."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from heartsim.mesh import Mesh, boundary_triangles, parts_of, submesh

from ._atrial_rule import BUNDLES, AtrialBundles, atrial_fields, right_sets, rule_frames
from ._laplace import harmonic, laplacian
from ._openings import (
    LEFT_VEINS,
    OPENINGS,
    RIGHT_VEINS,
    VALVES,
    Opening,
    Rim,
    find_openings,
    shell_rims,
    wall_rims,
)
from ._surfaces import Surfaces, find_surfaces

STALE = ("fibres:", "sheets:", "regions: none", "openings:")


@dataclasses.dataclass(frozen=True)
class Atrium:
    """A mesh with everything its shape tells."""

    mesh: Mesh
    """Node sets of the openings, and of a wall endo and epi; point data of the rule's fields, and
    of a wall transmural; cell data bundle; frames."""
    side: str
    openings: dict[str, Rim]
    unnamed: list[Rim]
    """Rims without a name, which no field knows of."""


def describe_atrium(
    mesh: Mesh,
    side: str,
    frame: str | None = None,
    openings: Sequence[Opening] = (),
    bundles: AtrialBundles | None = None,
    cut: Int[np.ndarray, "cut 3"] | None = None,
) -> Atrium:
    """Openings (`find_openings`: `frame`, `openings`), fields, bundles and fibres (`rule_frames`)
    of one atrium, `side` left or right, a shell of triangles or a wall of tetrahedra; fields of the
    same names are replaced.

    Of a shell in several parts only the largest is kept, and a note says so. A wall's endocardium
    and epicardium are its node sets endo and epi, or else told apart as those of ventricles are
    (`find_surfaces`: `cut`), and the openings are where it is cut. Where the mesh has one region
    only, its cells are told apart by bundle. ValueError where something is missing, and for lines.
    """
    if mesh.dim == 1:
        raise ValueError("the mesh has lines only, so no atrium.")
    mesh = _largest_part(mesh)
    surfaces, rims = ({}, shell_rims(mesh)) if mesh.dim == 2 else wall_of_mesh(mesh, cut)
    found, unnamed = find_openings(mesh, side, rims, frame, openings)
    depth = None
    if mesh.dim == 3:
        given = np.full(mesh.n_nodes, np.nan)
        given[surfaces["epi"]], given[surfaces["endo"]] = 1.0, 0.0
        depth = np.clip(harmonic(laplacian(mesh), given), 0.0, 1.0)
    fields = atrial_fields(mesh, side, _sets(mesh, side, found))
    frames, bundle = rule_frames(mesh, side, fields, depth, bundles)
    kept = {name: nodes for name, nodes in mesh.node_sets.items() if name not in OPENINGS[side]}
    told = {} if depth is None else {"transmural": depth}
    alone = len(np.unique(mesh.regions)) == 1
    names = tuple((name, tag) for name, tag in BUNDLES.items() if (bundle == tag).any())
    mesh = dataclasses.replace(
        mesh,
        frames=frames,
        regions=bundle if alone else mesh.regions,
        region_names=names if alone else mesh.region_names,
        node_sets={**kept, **surfaces, **{k: rim.nodes for k, rim in found.items()}},
        point_data={**mesh.point_data, **fields, **told},
        cell_data={**mesh.cell_data, "bundle": bundle},
        notes=_notes(mesh, found, unnamed),
    )
    return Atrium(mesh, side, found, unnamed)


def _largest_part(mesh: Mesh) -> Mesh:
    """The part that has most cells, with a note where there were others."""
    part = parts_of(mesh.cells, mesh.n_nodes)[np.asarray(mesh.cells)[:, 0]]
    count = np.bincount(part)
    if (count > 0).sum() == 1:
        return mesh
    kept = part == count.argmax()
    note = f"cells: {(~kept).sum()} that do not hang together with the atrium were left out"
    mesh, _ = submesh(mesh, kept)
    return dataclasses.replace(mesh, notes=(*mesh.notes, note))


def wall_of_mesh(
    mesh: Mesh, cut: Int[np.ndarray, "cut 3"] | None
) -> tuple[dict[str, Int[np.ndarray, " _set"]], list[Rim]]:
    """Nodes of endocardium and epicardium, and where the wall is cut open."""
    if {"endo", "epi"} <= set(mesh.node_sets):
        endo, epi = (np.asarray(mesh.node_sets[name], np.int32) for name in ("endo", "epi"))
        faces = boundary_triangles(mesh)
        inside = [np.isin(faces, nodes).all(axis=1) for nodes in (endo, epi)]
        return {"endo": endo, "epi": epi}, wall_rims(mesh, faces[~inside[0] & ~inside[1]])
    surfaces = _told_apart(mesh, cut)
    if "rv_endo" in surfaces.faces:
        raise ValueError(
            "two cavities were found, one is wanted: keep the regions of one atrium (--keep), or "
            "give node sets endo and epi."
        )
    sets = {"endo": surfaces.nodes("lv_endo"), "epi": surfaces.nodes("epi")}
    return sets, wall_rims(mesh, surfaces.faces["base"])


def _told_apart(mesh: Mesh, cut: Int[np.ndarray, "cut 3"] | None) -> Surfaces:
    try:
        return find_surfaces(mesh, cut)
    except ValueError:
        raise ValueError(
            "the wall's surface does not come apart into an outer and an inner one along the rims "
            "of its openings; give node sets endo and epi, and one for each opening, or cut the "
            "openings with sharp rims."
        ) from None


def _sets(mesh: Mesh, side: str, found: dict[str, Rim]) -> dict[str, Int[np.ndarray, " _set"]]:
    """The openings as the rule's fields name them."""

    def together(names: Sequence[str]) -> Int[np.ndarray, " _set"]:
        return np.concatenate([found[name].nodes for name in names if name in found])

    sets = {"valve": found[VALVES[side]].nodes}
    if "appendage" in found:
        sets["appendage"] = found["appendage"].nodes
    if side == "left":
        return sets | {"left_veins": together(LEFT_VEINS), "right_veins": together(RIGHT_VEINS)}
    middles: dict[str, Float[np.ndarray, " 3"]] = {k: rim.middle for k, rim in found.items()}
    sets |= {name: found[name].nodes for name in ("svc", "ivc")}
    return sets | right_sets(mesh, sets["valve"], middles)


def _notes(mesh: Mesh, found: dict[str, Rim], unnamed: Sequence[Rim]) -> tuple[str, ...]:
    kept = [note for note in mesh.notes if not note.startswith(STALE)]
    kept.append("fibres: atrial, by rule (Piersanti 2021), the same through the wall; not measured")
    if unnamed:
        kept.append(f"openings: {len(unnamed)} have no name, and the rule does not know of them")
    veins = sum(name in found for name in (*LEFT_VEINS, *RIGHT_VEINS))
    if veins > 4:
        kept.append(f"openings: {veins} count as pulmonary veins; if one is the appendage, name it")
    return tuple(kept)
