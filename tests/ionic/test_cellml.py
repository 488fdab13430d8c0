"""CellML in every version that Myokit writes, and voltages without a unit."""

import warnings

import myokit
import myokit.formats
import pytest

from heartsim.ionic import Pacing, check_import, read_membrane

# Mitchell and Schaeffer's membrane, its voltage from 0 to 1, a sigmoid in place of its jump
MODEL = """[[model]]
membrane.u = 0
gate.{h} = 0.9
[engine]
time = 0 [ms] bind time
    in [ms]
[membrane]
dot(u) = (gate.{h} * u ^ 2 * (1 - u) / tau_in - u / 6 [ms] + i_stim) * {size}
    in {unit}
tau_in = 0.3 [ms]
    in [ms]
i_stim = if(engine.time < 1 [ms], 0.4 [1/ms], 0 [1/ms])
    in [1/ms]
[gate]
open = 1 / (1 + exp((membrane.u / {size} - 0.13) / 0.02))
    in [1]
dot({h}) = open * (1 - {h}) / 120 [ms] - (1 - open) * {h} / 150 [ms]
    in [1]
"""


def written(path, version="1.0", unit="[1]", gate="h", size="1"):
    """The model as CellML of a version, written by Myokit."""
    text = MODEL.replace("{h}", gate).replace("{unit}", unit).replace("{size}", size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = myokit.parse_model(text)
        myokit.formats.exporter("cellml").model(str(path), model, version=version)
    return path


@pytest.mark.parametrize("version", ["1.0", "1.1", "2.0"])
def test_every_version_does_what_its_file_says(tmp_path, version):
    """One beat to 1e-3 of the voltage's range; the file is of the version that is meant."""
    path = written(tmp_path / "cell.cellml", version)
    assert f"cellml/{version}#" in path.read_text()
    model = read_membrane(path)
    assert (model.program.voltage, model.program.paced) == ("u", True)
    checked = check_import(path, model, Pacing(cycle_length=50.0, dt=0.05))
    assert 0.8 < checked.V.max() < 1.0
    assert checked.largest < 1e-3


def test_imports_of_cellml_1_1_are_refused(tmp_path):
    path = written(tmp_path / "cell.cellml", "1.1")
    more = '<import xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="other.cellml"/>'
    path.write_text(path.read_text().replace("<component", more + "<component", 1))
    with pytest.raises(
        ValueError, match=r"cell\.cellml cannot be read .* Imports are not supported"
    ):
        read_membrane(path)


def test_a_voltage_of_unit_one_is_taken_as_it_stands(tmp_path):
    """Its number is that of mV, as of a voltage without unit; beside a state called v, which may as
    well be meant, it is asked about; in another unit it is refused."""
    path = written(tmp_path / "cell.cellml")
    plain = read_membrane(path).program
    assert (plain.voltage, plain.per_mV) == ("u", 1.0)
    two = written(tmp_path / "two.cellml", gate="v")
    with pytest.raises(ValueError, match=r"not clear: gate\.v, membrane\.u\. Name it"):
        read_membrane(two)
    assert read_membrane(two, "membrane.u").program.voltage == "u"
    other = written(tmp_path / "other.cellml", unit="[mM]", size="1 [mM]")
    with pytest.raises(
        ValueError, match=r"membrane\.u is in \[mM\]; wanted one of \[V\] \[mV\] \[1\]"
    ):
        read_membrane(other)
