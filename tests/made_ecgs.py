"""Made-up ECGs with a made-up patient, in formats of which no recording may be shipped."""

import base64
import binascii
import datetime
import struct
import zlib

import edfio
import numpy as np

from heartsim.ecg import LEADS, Recording, twelve_leads

PERSONAL = ("Roe", "Jane", "MRN4711", "1951", "palpitations")
"""What tells who the patient is in every made file."""

INDEPENDENT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
COUNT = 0.0025  # mV, of the files made here


def made(rate=500.0, seconds=2.0) -> Recording:
    """A P wave, a QRS and a T wave every second, seen by nine electrodes; each lead in whole
    counts, so that the limb leads obey Einthoven to a count and a half."""
    t = np.arange(int(rate * seconds)) / rate % 1.0
    waves = [(0.15, 0.025, 0.12), (0.30, 0.012, 1.0), (0.33, 0.015, -0.5), (0.60, 0.05, 0.3)]
    beat = np.stack([a * np.exp(-(((t - t0) / w) ** 2) / 2) for t0, w, a in waves], axis=1)
    weights = np.random.default_rng(3).uniform(0.3, 1.0, (len(waves), 9))
    weights[:, 0] *= -1.0  # RA sees the back of the wave
    signal = np.asarray(twelve_leads(beat @ weights))
    return Recording(np.round(signal / COUNT) * COUNT, rate, LEADS)


def counts(recording: Recording, lead: str) -> np.ndarray:
    return np.round(recording.lead(lead) / COUNT).astype("<i2")


def write_edf(path, recording: Recording) -> None:
    """EDF+ by edfio, in µV, with breath beside the leads."""
    signals = [
        edfio.EdfSignal(
            recording.lead(lead) * 1000,
            recording.rate,
            label=f"ECG {lead}",
            physical_dimension="uV",
            physical_range=(-32768 * 2.5, 32767 * 2.5),
        )
        for lead in LEADS
    ]
    signals.append(
        edfio.EdfSignal(
            np.zeros(len(recording.signal) // 50),
            recording.rate / 50,
            label="Breath",
            physical_dimension="V",
        )
    )
    patient = edfio.Patient(
        code="MRN4711", sex="F", birthdate=datetime.date(1951, 3, 4), name="Jane_Roe"
    )
    visit = edfio.Recording(additional=["palpitations"])
    edfio.Edf(signals, patient=patient, recording=visit).write(path)


def write_muse(path, recording: Recording, damaged=False) -> None:
    """GE MUSE RestingECG: base64 of 16-bit counts, eight leads, after restecg.dtd."""
    leads = []
    for lead in INDEPENDENT:
        data = counts(recording, lead).tobytes()
        crc = zlib.crc32(data) + damaged
        leads.append(
            f"<LeadData><LeadByteCountTotal>{len(data)}</LeadByteCountTotal>"
            f"<LeadSampleCountTotal>{len(data) // 2}</LeadSampleCountTotal>"
            "<LeadAmplitudeUnitsPerBit>2.5</LeadAmplitudeUnitsPerBit>"
            "<LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits>"
            f"<LeadID>{lead}</LeadID><LeadSampleSize>2</LeadSampleSize>"
            f"<LeadDataCRC32>{crc}</LeadDataCRC32>"
            f"<WaveFormData>{base64.b64encode(data).decode()}</WaveFormData></LeadData>"
        )
    path.write_text(
        '<?xml version="1.0" encoding="ISO-8859-1"?><RestingECG>'
        "<PatientDemographics><PatientID>MRN4711</PatientID>"
        "<DateofBirth>03-04-1951</DateofBirth><PatientLastName>Roe</PatientLastName>"
        "<PatientFirstName>Jane</PatientFirstName></PatientDemographics>"
        "<Diagnosis><DiagnosisStatement><StmtText>palpitations</StmtText>"
        "</DiagnosisStatement></Diagnosis>"
        f"<Waveform><WaveformType>Rhythm</WaveformType><SampleBase>{recording.rate:.0f}"
        f"</SampleBase><SampleExponent>0</SampleExponent>{''.join(leads)}</Waveform></RestingECG>"
    )


def write_aecg(path, recording: Recording, unit="uV") -> None:
    """HL7 aECG (PORT_MT020001): twelve sequences of digits with origin and scale."""
    sequences = [
        f'<component><sequence><code code="MDC_ECG_LEAD_{lead.upper()}"/>'
        f'<value xsi:type="SLIST_PQ"><origin value="0" unit="{unit}"/>'
        f'<scale value="2.5" unit="{unit}"/>'
        f"<digits>{' '.join(map(str, counts(recording, lead)))}</digits></value>"
        "</sequence></component>"
        for lead in LEADS
    ]
    path.write_text(
        '<?xml version="1.0"?><AnnotatedECG xmlns="urn:hl7-org:v3" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><text>palpitations</text>'
        "<componentOf><timepointEvent><componentOf><subjectAssignment><subject><trialSubject>"
        '<id extension="MRN4711"/><subjectDemographicPerson><name><family>Roe</family>'
        '<given>Jane</given></name><birthTime value="19510304"/></subjectDemographicPerson>'
        "</trialSubject></subject></subjectAssignment></componentOf></timepointEvent>"
        '</componentOf><component><series><code code="RHYTHM"/><component><sequenceSet>'
        '<component><sequence><code code="TIME_RELATIVE"/><value xsi:type="GLIST_PQ">'
        f'<head value="0" unit="s"/><increment value="{1 / recording.rate!r}" unit="s"/></value>'
        f"</sequence></component>{''.join(sequences)}</sequenceSet></component></series>"
        "</component></AnnotatedECG>"
    )


def write_scp(path, recording: Recording, damaged=False) -> None:
    """SCP-ECG (EN 1064): sections 0, 1, 3 and 6, samples as they are, 2500 nV to a count."""
    tags = [(0, b"Roe\0"), (1, b"Jane\0"), (2, b"MRN4711\0"), (5, struct.pack("<HBB", 1951, 3, 4))]
    tags += [(30, b"palpitations\0"), (255, b"")]
    patient = b"".join(struct.pack("<BH", tag, len(value)) + value for tag, value in tags)
    samples = [counts(recording, lead).tobytes() for lead in INDEPENDENT]
    n = len(recording.signal)
    codes = range(1, 9)  # I, II, V1 to V6
    leads = struct.pack("<BB", 8, 0x44) + b"".join(struct.pack("<IIB", 1, n, c) for c in codes)
    rhythm = struct.pack("<HHBB", 2500, round(1e6 / recording.rate), 0, 0)
    rhythm += struct.pack("<8H", *(len(s) for s in samples)) + b"".join(samples)
    bodies = {1: patient, 3: leads, 6: rhythm}
    length = 16 + 12 * 10
    pointers, at, rest = [(0, length, 7)], 7 + length, b""
    for number, body in bodies.items():
        section = _section(number, body + b"\0" * (len(body) % 2))
        pointers.append((number, len(section), at))
        at, rest = at + len(section), rest + section
    pointers += [(k, 0, 0) for k in range(12) if k not in (0, *bodies)]
    table = b"".join(struct.pack("<HII", *p) for p in pointers)
    whole = _section(0, table) + rest
    whole = struct.pack("<I", 6 + len(whole)) + whole
    crc = binascii.crc_hqx(whole, 0xFFFF) ^ damaged
    path.write_bytes(struct.pack("<H", crc) + whole)


def _section(number, body):
    head = struct.pack("<HIBB6x", number, 16 + len(body), 20, 20) + body
    return struct.pack("<H", binascii.crc_hqx(head, 0xFFFF)) + head
