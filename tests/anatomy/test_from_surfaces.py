"""Hearts between surfaces: spheres and ellipsoids that are known exactly, and other people's."""

import json

import numpy as np
import pytest
import pyvista

from heartsim import anatomy
from heartsim.cli import run_command
from heartsim.mesh import biventricular_ellipsoid, dihedral_angles, preflight, read_mesh
from heartsim.scenario import mesh_from_surfaces

MADE = biventricular_ellipsoid(4.0)
NAMES = ("epi", "lv_endo", "rv_endo", "base")


def patch(name, nodes=MADE.points):
    faces = anatomy.find_surfaces(MADE).faces[name]
    own, triangles = np.unique(faces, return_inverse=True)
    return anatomy.Patch(nodes[own], triangles.reshape(-1, 3))


def write(folder, patches, ending=".ply", scale=1.0, **more):
    lines = ["[surfaces]"]
    for name, one in patches.items():
        cells = np.column_stack([np.full(len(one.triangles), 3), one.triangles])
        pyvista.PolyData(one.points * scale, cells.ravel()).save(folder / f"{name}{ending}")
        lines.append(f'{name} = "{name}{ending}"')
    lines += [f'{key} = "{value}"' for key, value in more.items()]
    (folder / "surfaces.toml").write_text("\n".join(lines) + "\n")
    return folder / "surfaces.toml"


@pytest.fixture(scope="module")
def patches():
    return {name: patch(name) for name in NAMES}


@pytest.mark.parametrize("with_base", [True, False])
def test_a_heart_comes_back_from_its_surfaces(patches, with_base):
    """The wall to 3 %, its surfaces to 0.5 mm in the mean, on the side of the base that was cut
    flat; without a base the fans over its holes are flat, too."""
    given = {k: v for k, v in patches.items() if with_base or k != "base"}
    made = anatomy.heart_from_surfaces(given, 3.0)
    mesh = made.heart.mesh
    assert made.mesh_wall == pytest.approx(made.wall, rel=0.03)
    whole = np.abs(np.linalg.det(np.diff(MADE.points[MADE.cells], axis=1))).sum() / 6000
    assert made.mesh_wall - made.thickened == pytest.approx(whole, rel=0.03)
    assert dihedral_angles(mesh.points, mesh.cells).min() > 5.0
    assert not preflight(mesh).problems
    for name in ("epi", "lv_endo", "rv_endo"):
        cells = np.column_stack([np.full(len(patches[name].triangles), 3), patches[name].triangles])
        own = pyvista.PolyData(mesh.points[mesh.node_sets[name]])
        away = own.compute_implicit_distance(pyvista.PolyData(patches[name].points, cells.ravel()))[
            "implicit_distance"
        ]
        assert np.abs(away).mean() < 0.5, name
    assert set(mesh.cell_data["chamber"].tolist()) == {1, 2, 3}


def test_a_shell_of_spheres_has_its_volume():
    """Radii 30 and 20 mm, cut at 10 mm above the middle, closed by fans: to 2 %, of which the
    facets of the spheres take 0.5."""

    def cap(radius):
        ball = pyvista.Sphere(radius=radius, theta_resolution=60, phi_resolution=60)
        cut = ball.clip("z", origin=(0, 0, 10.0)).triangulate()
        clean = cut.clean(tolerance=0.01, absolute=True)
        return anatomy.Patch(np.asarray(clean.points, float), np.asarray(clean.regular_faces, int))

    def below(radius):
        return np.pi * (radius**2 * (10 + radius) - (10**3 + radius**3) / 3)

    made = anatomy.heart_from_surfaces({"epi": cap(30.0), "lv_endo": cap(20.0)}, 3.0)
    wanted = (below(30.0) - below(20.0)) / 1000
    assert made.wall == pytest.approx(wanted, rel=0.02)
    assert made.mesh_wall == pytest.approx(wanted, rel=0.02)
    assert set(made.heart.mesh.node_sets) == {"epi", "lv_endo", "base", "apex"}


def test_the_command_reads_files_in_their_unit(patches, tmp_path, capsys):
    toml = write(tmp_path, patches, ".vtp", scale=0.1, unit="cm")
    options = ["--edge", "4.0", "--out", str(tmp_path / "heart.vtu"), "--json"]
    assert run_command(["mesh", "build", str(toml), *options]) == 0
    told = json.loads(capsys.readouterr().out)
    assert abs(told["wall_error_percent"]["value"]) < 3.0
    mesh = read_mesh(tmp_path / "heart.vtu")
    assert np.ptp(mesh.points, axis=0) == pytest.approx(np.ptp(MADE.points, axis=0), abs=2.0)


def test_one_sentence_for_each_mistake(patches, tmp_path):
    turned = patches["epi"].triangles.copy()
    turned[::2] = turned[::2, ::-1]
    torn = anatomy.Patch(patches["epi"].points, np.delete(turned, np.arange(5, 900, 7), axis=0))
    far = anatomy.Patch(patches["base"].points + 20.0, patches["base"].triangles)
    for changed, said in (
        ({"epi": torn}, "surfaces.toml: surfaces: epi does not close"),
        ({"base": far}, "a rim of base lies .* mm from the nearest"),
    ):
        toml = write(tmp_path, patches | changed)
        with pytest.raises(ValueError, match=said):
            mesh_from_surfaces(toml, 4.0)
    toml = write(tmp_path, {"lv_endo": patches["lv_endo"]})
    with pytest.raises(ValueError, match="epi is missing"):
        mesh_from_surfaces(toml, 4.0)
    toml = write(tmp_path, patches, unit="feet")
    with pytest.raises(ValueError, match="unit 'feet': wanted one of mm, cm"):
        mesh_from_surfaces(toml, 4.0)
    (tmp_path / "epi.ply").unlink()
    toml = write(tmp_path, {k: patches[k] for k in ("lv_endo",)})
    toml.write_text('[surfaces]\nepi = "epi.ply"\nlv_endo = "lv_endo.ply"\n')
    with pytest.raises(FileNotFoundError, match=r"epi\.ply does not exist"):
        mesh_from_surfaces(toml, 4.0)


@pytest.mark.data
@pytest.mark.long
@pytest.mark.parametrize(
    ("folder", "names"),
    [
        (
            "meshes/cobiveco_geo2",
            {
                "epi": "heart_epi.ply",
                "base": "heart_base.ply",
                "lv_endo": "heart_endo_lv.ply",
                "rv_endo": "heart_endo_rv.ply",
            },
        ),
        (
            "cmr/bivme_example_patient1/fitted_ED",
            {
                "epi": "patient1_EPICARDIAL_000.vtk",
                "lv_endo": "patient1_LV_ENDOCARDIAL_000.vtk",
                "rv_endo": "patient1_RV_ENDOCARDIAL_000.vtk",
            },
        ),
    ],
)
def test_surfaces_of_others_become_hearts(shared_data, tmp_path, folder, names):
    """Cobiveco's patches with a base, biv-me's fits that are open at four valves."""
    lines = [f'{key} = "{shared_data / folder / name}"' for key, name in names.items()]
    (tmp_path / "surfaces.toml").write_text("\n".join(["[surfaces]", *lines]))
    mesh, rows = mesh_from_surfaces(tmp_path / "surfaces.toml", 2.0)
    assert abs(rows["wall_error_percent"]["value"]) < 3.0
    assert dihedral_angles(mesh.points, mesh.cells).min() > 5.0
    assert not preflight(mesh).problems
    assert rows["separate_parts"]["value"] == 1
    assert set(mesh.cell_data["segment"].tolist()) >= set(range(1, 17))
