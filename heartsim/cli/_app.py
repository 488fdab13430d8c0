"""The command line: every command, in the order of --help, with an example each."""

import typer

from ._anatomy import anatomy
from ._cell import cell
from ._check import check
from ._demo import demo
from ._doctor import doctor
from ._ecg import ecg
from ._fit import fit
from ._hand_over import hand_over
from ._mesh import build, convert, info, synth
from ._plan import plan
from ._purkinje import purkinje
from ._run import run
from ._scar import scar
from ._sweep import sweep
from ._tune_cv import tune_cv

SIMULATE, PREPARE, MEASURE = "Simulate", "Prepare", "Measure"
FIT, PLAN, HELP = "Fit", "Plan", "Help"

app = typer.Typer(
    name="heartsim",
    help="Cardiac electrophysiology: from a heart mesh to activation maps and 12-lead ECGs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
mesh = typer.Typer(
    help="From images, or made up; quality and regions; between formats.",
    no_args_is_help=True,
)

for panel, command, name, example in (
    (SIMULATE, demo, "demo", "heartsim demo"),
    (SIMULATE, run, "run", "heartsim run heart.toml --out heart-run"),
    (SIMULATE, check, "check", "heartsim check heart.toml"),
    (SIMULATE, cell, "cell", "heartsim cell ten_tusscher_2006_epi --png beat.png"),
    (PREPARE, anatomy, "anatomy", "heartsim anatomy heart.vtu --out found.vtu --png found.png"),
    (PREPARE, scar, "scar", "heartsim scar heart.vtu lge.nii.gz --out scarred.vtu --rule fwhm"),
    (PREPARE, purkinje, "purkinje", "heartsim purkinje heart.vtu --side left --out left.vtu"),
    (PREPARE, tune_cv, "tune-cv", "heartsim tune-cv --edge-mm 1.0 --velocity-m-s 0.65"),
    (MEASURE, ecg, "ecg", "heartsim ecg recording.hea --out recording.dcm --png recording.png"),
    (FIT, fit, "fit", "heartsim fit fit.toml --out fit-run"),
    (FIT, hand_over, "hand-over", "heartsim hand-over fit-run --out beat"),
    (FIT, sweep, "sweep", "heartsim sweep sweep.toml --out sweep-run"),
    (PLAN, plan, "plan", "heartsim plan plan.toml --out plan-run"),
    (HELP, doctor, "doctor", "heartsim doctor"),
):
    app.command(name, rich_help_panel=panel, epilog=f"Example:  {example}")(command)

mesh.command(
    "build", epilog="Example:  heartsim mesh build seg.nii.gz --labels labels.toml --out heart.vtu"
)(build)
mesh.command("synth", epilog="Example:  heartsim mesh synth --kind dilated --out heart.vtu")(synth)
mesh.command("info", epilog="Example:  heartsim mesh info heart.vtu")(info)
mesh.command("convert", epilog="Example:  heartsim mesh convert heart.pts heart.vtu")(convert)
app.add_typer(mesh, name="mesh", rich_help_panel=PREPARE)
