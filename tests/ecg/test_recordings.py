"""Measures of real ECGs against labels, a cardiograph, delineation libraries and simulations."""

import csv
from pathlib import Path

import numpy as np
import pytest
from recordings import cpsc2018, read_record

from heartsim import ecg, mesh

pytestmark = pytest.mark.data

DELINEATIONS = Path(__file__).with_name("delineations.csv")


@pytest.fixture(scope="module")
def measured(shared_data):
    """The 34 labelled records: row of the index, and measures."""
    return {
        name: (row, ecg.measure(record, row["sex"].lower()))
        for name, (row, record) in cpsc2018(shared_data).items()
    }


@pytest.fixture(scope="module")
def ptb(shared_data):
    return ecg.median_beat(read_record(shared_data / "ecg" / "ptb_s0010" / "s0010_re.hea"))


def spread(differences):
    """Median and quartiles, to print and to hold."""
    return np.percentile(differences, [50, 25, 75])


def test_durations_against_delineation_libraries(measured, ptb, shared_data):
    """No library is the truth: NeuroKit2 measures single leads, so its QRS must be shorter than
    that of all leads, and it stops at 100 ms (left out from 95); ECGdeli, whose consensus of
    normal records is 110 to 128 ms where 75 to 110 are normal, waits for the foot of the last
    wave, so its QRS must be longer. Ours lies between, 10 ms allowed, in 30 of 36 at least: 32
    were found, and plots of the other four show the waves end where ours does (ECGdeli
    misses a late R', for one). QT by tangent ends before the foot of T, where both libraries
    end: a median of -60 to 0 ms allows that and no more."""
    ptbxl = ecg.measure(read_record(next((shared_data / "ecg" / "ptbxl_00001").glob("*.hea"))))
    ours = {name: m for name, (_, m) in measured.items()}
    ours |= {"ptb_s0010": ecg.measure(ptb), "ptbxl_00001": ptbxl}
    lines = DELINEATIONS.read_text(encoding="utf-8").splitlines()
    table = {row["record"]: row for row in csv.DictReader(lines[1:])}
    assert set(table) == set(ours)
    pairs = {}
    for peer in ("neurokit", "ecgdeli"):
        for what in ("qrs", "qt"):
            mine = [ours[k].values["qrs_duration_ms" if what == "qrs" else "qt_ms"] for k in table]
            theirs = [float(row[f"{peer}_{what}"]) for row in table.values()]
            pairs[peer, what] = np.array([mine, theirs])
    between = 0
    for k in range(len(table)):
        capped = pairs["neurokit", "qrs"][1, k] >= 95
        low = 0 if capped else pairs["neurokit", "qrs"][1, k]
        between += low - 10 <= pairs["neurokit", "qrs"][0, k] <= pairs["ecgdeli", "qrs"][1, k] + 10
    print(f"\nQRS between the two libraries, ±10 ms: {between} of {len(table)}")
    assert between >= 30
    for (peer, what), (mine, theirs) in pairs.items():
        fit = np.isfinite(mine) & ((theirs < 95) | (peer != "neurokit") | (what != "qrs"))
        median, low, high = spread((mine - theirs)[fit])
        print(f"{what} - {peer}: {median:.0f} ({low:.0f}, {high:.0f}) ms, n {fit.sum()}")
        limits = {
            ("neurokit", "qrs"): (0, 20),
            ("ecgdeli", "qrs"): (-40, 0),
        }.get((peer, what), (-60, 0))
        assert limits[0] <= median <= limits[1]


def test_normal_records_are_within_normal_limits(measured):
    """QRS 74 to 114 ms (range of adult men in the AHA/ACCF/HRS statement, women somewhat less, so
    70 to 114), axis -30° to 90°, transition between V1 and V5, corrected QT of 350 to 460 ms."""
    for row, m in measured.values():
        if row["dx"] == "Normal":
            v = m.values
            assert 70 <= v["qrs_duration_ms"] <= 114
            assert -30 <= v["qrs_axis_deg"] <= 90
            assert 1 < v["r_transition"] < 5
            assert 350 <= v["qtc_fridericia_ms"] <= 460


def test_ectopic_beats_do_not_enter_the_median(measured):
    """Each record labelled PVC holds wide beats; its median is the narrow one."""
    for row, m in measured.values():
        if row["dx"] in ("PVC", "PAC"):
            assert m.values["ecg_beats_used"] < m.values["ecg_beats"]
            assert m.values["qrs_duration_ms"] < 115


def test_bundle_branch_rules_against_labels(measured):
    """Sensitivity is of a strict rule on labels that were given by eye and follow no rule: of four
    LBBB one is 128 ms wide (130 wanted), one is notched in one lead only, by our notches; of
    five RBBB four are under 120 ms, as incomplete ones are labelled RBBB too. Specificity counts:
    none of 30 may be LBBB, one of 29 may be RBBB."""
    for rule, label, least in (("lbbb_strauss", "LBBB", 2), ("rbbb_aha", "RBBB", 1)):
        yes = [m.values[rule] for row, m in measured.values() if row["dx"] == label]
        no = [m.values[rule] for row, m in measured.values() if row["dx"] != label]
        print(f"\n{rule}: {sum(yes)} of {len(yes)} labelled, {sum(no)} of {len(no)} others")
        assert sum(yes) >= least
        assert sum(no) <= (0 if label == "LBBB" else 1)


