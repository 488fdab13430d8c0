"""DICOM waveforms: 12-lead and General ECG Waveform Storage read, through pydicom."""

from pathlib import Path

import numpy as np

from ._contents import Contents, Refused, library, mv_per
from ._dicom_codes import MDC_LEAD, PERSONAL, SCP_LEAD


def read_dicom(path: Path) -> Contents:
    """The longest multiplex group (the rhythm, not the median beat); others are noted."""
    pydicom = library("pydicom")
    data = pydicom.dcmread(path)
    if "WaveformSequence" not in data:
        raise Refused(f"this DICOM file holds no waveform, but {data.SOPClassUID.name}.")
    groups = list(data.WaveformSequence)
    chosen = max(range(len(groups)), key=lambda k: int(groups[k].NumberOfWaveformSamples))
    group = groups[chosen]
    channels = list(group.ChannelDefinitionSequence)
    names = [_name(channel) for channel in channels]
    factors = [_factor(channel, name) for channel, name in zip(channels, names, strict=True)]
    notes = []
    if len(groups) > 1:
        notes.append(f"multiplex group {chosen + 1} of {len(groups)}, the longest")
    signal = np.asarray(data.waveform_array(chosen), dtype=np.float64) * np.array(factors)
    if "WaveformPaddingValue" in group:
        raw = pydicom.waveforms.multiplex_array(data, chosen, as_raw=True)
        signal[raw == np.frombuffer(group.WaveformPaddingValue, raw.dtype)[0]] = np.nan
    identity = (f"{field}: {data[field].value}" for field in PERSONAL if data.get(field))
    rate = float(group.SamplingFrequency)
    return Contents(signal, rate, tuple(names), tuple(notes), tuple(identity))


def _name(channel) -> str:
    """By code where it is a known one, else by its meaning or label."""
    source = channel.ChannelSourceSequence[0]
    known = {"MDC": MDC_LEAD, "SCPECG": SCP_LEAD}.get(source.CodingSchemeDesignator, {})
    by_code = {code: lead for lead, code in known.items()}
    return by_code.get(source.get("CodeValue"), str(source.CodeMeaning))


def _factor(channel, name: str) -> float:
    """mV of the channel's unit."""
    units = channel.get("ChannelSensitivityUnitsSequence")
    factor = mv_per(units[0].CodeValue) if units else None
    if factor is None:
        raise Refused(f"lead {name} has no unit of voltage, so its gain is not known.")
    return factor
