"""Reading and writing: round trips, names, units, and what is refused."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import meshio
import numpy as np
import pytest
import pyvista

from heartsim.mesh import (
    Mesh,
    frames_from,
    keep_regions,
    mesh_files,
    preflight,
    read_mesh,
    require_sound,
    signed_volumes,
    slab,
    submesh,
    write_mesh,
)


@pytest.fixture
def body() -> Mesh:
    """A distorted slab with everything a mesh can hold."""
    rng = np.random.default_rng(0)
    mesh = slab((2.0, 1.5, 1.0), 0.5)
    f, s = rng.normal(size=(2, mesh.n_cells, 3))
    return dataclasses.replace(
        mesh,
        points=mesh.points + 0.05 * rng.normal(size=mesh.points.shape),
        regions=(1 + np.arange(mesh.n_cells) % 2).astype(np.int32),
        frames=frames_from(f, s),
        node_sets={**mesh.node_sets, "empty": np.zeros(0, np.int32)},
        point_data={"transmural": np.append(rng.random(mesh.n_nodes - 1), np.nan)},
        cell_data={"share": rng.random((mesh.n_cells, 2))},
        region_names=(("LV", 1), ("scar", 2)),
        notes=("fibres: random, for a test",),
    )


def assert_same(a: Mesh, b: Mesh) -> None:
    np.testing.assert_array_equal(a.points, b.points)
    np.testing.assert_array_equal(a.cells, b.cells)
    np.testing.assert_array_equal(a.regions, b.regions)
    np.testing.assert_array_equal(a.frames, b.frames)
    for mine, yours in ((getattr(a, k), getattr(b, k)) for k in ("point_data", "cell_data")):
        assert mine.keys() == yours.keys()
        for name in mine:
            np.testing.assert_array_equal(mine[name], yours[name])
            assert mine[name].dtype == yours[name].dtype
    assert a.node_sets.keys() == b.node_sets.keys()
    for name in a.node_sets:
        np.testing.assert_array_equal(a.node_sets[name], b.node_sets[name])
    assert (a.region_names, a.notes) == (b.region_names, b.notes)


def test_vtu_returns_everything_exactly(body, tmp_path):
    write_mesh(body, tmp_path / "heart.vtu")
    back = read_mesh(tmp_path / "heart.vtu")
    assert_same(body, back)
    assert back.points.dtype == np.float64
    assert back.cells.dtype == back.regions.dtype == back.node_sets["x_min"].dtype == np.int32
    assert [file.name for file in tmp_path.iterdir()] == ["heart.vtu"]  # no temporary file stays


@pytest.mark.parametrize("name", ["heart.vtu", "heart.pts"])
def test_what_was_read_returns_exactly_even_if_its_frames_are_left_handed(body, tmp_path, name):
    frames = body.frames * np.array([1.0, 1.0, -1.0])[:, None]
    write_mesh(dataclasses.replace(body, frames=frames), tmp_path / name)
    once = read_mesh(tmp_path / name)
    np.testing.assert_array_equal(once.frames[:, :2], frames[:, :2])
    write_mesh(once, tmp_path / name)
    np.testing.assert_array_equal(read_mesh(tmp_path / name).frames, once.frames)


def test_carp_returns_coordinates_to_1e_9_mm_and_the_rest_exactly(body, tmp_path):
    write_mesh(body, tmp_path / "heart.pts")
    for name in ("heart.pts", "heart.elem", "heart"):
        back = read_mesh(tmp_path / name)
        np.testing.assert_allclose(back.points, body.points, rtol=0, atol=1e-9)  # the promise
        np.testing.assert_array_equal(back.cells, body.cells)
        np.testing.assert_array_equal(back.regions, body.regions)
        np.testing.assert_array_equal(back.frames[:, :2], body.frames[:, :2])
        assert back.node_sets.keys() == body.node_sets.keys()
        np.testing.assert_array_equal(back.node_sets["x_min"], body.node_sets["x_min"])
    first = (tmp_path / "heart.pts").read_text(encoding="utf-8").split("\n")[1].split()
    np.testing.assert_allclose(np.array(first, float), body.points[0] * 1000)  # µm


def test_what_lies_beside_is_not_taken_for_a_part_of_a_new_mesh(body, tmp_path):
    write_mesh(body, tmp_path / "a.pts")
    bare = dataclasses.replace(body, frames=None, node_sets={})
    with pytest.raises(ValueError, match=r"a\.lon is there and would be read as part of a\.pts"):
        write_mesh(bare, tmp_path / "a.pts")
    assert_same(read_mesh(tmp_path / "a.pts"), read_mesh(tmp_path / "a.elem"))
    for file in mesh_files(tmp_path / "a")[2:]:
        file.unlink()
    write_mesh(bare, tmp_path / "a.pts")
    assert read_mesh(tmp_path / "a.pts").frames is None


def test_a_stem_with_dots_names_carp_files(body, tmp_path):
    write_mesh(body, tmp_path / "heart.1.pts")
    assert read_mesh(tmp_path / "heart.1").n_cells == body.n_cells


def test_carp_with_one_vector_completes_the_frames_and_says_so(tmp_path):
    (tmp_path / "a.pts").write_text("4\n0 0 0\n1000 0 0\n0 1000 0\n0 0 1000\n")
    (tmp_path / "a.elem").write_text("1\nTt 0 1 2 3 7\n")
    (tmp_path / "a.lon").write_text("1\n0.6 0.8 0\n")
    mesh = read_mesh(tmp_path / "a.elem")
    assert mesh.regions.tolist() == [7]
    np.testing.assert_allclose(mesh.frames[0, 0], [0.6, 0.8, 0.0])
    np.testing.assert_allclose(mesh.frames[0] @ mesh.frames[0].T, np.eye(3), atol=1e-15)
    assert any("only transverse isotropy" in note for note in mesh.notes)
    assert read_mesh(tmp_path / "a.pts", unit="mm").points.max() == 1000.0


@pytest.mark.parametrize(
    ("suffix", "content", "says"),
    [
        (".pts", "4\n0 0 0\n1 0 0\n", "says 4 rows of 3 numbers but holds 6 numbers"),
        (".pts", "1\n0 0 x\n", "numbers are wanted"),
        (".elem", "1\nTt 0 1 2 9 1\n", "element 0 names a node that .pts does not have"),
        (".elem", "1\nXx 0 1 2 3 1\n", "element 0 is of type 'Xx'"),
        (".elem", "2\nTt 0 1 2 3 1\n", "says 2 elements but holds 1"),
        (".lon", "3\n1 0 0\n", "begins with '3'"),
        (".lon", "1\n1 0\n", "holds 2 numbers"),
        (".apex.vtx", "2\nextra\n0\n", "2 node numbers from 0 to 3 are wanted"),
    ],
)
def test_a_damaged_carp_file_is_named(tmp_path, suffix, content, says):
    files = {".pts": "4\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n", ".elem": "1\nTt 0 1 2 3 1\n"}
    for name, text in {**files, suffix: content}.items():
        (tmp_path / f"a{name}").write_text(text)
    with pytest.raises(ValueError, match=rf"a\{suffix}: .*{says}"):
        read_mesh(tmp_path / "a.elem")


def tetra_file(path, *, cells=((0, 1, 2, 3),), **data):
    points = np.array([[0.0, 0, 0], [30.0, 0, 0], [0, 30.0, 0], [0, 0, 30.0], [30.0, 30.0, 30.0]])
    options = {"file_format": "gmsh22", "binary": False} if path.suffix == ".msh" else {}
    meshio.Mesh(points, [("tetra", np.array(cells))], **data).write(path, **options)
    return path


@pytest.mark.parametrize("suffix", [".vtu", ".vtk", ".xdmf", ".msh"])
def test_every_format_gives_the_same_mesh(tmp_path, suffix):
    tags = [np.array([5, 9])]
    names = {"cell_data": {"gmsh:physical": tags, "gmsh:geometrical": tags}}
    if suffix == ".msh":
        names["field_data"] = {"LV": np.array([5, 3]), "RV": np.array([9, 3])}
    path = tetra_file(tmp_path / f"a{suffix}", cells=((0, 1, 2, 3), (1, 4, 2, 3)), **names)
    mesh = read_mesh(path, unit="cm")
    np.testing.assert_array_equal(mesh.points[1], [300.0, 0.0, 0.0])
    np.testing.assert_array_equal(mesh.cells, [[0, 1, 2, 3], [1, 4, 2, 3]])
    assert mesh.regions.tolist() == [5, 9]
    if suffix == ".msh":
        assert mesh.region_tag("RV") == 9


def test_lines_and_triangles_are_read_from_vtp_and_the_highest_dimension_is_kept(tmp_path):
    points = np.array([[0.0, 0, 0], [1.0, 0, 0], [1.0, 1.0, 0], [0, 1.0, 0]])
    pyvista.PolyData(points, lines=[2, 0, 1, 2, 1, 2]).save(tmp_path / "tree.vtp")
    assert read_mesh(tmp_path / "tree.vtp").dim == 1
    data = [
        ("triangle", np.array([[0, 1, 2]])),
        ("line", np.array([[0, 1]])),
        ("quad", np.array([[0, 1, 2, 3]])),
    ]
    meshio.Mesh(points, data).write(tmp_path / "mixed.vtu")
    mesh = read_mesh(tmp_path / "mixed.vtu")
    assert (mesh.dim, mesh.n_cells) == (2, 3)
    assert "cells: 1 of lower dimension in the file were left out" in mesh.notes


def test_nodal_fibres_are_averaged_as_directions_without_sign(tmp_path):
    f = np.array([[1.0, 0, 0], [-1.0, 0.02, 0], [1.0, 0.02, 0], [-1.0, 0, 0], [1.0, 0, 0]])
    mesh = read_mesh(tetra_file(tmp_path / "a.vtu", point_data={"f0": f}))
    # arrows would cancel; directions give x, to the second order of the 0.02 rad spread
    assert abs(mesh.frames[0, 0, 0]) == pytest.approx(1.0, abs=1e-3)


def test_keys_name_fields_with_other_names(tmp_path):
    f = np.tile([0.0, 3.0, 4.0], (1, 1))
    path = tetra_file(tmp_path / "a.vtu", cell_data={"my_dir": [f], "zone": [np.array([4])]})
    assert read_mesh(path).frames is None
    mesh = read_mesh(path, fibres="my_dir", regions="zone", region_names={"scar": 4})
    np.testing.assert_allclose(mesh.frames[0, 0], [0.0, 0.6, 0.8], atol=1e-15)
    assert mesh.region_tag("scar") == 4
    with pytest.raises(ValueError, match=r"no 'my_dri' \(did you mean 'my_dir'\?\) for fibre"):
        read_mesh(path, fibres="my_dri")
    with pytest.raises(ValueError, match=r"a.vtu: no 'zones' .* for region tags"):
        read_mesh(path, regions="zones")


def test_nan_and_zero_fibres_are_refused_where_the_tissue_conducts(tmp_path):
    f = np.array([[1.0, 0, 0], [np.nan, 0, 0], [0.0, 0, 0]])
    cells = ((0, 1, 2, 3), (1, 4, 2, 3), (1, 4, 2, 3))
    path = tetra_file(tmp_path / "a.vtu", cells=cells, cell_data={"fiber": [f]})
    mesh = read_mesh(path)
    assert any("2 cells have NaN or zero (first: cell 1)" in note for note in mesh.notes)
    with pytest.raises(ValueError, match=r"a.vtu: the fibre of cell 1 is NaN or zero, one of 2"):
        require_sound(mesh, "a.vtu")
    require_sound(mesh, "a.vtu", conductive=np.array([True, False, False]))


def test_a_constant_fibre_is_called_a_placeholder(tmp_path):
    f = np.tile([1.0, 0, 0], (2, 1))
    path = tetra_file(
        tmp_path / "a.vtu", cells=((0, 1, 2, 3), (1, 4, 2, 3)), cell_data={"fiber": [f]}
    )
    assert any("the same (1, 0, 0) in every cell" in note for note in read_mesh(path).notes)


def test_a_file_that_is_all_inside_out_is_turned_and_a_single_inverted_cell_is_not(tmp_path):
    all_wrong = read_mesh(tetra_file(tmp_path / "a.vtu", cells=((1, 0, 2, 3), (4, 1, 2, 3))))
    assert signed_volumes(all_wrong.points, all_wrong.cells).min() > 0
    assert any("inside out" in note for note in all_wrong.notes)
    one_wrong = read_mesh(tetra_file(tmp_path / "a.vtu", cells=((0, 1, 2, 3), (4, 1, 2, 3))))
    with pytest.raises(ValueError, match=r"heart: cell 1 is inverted \(nodes \[4, 1, 2, 3\]"):
        require_sound(one_wrong, "heart")


def test_keep_and_drop_choose_regions_and_name_what_is_missing(body, tmp_path):
    path = tmp_path / "heart.vtu"
    write_mesh(body, path)
    kept, dropped = read_mesh(path, keep=["LV"]), read_mesh(path, drop=[2])
    assert_same(kept, dropped)
    assert_same(kept, submesh(read_mesh(path), body.regions == 1)[0])
    with pytest.raises(ValueError, match=r"heart.vtu: .*'scra' does not exist \(did you mean 'sc"):
        read_mesh(path, keep=["scra"])


def test_missing_unknown_and_unwritable_files_are_named(body, tmp_path):
    with pytest.raises(ValueError, match=r"no.vtu: this mesh file does not exist"):
        read_mesh(tmp_path / "no.vtu")
    with pytest.raises(ValueError, match=r"no.elem|no.pts: this file does not exist"):
        read_mesh(tmp_path / "no.elem")
    (tmp_path / "a.stl").write_text("solid")
    with pytest.raises(ValueError, match=r"a.stl: '.stl' is not a mesh format we read"):
        read_mesh(tmp_path / "a.stl")
    with pytest.raises(ValueError, match=r"unit 'inch' is not known; use one of mm, cm, m, um"):
        read_mesh(tmp_path / "a.stl", unit="inch")
    with pytest.raises(ValueError, match=r"cannot be written, the folder .*away does not exist"):
        write_mesh(body, tmp_path / "away" / "a.vtu")
    with pytest.raises(ValueError, match=r"cannot write '.stl'"):
        write_mesh(body, tmp_path / "a.stl")
    (tmp_path / "cut.msh").write_text("$MeshFormat\n4.1 0 8\n")
    with pytest.raises(ValueError, match=r"cut.msh: cannot be read as .msh"):
        read_mesh(tmp_path / "cut.msh")
    (tmp_path / "cut.xdmf").write_text("<Xdmf>")
    with pytest.raises(ValueError, match=r"cut.xdmf: cannot be read as .xdmf"):
        read_mesh(tmp_path / "cut.xdmf")


@pytest.mark.parametrize("suffix", [".vtu", ".vtk", ".vtp"])
def test_a_damaged_vtk_file_is_one_sentence_and_nothing_else(body, tmp_path, capfd, suffix):
    write_mesh(body, tmp_path / "whole.vtu")
    start = (tmp_path / "whole.vtu").read_bytes()[:3000] if suffix == ".vtu" else b"hello"
    (tmp_path / f"cut{suffix}").write_bytes(start)
    with pytest.raises(ValueError, match=rf"cut{suffix}: .* damaged"):
        read_mesh(tmp_path / f"cut{suffix}")
    assert capfd.readouterr() == ("", "")


TWO_OF_EACH = """# vtk DataFile Version 3.0
one tetrahedron
ASCII
DATASET UNSTRUCTURED_GRID
POINTS 4 double
0 0 0  10 0 0  0 10 0  0 0 10
CELLS 1 5
4 0 1 2 3
CELL_TYPES 1
10
CELL_DATA 1
SCALARS part int 1
LOOKUP_TABLE default
7
SCALARS region int 1
LOOKUP_TABLE default
3
VECTORS normal double
1 0 0
VECTORS fibre double
0 1 0
"""


@pytest.mark.parametrize(
    "more", ["", "\nPOINT_DATA 4\nSCALARS depth double\nLOOKUP_TABLE default\n0 0 1 1"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_all_arrays_of_a_legacy_file_are_read(tmp_path, more, end):
    """VTK reads the first of each kind unless it is told otherwise: part and normal, no fibres."""
    (tmp_path / "two.vtk").write_bytes((TWO_OF_EACH + more).replace("\n", end).encode())
    body = read_mesh(tmp_path / "two.vtk")
    assert body.regions.tolist() == [3]
    assert sorted(body.cell_data) == ["normal", "part"]
    assert body.frames[0, 0] == pytest.approx([0.0, 1.0, 0.0])
    assert sorted(body.point_data) == (["depth"] if more else [])


@pytest.mark.parametrize(
    ("binary", "kept"),
    [
        (binary, kept)
        for kept in (0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)
        for binary in (True, False)
    ]
    + [(False, 0.013)],  # within the first FIELD, where VTK would crash
)
def test_a_legacy_file_that_ends_early_is_damaged(body, tmp_path, capfd, binary, kept):
    """VTK itself goes on with what it has and random numbers for the rest, and of text that ends
    within an array it tells nothing."""
    write_mesh(body, tmp_path / "whole.vtu")
    pyvista.read(tmp_path / "whole.vtu").save(tmp_path / "whole.vtk", binary=binary)
    np.testing.assert_array_equal(read_mesh(tmp_path / "whole.vtk").cells, body.cells)
    content = (tmp_path / "whole.vtk").read_bytes()
    (tmp_path / "cut.vtk").write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ValueError, match=r"cut.vtk: .* damaged"):
        read_mesh(tmp_path / "cut.vtk")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["heart.vtu", "heart.pts"])
def test_a_failed_write_leaves_the_old_file_and_no_rest(body, tmp_path, monkeypatch, name):
    write_mesh(body, tmp_path / name)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ValueError, match=rf"{name}: cannot be written \(No space left on device"):
        write_mesh(body, tmp_path / name)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.data
def test_rodero_and_crtdemo_have_the_counts_and_volumes_of_their_readme(shared_data):
    rodero = read_mesh(
        shared_data / "meshes/rodero01/rodero01_2.0mm_tets.vtu",
        region_names={"LV": 1, "RV": 2, "LA": 3, "RA": 4, "septum": 7},
    )
    assert (rodero.n_nodes, rodero.n_cells) == (72_171, 331_365)
    report = preflight(rodero)
    with pytest.raises(ValueError, match=r"rodero01: node 72158 belongs to no cell, one of 13"):
        require_sound(rodero, "rodero01")
    require_sound(keep_regions(rodero, range(1, 8)), "rodero01")  # which leaves them out
    wanted = {"LV": 125.8, "RV": 62.1, "LA": 26.1, "RA": 28.5, "septum": 38.3}
    for name, volume in wanted.items():  # cm³, as rounded in the README
        found = report.region_volumes_mm3[rodero.region_tag(name)] / 1000
        assert found == pytest.approx(volume, abs=0.051)
    crtdemo = read_mesh(shared_data / "meshes/crtdemo/crtdemo_biv.vtu")
    assert (crtdemo.n_nodes, crtdemo.n_cells) == (4_569, 17_866)
    assert require_sound(crtdemo, "crt").volume_mm3 / 1000 == pytest.approx(226.5, abs=0.05)
    assert crtdemo.frames is not None


def test_truth_text_and_tensors_are_written_too(tmp_path, capfd):
    body = slab((2.0, 1.0, 1.0), 0.5)
    n = body.n_nodes
    wanted = {
        "name": np.array([f"node {k}" for k in range(n)]),
        "inner": np.arange(n) % 2 == 0,
        "tensor": np.random.default_rng(0).normal(size=(n, 3, 3)),
    }
    write_mesh(dataclasses.replace(body, point_data=wanted), tmp_path / "body.vtu")
    found = read_mesh(tmp_path / "body.vtu").point_data
    np.testing.assert_array_equal(found["name"], wanted["name"])
    np.testing.assert_array_equal(found["inner"], wanted["inner"].astype(np.uint8))
    np.testing.assert_array_equal(found["tensor"], wanted["tensor"].reshape(n, 9))
    assert capfd.readouterr() == ("", "")


def test_neither_heartsim_nor_a_vtu_file_needs_pyvista_and_heartsim_no_vtk(tmp_path):
    """Each is 30 to 50 MB of every process, and a tenth of a second."""
    program = (
        "import sys, heartsim\n"
        "assert not {'vtkmodules', 'pyvista', 'meshio'} & set(sys.modules)\n"
        "from heartsim import mesh\n"
        "mesh.write_mesh(mesh.slab((2.0, 1.0, 1.0), 0.5), sys.argv[1])\n"
        "assert mesh.read_mesh(sys.argv[1]).n_nodes == 45\n"
        "assert 'pyvista' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "body.vtu")], check=True)
