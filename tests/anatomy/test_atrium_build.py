"""Atria from labels: a ball with tubes, which is known exactly, and a real heart as voxels."""

import dataclasses
import json

import numpy as np
import pytest
import pyvista
from scipy import ndimage
from scipy.spatial import cKDTree

from heartsim import anatomy
from heartsim.anatomy._bodies import samples_of
from heartsim.cli import run_command
from heartsim.mesh import boundary_triangles, dihedral_angles, preflight, read_mesh
from heartsim.mesh._atria import HOLES, RADIUS
from tests.anatomy.test_atrium import INLETS
from tests.shells import NAMES, holes

CAVITY, VALVE = 1, 2
WALL = 3.0  # mm, on edges of 2 mm


def ball(side, step=1.0):
    """Blood in a ball of 25 mm, and outside of it a tube of 10 mm over each of the made-up holes:
    that of the valve has number 2, those of veins 3 and up. The tubes' radii [mm]."""
    k = np.arange(-RADIUS - 14.0, RADIUS + 14.0, step)
    x = np.stack(np.meshgrid(k, k, k, indexing="ij"), axis=-1)
    r = np.linalg.norm(x, axis=-1)
    values = np.where(r < RADIUS, CAVITY, 0)
    radii = RADIUS * np.sin(np.radians([degrees for _, degrees in HOLES[side]]))
    for number, (way, a) in enumerate(zip(holes(side) / RADIUS, radii, strict=True), start=VALVE):
        along = x @ way
        tube = (along > 0) & (r**2 - along**2 < a**2) & (r < RADIUS + 10.0)
        values[tube & (values == 0)] = number
    values = values.transpose(2, 1, 0).astype(np.int32)
    corner = np.full(3, k[0])
    return anatomy.Image(values, np.full(3, step), np.eye(3), corner, "ball"), radii


def wall_of_ball(radii, thickness):
    """mL of the shell from 25 mm on without the tubes: ∫ 4πr² - Σ 2πr² (1 - √(1 - a²/r²)) dr."""

    def within(r):
        tubes = 2 * np.pi / 3 * (r**3 - (r**2 - radii**2) ** 1.5)
        return 4 * np.pi / 3 * r**3 - tubes.sum()

    return (within(RADIUS + thickness) - within(RADIUS)) / 1000


def labels_of(side, **changes):
    named = dict(zip(NAMES[side][1:], range(3, 9), strict=False))
    told = anatomy.AtrialLabels(side, CAVITY, (VALVE,), named=named, wall_mm=WALL)
    return dataclasses.replace(told, **changes)


@pytest.fixture(scope="module", params=["left", "right"])
def built(request):
    side = request.param
    image, radii = ball(side)
    return side, radii, anatomy.build_atrium(image, labels_of(side), 2.0)


def test_the_wall_has_the_volume_of_a_shell_with_holes(built):
    """To 3 %: half is the facets' (1.8 % at edges of 2 mm, 0.5 % at 1.3), as much for the voxels.
    The cavity ends at flat lids, so that it lacks the ball's caps; to 1.5 %."""
    _, radii, made = built
    assert made.wall == pytest.approx(wall_of_ball(radii, WALL), rel=0.03)
    h = RADIUS - np.sqrt(RADIUS**2 - radii**2)
    caps = np.sum(np.pi * h**2 * (3 * RADIUS - h) / 3)
    cavity = (4 * np.pi / 3 * RADIUS**3 - caps) / 1000
    assert made.cavity == pytest.approx(cavity, rel=0.015)
    assert made.image_cavity == pytest.approx(4 * np.pi / 3 * RADIUS**3 / 1000, rel=0.01)


def test_it_is_one_sound_piece_open_where_it_was_made_so(built):
    """Each rim within a millimetre, half an edge, of its tube."""
    side, _, made = built
    mesh, x = made.atrium.mesh, np.asarray(made.atrium.mesh.points)
    assert set(made.atrium.openings) == set(NAMES[side])
    assert made.atrium.unnamed == []
    assert set(mesh.node_sets) == {"endo", "epi", *NAMES[side]}
    assert len(preflight(mesh).components) == 1
    assert not preflight(mesh).problems
    assert dihedral_angles(mesh.points, mesh.cells).min() > 5.0
    for name, place in zip(NAMES[side], holes(side), strict=True):
        middle = x[mesh.node_sets[name]].mean(axis=0)
        way = place / RADIUS
        assert np.linalg.norm(middle - (middle @ way) * way) < 1.0, name
    for name, radius in (("endo", RADIUS), ("epi", RADIUS + WALL)):
        assert np.median(np.linalg.norm(x[mesh.node_sets[name]], axis=1)) == pytest.approx(
            radius, abs=0.3
        )


