"""Pictures from a result on file, never from a solver; no display, no OpenGL."""

from ._activation import FIELDS as FIELDS
from ._activation import activation_png as activation_png
from ._activation import heart_views as heart_views
from ._anatomy import anatomy_png as anatomy_png
from ._cell import beat_png as beat_png
from ._cell import restitution_png as restitution_png
from ._colours import NEVER as NEVER
from ._colours import time_colours as time_colours
from ._ecg import ecg_figure as ecg_figure
from ._ecg import ecg_png as ecg_png
from ._ecg import read_ecg as read_ecg
from ._fit import fit_figure as fit_figure
from ._fit import fit_png as fit_png
from ._hand_over import hand_over_ecg_png as hand_over_ecg_png
from ._hand_over import hand_over_png as hand_over_png
from ._map import Field as Field
from ._map import isochrone_levels as isochrone_levels
from ._map import map_figure as map_figure
from ._plan import plan_ecg_png as plan_ecg_png
from ._plan import plan_png as plan_png
from ._raster import Raster as Raster
from ._raster import View as View
from ._raster import Window as Window
from ._raster import rasterise as rasterise
from ._report import report_html as report_html
