"""A run on file: from a scenario to objects, and to a run directory."""

from ._check import check_scenario as check_scenario
from ._check import mesh_rows as mesh_rows
from ._dask import on_dask as on_dask
from ._directory import run_scenario as run_scenario
from ._fit_read import build_fit as build_fit
from ._fit_read import fit_from as fit_from
from ._fit_read import read_fit as read_fit
from ._fit_run import run_fit as run_fit
from ._fit_schema import FitFile as FitFile
from ._hand_over import run_hand_over as run_hand_over
from ._loop import Runaway as Runaway
from ._plan import read_plan as read_plan
from ._plan import run_plan as run_plan
from ._read import locate as locate
from ._read import read_scenario as read_scenario
from ._read import scenario_from as scenario_from
from ._read import to_toml as to_toml
from ._rows import Rows as Rows
from ._rows import row as row
from ._scene import Scene as Scene
from ._scene import build_scene as build_scene
from ._schema import Scenario as Scenario
from ._summary import shortfall as shortfall
from ._sweep import read_sweep as read_sweep
from ._sweep import run_sweep as run_sweep
from ._sweep_schema import SweepFile as SweepFile
