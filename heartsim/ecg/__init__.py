"""What the body surface sees: lead fields and the twelve leads."""

from ._lead_field import SIGMA_BATH as SIGMA_BATH
from ._lead_field import SIGMA_EL as SIGMA_EL
from ._lead_field import SIGMA_ET as SIGMA_ET
from ._lead_field import SIGMA_IL as SIGMA_IL
from ._lead_field import SIGMA_IT as SIGMA_IT
from ._lead_field import lead_field as lead_field
from ._leads import ELECTRODES as ELECTRODES
from ._leads import LEADS as LEADS
from ._leads import lead_matrix as lead_matrix
from ._leads import read_electrodes as read_electrodes
from ._leads import twelve_leads as twelve_leads
from ._placement import BODY_MM as BODY_MM
from ._placement import default_electrodes as default_electrodes
from ._recording import Recording as Recording
from .files import read_ecg as read_ecg
from .files import write_ecg as write_ecg
