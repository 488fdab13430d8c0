"""From a patient's images to a heart: image -> surfaces -> tetrahedra."""

from ._image import LabelImage as LabelImage
from ._image import read_labels as read_labels
from ._slices import Labels as Labels
from ._ventricles import Built as Built
from ._ventricles import build_ventricles as build_ventricles
