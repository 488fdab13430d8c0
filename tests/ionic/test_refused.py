"""Features of models that cannot be supported: each format refuses each by its name."""

import re
import warnings

import myokit
import myokit.formats
import pytest

from heartsim.cli import run_command
from heartsim.ionic import read_membrane
from tests.cells import write

EASYML = """
V; .external(Vm); Iion; .external();
V_init = -80; h_init = 0.5; r_init = 0.1;
diff_h = 0.1 * (1 / (1 + exp(V / 5)) - h);
{}
Iion = 0.1 * h * (V + 85);
"""
R = "r = 0.01\n"
DELAY = (
    '<csymbol definitionURL="http://www.sbml.org/sbml/symbols/delay" encoding="text">d</csymbol>'
)
RANDOM = '<csymbol definitionURL="http://www.cellml.org/uncertainty-1#uniformDistribution"/>'


def cellml(tmp_path, version, of_r, of_s="<ci>k_off</ci>"):
    """The made-up cell with r and a new s given by MathML."""
    text = write(tmp_path / "cell.mmt").read_text().replace(R, R + "s = 0.3\n")
    (tmp_path / "cell.mmt").write_text(text)
    path = tmp_path / "cell.cellml"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = myokit.load_model(str(tmp_path / "cell.mmt"))
        myokit.formats.exporter("cellml").model(str(path), model, version=version)
    text = path.read_text()
    text = re.sub(r'(<variable name="[rs]"[^>]*?) initial_value="[^"]*"', r"\1", text)
    given = "".join(f"<apply><eq/><ci>{n}</ci>{e}</apply>" for n, e in (("r", of_r), ("s", of_s)))
    at = text.index("</math>", text.index('<component name="channel"'))
    path.write_text(text[:at] + given + text[at:])
    return path


def refused(path, *words):
    with pytest.raises(ValueError, match=re.escape(path.name)) as fault:
        read_membrane(path)
    message = str(fault.value)
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("p = q * 0.1; q = p + 1; diff_r = p;", ("p, q make an algebraic loop",)),
        ("p = q * 0.1; q = p + 1;", ("p, q make an algebraic loop",)),  # that nothing needs
        ("h_inf = h_inf + 1; tau_h = 1;", ("h_inf makes an algebraic loop",)),
        ("p = rand();", ("line 5: p asks for random numbers (rand)",)),
        ("p = 1 + 2 * random(1, 2);", ("p asks for random numbers (random)",)),
        ("if (rand() > 0.5) { p = 1; }", ("a choice asks for random numbers",)),
        ("p = delay(V, 5);", ("p asks for a delay (delay)",)),
    ],
)
def test_easyml(tmp_path, line, words):
    path = tmp_path / "cell.model"
    path.write_text(EASYML.format(line))
    refused(path, *words)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("r = s * 0.1\ns = r + 1\n", ("channel.r, channel.s make an algebraic loop",)),
        ("r = r + 1\n", ("channel.r makes an algebraic loop",)),
        ("r = 0.01 * random()\n", ("r asks for random numbers (random)",)),
        ("r = normal(0,\n1)\n", ("r asks for random numbers (normal)",)),
        ("r = delay(membrane.V, 5)\n", ("r asks for a delay (delay)",)),
    ],
)
def test_mmt(tmp_path, given, words):
    path = write(tmp_path / "cell.mmt")
    path.write_text(path.read_text().replace(R, given))
    refused(path, *words)


@pytest.mark.parametrize("version", ["1.0", "1.1", "2.0"])
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("<ci>s</ci>", "<ci>r</ci>"), ("channel.r, channel.s make an algebraic loop",)),
        ((f"<apply>{DELAY}<ci>u</ci><ci>d</ci></apply>",), ("channel.r asks for a delay (delay)",)),
        (
            (f"<apply>{RANDOM}<ci>d</ci><ci>k_off</ci></apply>",),
            ("channel.r asks for random numbers (uniformDistribution)",),
        ),
    ],
)
def test_cellml(tmp_path, version, given, words):
    refused(cellml(tmp_path, version, *given), *words)


def test_what_is_no_such_feature_keeps_its_own_words(tmp_path):
    """A function that nobody knows, and a file that is no XML."""
    path = write(tmp_path / "cell.mmt")
    path.write_text(path.read_text().replace(R, "r = wave(membrane.V)\n"))
    refused(path, "cannot be read as a cell model", "wave()")
    (tmp_path / "cell.cellml").write_text("rand(")
    refused(tmp_path / "cell.cellml", "cannot be read as a cell model")
    (tmp_path / "cell.model").write_text(EASYML.format("p = exp();"))
    refused(tmp_path / "cell.model", "line 5: exp of 0 arguments is not known")
    (tmp_path / "cell.model").write_text(EASYML.format("p = pow(V);"))
    refused(tmp_path / "cell.model", "line 5: pow of 1 arguments is not known")


def test_the_command_line_ends_with_2(tmp_path, capsys):
    path = tmp_path / "cell.model"
    path.write_text(EASYML.format("p = q; q = p;"))
    assert run_command(["cell", "--import", str(path)]) == 2
    assert "cell.model: p, q make an algebraic loop" in capsys.readouterr().err