def test_the_rule_finds_its_openings_by_these_sets(built):
    side, _, made = built
    found = anatomy.describe_atrium(made.atrium.mesh, side)
    assert set(found.openings) == set(NAMES[side])
    assert found.unnamed == []
    assert found.mesh.frames is not None
    for name, rim in made.atrium.openings.items():
        assert found.openings[name].nodes.tolist() == rim.nodes.tolist()


def test_veins_of_one_number_are_named_by_where_they_lie():
    """All four have number 3; the patient's axes tell them apart afterwards."""
    image, _ = ball("left")
    values = np.where(image.values > VALVE, 3, image.values)
    image = dataclasses.replace(image, values=values)
    made = anatomy.build_atrium(image, labels_of("left", named={}, veins=(3,)), 2.0)
    assert set(made.atrium.openings) == {"mitral_valve"}
    assert len(made.atrium.unnamed) == 4
    found = anatomy.describe_atrium(made.atrium.mesh, "left", "LPS")
    for name, place in zip(NAMES["left"], holes("left"), strict=True):
        assert np.linalg.norm(found.openings[name].middle - place) < 4.0, name


def test_a_vein_beside_the_atrium_does_not_open_it():
    """A lump of the valve's number 0.5 mm off the ball, within the wall on the other side."""
    image, radii = ball("left")
    x = image.origin[0] + np.moveaxis(np.indices(image.values.shape)[::-1], 0, -1)
    lump = np.linalg.norm(x - [0.0, -RADIUS - 5.0, 0.0], axis=-1) < 4.5
    assert not (lump & (image.values > 0)).any()
    image = dataclasses.replace(image, values=np.where(lump, VALVE, image.values))
    made = anatomy.build_atrium(image, labels_of("left"), 2.0)
    assert len(made.atrium.openings) == 5
    assert made.atrium.unnamed == []
    assert made.wall == pytest.approx(wall_of_ball(radii, WALL), rel=0.03)


def test_leaflets_with_a_number_of_their_own():
    """1 mm thick, they end within the wall; with the ventricle behind them they are an opening."""
    image, radii = ball("left")
    x = image.origin[0] + np.moveaxis(np.indices(image.values.shape)[::-1], 0, -1)
    leaflets = (image.values == VALVE) & (np.linalg.norm(x, axis=-1) < RADIUS + 1.0)
    image = dataclasses.replace(image, values=np.where(leaflets, 9, image.values))
    with pytest.raises(ValueError, match=r"behind mitral_valve ends within the wall.*3 mm"):
        anatomy.build_atrium(image, labels_of("left", valve=(9,)), 2.0)
    made = anatomy.build_atrium(image, labels_of("left", valve=(9, VALVE)), 2.0)
    assert made.wall == pytest.approx(wall_of_ball(radii, WALL), rel=0.03)


def test_two_veins_with_one_rim_are_not_two_openings():
    """The left superior vein cut along its middle: as names refused, as numbers one opening."""
    image, _ = ball("left")
    x = image.origin[0] + np.moveaxis(np.indices(image.values.shape)[::-1], 0, -1)
    half = (image.values == 3) & ((x @ np.cross(holes("left")[1], [0.0, 0.0, 1.0])) > 0)
    image = dataclasses.replace(image, values=np.where(half, 9, image.values))
    two = {"lspv": 3, "lmpv": 9}
    with pytest.raises(ValueError, match=r"has no rim of its own.*veins without names"):
        anatomy.build_atrium(image, labels_of("left", named=two), 2.0)
    made = anatomy.build_atrium(image, labels_of("left", named={}, veins=(3, 9)), 2.0)
    assert len(made.atrium.unnamed) == 1


TOLD = """
[atrium]
side = "left"
cavity = 1
valve = 2
wall_mm = 3.0
"""


