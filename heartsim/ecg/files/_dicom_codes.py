"""Codes that DICOM knows leads and units by."""

from .._leads import LEADS

_NUMBER = (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8)

MDC_LEAD = {lead: f"2:{n}" for lead, n in zip(LEADS, _NUMBER, strict=True)}
"""DICOM PS3.16 CID 3001 ECG Lead (ISO/IEEE 11073-10101), as in ecg2dcm 1.3.1, codes.py (page not
checked)."""

SCP_LEAD = {lead: f"5.6.3-9-{n}" for lead, n in zip(LEADS, _NUMBER, strict=True)}
"""The same numbers under the older scheme SCPECG, as in the shared Mortara recording."""

GENERAL_ECG = "1.2.840.10008.5.1.4.1.1.9.1.2"
"""General ECG Waveform Storage."""

RATES = (200.0, 1000.0)
"""Hz that General ECG Waveform Storage admits; DICOM Supplement 237, slides of public comment
(2023), table of existing ECG waveform IODs."""

PERSONAL = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "PatientComments",
    "AcquisitionDateTime",
    "InstitutionName",
)
"""Fields that may tell who the patient is, and are read and written when that is asked for."""
