"""From a 12-lead QRS to velocities and the places where activation begins."""

from ._fit import GATE as GATE
from ._fit import Fit as Fit
from ._fit import Search as Search
from ._fit import Start as Start
from ._fit import chi2_of as chi2_of
from ._fit import fit_qrs as fit_qrs
from ._levenberg_marquardt import Solution as Solution
from ._levenberg_marquardt import levenberg_marquardt as levenberg_marquardt
from ._problem import INDEPENDENT as INDEPENDENT
from ._problem import VELOCITY as VELOCITY
from ._problem import Problem as Problem
from ._problem import leads_of_sources as leads_of_sources
from ._problem import problem as problem
from ._problem import to_twelve as to_twelve
from ._screen import latin_hypercube as latin_hypercube
from ._unknowns import Parameters as Parameters
from ._unknowns import Unknowns as Unknowns