def command(capsys, *words):
    """Exit code, rows told, and what was said of a mistake."""
    code = run_command([str(word) for word in words])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out else {}, said.err


def test_the_commands_from_labels_to_fibres(tmp_path, capsys):
    """With named veins straight away; without any the mesh says what can be done, and so does the
    next command, and then it is done."""
    image, _ = ball("left")
    anatomy.write_image(image, tmp_path / "seg.nii.gz")
    labels = tmp_path / "left.toml"
    build = ["mesh", "build", tmp_path / "seg.nii.gz", "--labels", labels, "--edge", "2", "--json"]
    labels.write_text(TOLD + "veins = { lspv = 3, lipv = 4, rspv = 5, ripv = 6 }\n")
    wall, out = tmp_path / "wall.vtu", tmp_path / "atrium.vtu"
    code, rows, _ = command(capsys, *build, "--out", wall, "--png", tmp_path / "wall.png")
    assert code == 0
    assert rows["atrial_wall_mL"]["value"] > 20.0
    assert set(rows) > {f"{name}_middle_mm" for name in NAMES["left"]}
    assert (tmp_path / "wall.png").stat().st_size > 50_000
    of = ["anatomy", wall, "--atrium", "left", "--json", "--out", out]
    code, rows, _ = command(capsys, *of)
    assert code == 0
    assert rows["fibres"]["value"] is True

    labels.write_text(TOLD)
    wall, out = tmp_path / "closed.vtu", tmp_path / "named.vtu"
    code, rows, _ = command(capsys, *build, "--out", wall)
    assert code == 0
    assert any("NAME=X,Y,Z,RADIUS" in note for note in rows["mesh_notes"]["value"])
    of = ["anatomy", wall, "--atrium", "left", "--json", "--out", out]
    code, _, said = command(capsys, *of)
    assert code == 2
    assert "0 openings are left for pulmonary veins" in said
    assert "--opening NAME=X,Y,Z,RADIUS" in said
    for name, place in zip(NAMES["left"][1:], holes("left")[1:], strict=True):
        of += ["--opening", f"{name}={','.join(f'{v:.2f}' for v in place)},7"]
    assert command(capsys, *of)[0] == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"side": "middle"}, "atrium 'middle' is given; left or right"),
        ({"named": {"lsp": 3}}, "vein 'lsp' is not known.*lspv"),
        ({"wall_mm": 2.0}, "a wall of 2 mm has holes at edges of 2 mm; give edges of at most 1.3"),
        ({"cavity": 9}, r"no voxel has label 9 \(cavity\); there are \[1, 2, 3, 4, 5, 6, 7, 8\]"),
        (
            {"named": {}, "veins": (2,)},
            "cavity and mitral_valve and veins must have different labels",
        ),
        ({"valve": (7,)}, r"label 7 \(mitral_valve\) touches the atrium on 0 mm2, 12 are wanted"),
        ({"cavity": 8}, "the atrium is in parts"),
        ({"cavity": 7}, "the atrium touches the border of the image"),
    ],
)
def test_one_sentence_for_each_mistake(change, words):
    """7 is a lump at the image's corner, 8 is in two."""
    image, _ = ball("left")
    values = image.values.copy()
    values[:4, :4, :4], values[8:12, 4, 4], values[4, 8:12, 4] = 7, 8, 8
    image = dataclasses.replace(image, values=values)
    with pytest.raises(ValueError, match=words):
        anatomy.build_atrium(image, dataclasses.replace(labels_of("left"), **change), 2.0)


def test_thick_slices_are_refused():
    image, _ = ball("left")
    image = dataclasses.replace(image, spacing=np.array([1.0, 1.0, 8.0]))
    with pytest.raises(ValueError, match="slices of 8 mm do not tell an atrium's shape"):
        anatomy.build_atrium(image, labels_of("left"), 2.0)