def test_shape_of_lbbb_in_a_population(shared_data):
    """25 LBBB and 25 healthy beats, registered in time, so durations mean nothing and only the
    two criteria of shape are asked: they must tell the groups apart by more than chance, as 17 of
    25 against 8 of 25 would (Fisher's exact test: 2 % by chance). A QRS of one heart is not half as
    long as that of the others: in one the slow end of S is 100 ms long."""
    count = {}
    for kind in ("LBBB", "healthy"):
        path = shared_data / "ecg" / "roahd_population" / f"{kind}_subjects_00_24.npz"
        with np.load(path) as file:
            names, beats = [str(name) for name in file["leads"]], file["signal"] / 1000
        count[kind], durations = 0, []
        for beat in beats.transpose(0, 2, 1):
            avl = beat[:, names.index("I")] - beat[:, names.index("II")] / 2
            whole = ecg.Recording(np.column_stack([beat, avl]), 1000.0, (*names, "aVL"))
            m = ecg.measure(whole, "female")
            durations.append(m.values["qrs_duration_ms"])
            criteria = m.verdicts["lbbb_strauss"].criteria
            count[kind] += all(held for name, held in criteria.items() if "ms" not in name)
        assert min(durations) > 0.67 * np.median(durations)
    print(f"\nQS or rS, and notched: {count['LBBB']} of 25 LBBB, {count['healthy']} of 25 healthy")
    assert count["LBBB"] >= 17
    assert count["healthy"] <= 8


def test_a_cardiograph_measures_the_same(shared_data):
    """What the device wrote into its file: RR 982, QRS 75, QT 368 ms, axis 52°. QRS and QT within
    10 ms and axis within 10°, less than cardiographs differ among each other."""
    pytest.importorskip("pydicom")
    v = ecg.measure(ecg.read_ecg(shared_data / "ecg" / "dicom" / "waveform_ecg.dcm")).values
    assert v["rr_ms"] == pytest.approx(982, abs=10)
    assert v["qrs_duration_ms"] == pytest.approx(75, abs=10)
    assert v["qt_ms"] == pytest.approx(368, abs=10)
    assert v["qrs_axis_deg"] == pytest.approx(52, abs=10)


def test_vectorcardiogram_against_frank_leads(ptb):
    """Of one infarct patient: Kors and others give r of 0.9 and more for X and Y in groups, less
    for Z, which here is 0.73; limits 0.05 under what was found (0.99, 0.96, 0.73)."""
    derived = ecg.kors(ptb.recording)
    for name, least in (("vx", 0.94), ("vy", 0.91), ("vz", 0.68)):
        r = np.corrcoef(derived.lead(name), ptb.recording.lead(name))[0, 1]
        print(f"\n{name}: r = {r:.3f}", end="")
        assert r >= least


def test_qrs_of_a_simulated_heart_lasts_as_long_as_its_activation(shared_data):
    """Of another code: activation spans 143.8 ms, and the ECG in an arbitrary unit, without noise,
    P or T wave, begins with the record. The last milliseconds activate a few nodes: 5 ms."""
    folder = shared_data / "meshes" / "crtdemo"
    with (folder / "reference_ecg.csv").open() as file:
        names, *rows = csv.reader(file)
    signal = np.array(rows, float)[:, 1:]
    v = ecg.measure(ecg.Recording(signal, 1000.0, tuple(names[1:]))).values
    activation = mesh.read_mesh(folder / "crtdemo_biv.vtu").point_data["reference_activation_ms"]
    assert v["qrs_duration_ms"] == pytest.approx(np.ptp(activation), abs=5)
    assert np.isnan(v["qt_ms"])


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # of pandas, by wfdb
def test_every_beat_of_half_an_hour_is_found(shared_data):
    """MIT-BIH record 100 as annotated by cardiologists: 2273 beats, one of them ventricular, 33
    premature atrial. None missed, none invented, within 50 ms; the ventricular one is left out."""
    wfdb = pytest.importorskip("wfdb")
    path = shared_data / "ecg" / "mitbih_100" / "100"
    signal, header = wfdb.rdsamp(str(path))
    notes = wfdb.rdann(str(path), "atr")
    is_beat = np.isin(notes.symbol, ["N", "A", "V"])
    beats, kinds = notes.sample[is_beat], np.array(notes.symbol)[is_beat]
    record = ecg.Recording(signal, float(header["fs"]), tuple(header["sig_name"]))
    rhythm = ecg.median_beat(record).rhythm
    apart = np.abs(rhythm.peaks[:, None] - beats[None])
    assert len(beats) == 2273
    assert apart.min(axis=0).max() <= 0.05 * record.rate
    assert len(rhythm.peaks) == len(beats)
    assert rhythm.used[apart[:, np.flatnonzero(kinds == "V")].argmin(axis=0)].sum() == 0
    assert rhythm.used.sum() > 0.95 * len(beats)


@pytest.mark.parametrize(("state", "published", "slack"), [("bl", 96, 8), ("lbbb", 170, 30)])
def test_dog_before_and_after_ablation(shared_data, state, published, slack):
    """Read by others: 96 and 170 ms. The record after ablation has 60 Hz hum of 0.2 mV, which is
    notched out; what is left of it hides the slow ends of the QRS, 147 ms here."""
    with np.load(shared_data / "meshes" / "canine_CRT006" / f"raw_2kHz_{state}.npz") as file:
        signal = np.stack([file[f"page1_{name}"] * 78e-6 for name in ecg.LEADS], axis=1)
    v = ecg.measure(ecg.Recording(signal, 2000.0, ecg.LEADS)).values
    print(f"\n{state}: {v['qrs_duration_ms']:.0f} ms, {published} published")
    assert v["qrs_duration_ms"] == pytest.approx(published, abs=slack)
