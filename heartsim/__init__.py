"""heartsim: cardiac electrophysiology in JAX, from a heart mesh to activation maps and ECGs.

Research use only; not for clinical decisions.
"""

from importlib.metadata import version

from ._vectors import widen_vectors as widen_vectors
from .ecg import Chest as Chest
from .ecg import HeartPosition as HeartPosition
from .ecg import body_around as body_around
from .ecg import default_electrodes as default_electrodes
from .ecg import lead_field as lead_field
from .ecg import lead_matrix as lead_matrix
from .ecg import read_ecg as read_ecg
from .ecg import read_electrodes as read_electrodes
from .ecg import torso_field as torso_field
from .ecg import twelve_leads as twelve_leads
from .ecg import write_ecg as write_ecg
from .ionic import by_name as by_name
from .mesh import Mesh as Mesh
from .mesh import read_mesh as read_mesh
from .mesh import refine as refine
from .mesh import write_mesh as write_mesh
from .scenario import read_scenario as read_scenario
from .scenario import run_scenario as run_scenario
from .tissue import Stimulus as Stimulus
from .tissue import activation_time as activation_time
from .tissue import diffusivity as diffusivity
from .tissue import monodomain as monodomain
from .tissue import simulate as simulate
from .tissue import tensor as tensor
from .tissue import tune_velocities as tune_velocities
from .tissue import tune_velocity as tune_velocity

__version__ = version("heartsim")
