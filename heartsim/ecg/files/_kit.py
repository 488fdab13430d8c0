"""HL7 aECG, GE MUSE XML and SCP-ECG, through ecgdatakit."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ._contents import Contents, Refused, library, mv_per

KNOWN = ("HL7 aECG", "GE MUSE XML", "SCP-ECG")
"""Formats that are read this way, by the library's names for them."""


def read_kit(path: Path) -> Contents:
    """The rhythm leads; median beats are left alone.

    ValueError for other formats, a checksum that is wrong, leads without unit or of unequal
    length or rate.
    """
    kit = library("ecgdatakit")
    found = kit.FileParser.detect_format(path)
    if found is None or found["name"] not in KNOWN:
        is_one = "not known" if found is None else found["name"]
        raise Refused(f"this format is {is_one}; {', '.join(KNOWN)} are read.")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            record = kit.FileParser.parse(path)
        except kit.ECGDataKitError as error:
            raise Refused(f"damaged or incomplete ({error}).") from error
    if any(issubclass(w.category, kit.ChecksumWarning) for w in caught):
        raise Refused("its checksum is wrong: the file was damaged or changed.")
    for lead in record.leads:
        if lead.is_raw or mv_per(lead.units) is None:
            raise Refused(f"lead {lead.label} has no unit of voltage, so its gain is not known.")
    rates = {lead.sampling_rate for lead in record.leads}
    lengths = {len(lead.samples) for lead in record.leads}
    starts = {lead.annotations.get("start_sample") for lead in record.leads}
    if len(rates) > 1 or len(lengths) > 1 or len(starts) > 1:
        raise Refused("its leads differ in length or rate; they were not recorded together.")
    notes = (f"the {found['name']} reader had {len(caught)} remarks",) if caught else ()
    return Contents(
        np.stack([lead.samples * mv_per(lead.units) for lead in record.leads], axis=1),
        _exact_rate(record, rates.pop()),
        tuple(lead.label for lead in record.leads),
        notes,
        _identity(record),
    )


def _exact_rate(record: Any, rate: int) -> float:
    """The library rounds rates to whole Hz, and keeps what aECG and SCP say beside."""
    more = record.raw_metadata
    if "rhythm_sample_interval_us" in more:
        return 1e6 / more["rhythm_sample_interval_us"]
    return float(more.get("rhythm_time", {}).get("sampling_rate_exact", rate))


def _identity(record: Any) -> tuple[str, ...]:
    patient = record.patient
    name = f"{patient.last_name}^{patient.first_name}".strip("^")
    fields = {
        "PatientName": name,
        "PatientID": patient.patient_id,
        "PatientBirthDate": f"{patient.birth_date:%Y%m%d}" if patient.birth_date else "",
        "PatientSex": patient.sex,
        "PatientAge": patient.age,
        "AcquisitionDateTime": record.recording.date,
    }
    return tuple(f"{field}: {value}" for field, value in fields.items() if value)