def real_atrium(shared_data, side, step):
    """Rodero 01's atrium as voxels: 1 its blood, up to the rings of its openings, and outward of
    these a tube of each, numbered from 2. Its wall is not labelled."""
    folder = shared_data / "meshes" / "rodero01"
    names = json.loads((folder / "rodero01_2.0mm_names.json").read_text(encoding="utf-8"))
    number = {name: int(k) for k, name in names["surface_id_to_name"].items()}
    surfaces = pyvista.read(folder / "rodero01_2.0mm_surfaces.vtp")
    faces = surfaces.faces.reshape(-1, 4)[:, 1:]
    own = np.asarray(surfaces.cell_data["surface_id"])
    whole = read_mesh(folder / "rodero01_2.0mm_tets.vtu")
    cells = np.asarray(whole.cells)[np.asarray(whole.regions) == (3 if side == "left" else 4)]
    points = np.asarray(whole.points)
    low, high = points[cells].min(axis=(0, 1)) - 15.0, points[cells].max(axis=(0, 1)) + 15.0
    n = tuple(np.ceil((high - low) / step).astype(int).tolist())
    grid = pyvista.ImageData(dimensions=n, spacing=(step,) * 3, origin=low)
    rows = np.column_stack([np.full(len(cells), 4), cells]).ravel()
    solid = pyvista.UnstructuredGrid(rows, np.full(len(cells), 10), points)
    there = np.asarray(grid.sample(solid)["vtkValidPointMask"]).astype(bool)
    wall = ndimage.binary_closing(there.reshape(n, order="F"))
    x = low + step * np.moveaxis(np.indices(n), 0, -1)
    middle = points[cells].mean(axis=(0, 1))
    tubes = np.zeros(n, int)
    for k, words in enumerate(INLETS[side].values(), start=VALVE):
        key = f"interface_{side}-atrium-myocardium_{words}"
        ring = surfaces.points[np.unique(faces[own == number[key]])]
        centre = ring.mean(axis=0)
        way = np.linalg.svd(ring - centre, full_matrices=False)[2][2]
        way = way * np.sign(way @ (centre - middle))
        along = (x - centre) @ way
        away = np.linalg.norm(x - centre - along[..., None] * way, axis=-1)
        radius = np.linalg.norm(ring - centre, axis=1).max()
        tubes[(along >= 0) & (along < 8.0) & (away < radius) & ~wall & (tubes == 0)] = k
    blood = ndimage.binary_fill_holes(wall | (tubes > 0)) & ~wall & (tubes == 0)
    values = np.where(blood, CAVITY, tubes)
    values = values.transpose(2, 1, 0).astype(np.int32)
    return anatomy.Image(values, np.full(3, step), np.eye(3), low, "real")


@pytest.mark.data
@pytest.mark.long
@pytest.mark.parametrize("side", ["left", "right"])
def test_the_atria_of_a_real_heart(shared_data, side):
    """Rodero 01 as voxels of 1 mm: every opening is found, the cavity to 2 %, and the wall 2 mm
    thick at nodes more than 3 mm from its rims, to 0.2 mm: the sagitta of facets of 1.3 mm and
    fields sampled every 0.65."""
    image = real_atrium(shared_data, side, 1.0)
    named = {name: number for number, name in enumerate(INLETS[side], start=VALVE)}
    valve = anatomy.OPENINGS[side][0]
    labels = anatomy.AtrialLabels(side, CAVITY, (named.pop(valve),), named=named)
    made = anatomy.build_atrium(image, labels, 1.3)
    mesh, x = made.atrium.mesh, np.asarray(made.atrium.mesh.points)
    assert set(made.atrium.openings) == {valve, *named}
    assert made.atrium.unnamed == []
    assert len(preflight(mesh).components) == 1
    assert not preflight(mesh).problems
    assert dihedral_angles(mesh.points, mesh.cells).min() > 5.0
    assert made.cavity == pytest.approx(made.image_cavity, rel=0.02)
    faces = boundary_triangles(mesh)
    inside = faces[np.isin(faces, mesh.node_sets["endo"]).all(axis=1)]
    samples = samples_of(anatomy.Patch(x, inside), 0.3)
    rims = np.concatenate([rim.nodes for rim in made.atrium.openings.values()])
    own = x[mesh.node_sets["epi"]]
    own = own[cKDTree(x[rims]).query(own)[0] > 3.0]
    thick = cKDTree(samples).query(own)[0]
    assert np.abs(thick - 2.0).max() < 0.2
    found = anatomy.describe_atrium(mesh, side)
    assert set(found.openings) == {valve, *named}
    assert len(np.unique(found.mesh.cell_data["bundle"])) == (4 if side == "left" else 7)
