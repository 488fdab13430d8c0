"""From a patient's images to a heart: image -> surfaces -> tetrahedra."""

from ._fibres import FibreAngles as FibreAngles
from ._heart import Heart as Heart
from ._heart import describe_heart as describe_heart
from ._image import LabelImage as LabelImage
from ._image import read_labels as read_labels
from ._laplace import LV as LV
from ._laplace import RV as RV
from ._laplace import SEPTUM as SEPTUM
from ._laplace import harmonic as harmonic
from ._laplace import laplacian as laplacian
from ._laplace import nearness as nearness
from ._segments import SEGMENTS as SEGMENTS
from ._slices import Labels as Labels
from ._surfaces import Surfaces as Surfaces
from ._surfaces import cut_faces as cut_faces
from ._surfaces import find_surfaces as find_surfaces
from ._transfer import Atlas as Atlas
from ._transfer import transfer as transfer
from ._ventricles import Built as Built
from ._ventricles import build_ventricles as build_ventricles
