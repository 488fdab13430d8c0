"""Leads that cannot be right are refused, with the mistake that explains them."""

import numpy as np
import pytest
from made_ecgs import LEADS, made

from heartsim.ecg import Recording, read_ecg, write_ecg
from heartsim.ecg.files._check import RELATIONS, amplitudes

SIX = LEADS[:6]


def refused(tmp_path, signal, leads=LEADS, rate=500.0):
    """What is said of these leads; without the check they are read as they are."""
    path = tmp_path / "a.csv"
    write_ecg(Recording(signal, rate, tuple(leads)), path)
    unchecked = read_ecg(path, check=False)
    assert "were not checked" in " ".join(unchecked.notes)
    for lead, written in zip(leads, signal.T, strict=True):
        assert unchecked.lead(lead) == pytest.approx(written, rel=1e-6, abs=1e-12)
    with pytest.raises(ValueError, match=r"a\.csv: ") as caught:
        read_ecg(path)
    return str(caught.value)


def with_lead(name, factor):
    return made().signal * np.where(np.array(LEADS) == name, factor, 1.0)


@pytest.mark.parametrize("name", SIX)
def test_a_turned_or_scaled_limb_lead_is_named(tmp_path, name):
    for factor, words in (
        (-1.0, f"lead {name} is upside down."),
        (1000.0, f"lead {name} is in µV where the others are in mV."),
        (0.001, f"lead {name} is in V where the others are in mV."),
        (-2.0, f"lead {name} is upside down and scaled by 2 "),
    ):
        said = refused(tmp_path, with_lead(name, factor))
        assert "the limb leads disagree" in said
        assert f"most likely {words}" in said


def test_exchanged_leads_are_named(tmp_path):
    order = ["I", "II", "aVL", "aVR", "III", *LEADS[5:]]  # III and aVL bear each other's names
    assert "leads III and aVL are exchanged" in refused(tmp_path, made().signal, order)


def test_three_leads_cannot_tell_a_turned_one_from_two_exchanged(tmp_path):
    said = refused(tmp_path, with_lead("I", -1.0)[:, :3], LEADS[:3])
    assert "lead I is upside down, or leads II and III are exchanged" in said
    assert "lead II is scaled by 2" in refused(tmp_path, with_lead("II", 2.0)[:, :3], LEADS[:3])


def test_leads_of_different_beats_have_no_single_mistake(tmp_path):
    shifted = made().signal.copy()
    shifted[:, :3] = np.roll(shifted[:, :3], 100, axis=0)
    assert "no single mistake explains I, II, III, aVR" in refused(tmp_path, shifted)


def test_units_are_judged_by_size(tmp_path):
    assert "each lead swings" in refused(tmp_path, made().signal * 1000)
    assert "in µV, not mV" in refused(tmp_path, made().signal * 1000)
    assert "lead V3 swings" in refused(tmp_path, with_lead("V3", 1000.0))
    assert "counts or nV" in refused(tmp_path, made().signal * 1e6)
    assert "in V, not mV" in refused(tmp_path, made().signal / 1000)
    assert "no lead swings" in refused(tmp_path, made().signal * 0.0)


def test_offsets_and_slow_drift_pass(tmp_path):
    """Each channel's own offset is no fault of polarity or gain."""
    drift = np.linspace(0, 3, len(made().signal))[:, None]
    common = drift * np.array([1, 1, 0, -1, 0.5, 0.5, 1, 1, 1, 1, 1, 1])  # of I and II, so lawful
    write_ecg(Recording(made().signal + np.arange(12) + common, 500.0, LEADS), tmp_path / "a.csv")
    assert read_ecg(tmp_path / "a.csv").notes == ()


def test_the_limit_lies_where_it_says(tmp_path):
    """A gain error of lead I of g leaves g rms(I) / √3 in I + III - II; 5 % of the largest limb
    lead and 5 µV pass."""
    signal = made().signal
    rms = (signal - signal.mean(axis=0))[:, :6].std(axis=0)
    limit = (0.05 * rms.max() + 0.005) * np.sqrt(3) / rms[0]
    assert 0.05 < limit < 0.3
    write_ecg(
        Recording(with_lead("I", 1 + 0.9 * limit)[:, :3], 500.0, LEADS[:3]), tmp_path / "b.csv"
    )
    read_ecg(tmp_path / "b.csv")
    assert "lead I is scaled" in refused(
        tmp_path, with_lead("I", 1 + 1.2 * limit)[:, :3], LEADS[:3]
    )


def test_missing_limb_leads_are_computed_and_noted(tmp_path):
    keep = [0, 1, 6, 7, 8, 9, 10, 11]
    leads = [LEADS[k] for k in keep]
    write_ecg(Recording(made().signal[:, keep], 500.0, tuple(leads)), tmp_path / "a.csv")
    read = read_ecg(tmp_path / "a.csv")
    assert read.leads == LEADS
    one, two = read.lead("I"), read.lead("II")
    assert read.lead("III") == pytest.approx(two - one, abs=1e-12)
    assert read.lead("aVR") == pytest.approx(-(one + two) / 2, abs=1e-12)
    assert read.lead("aVL") == pytest.approx(one - two / 2, abs=1e-12)
    assert read.lead("aVF") == pytest.approx(two - one / 2, abs=1e-12)
    assert read.notes[0] == "III, aVR, aVL, aVF computed from I and II"
    assert "too few limb leads" in read.notes[1]


@pytest.mark.data
def test_the_shared_recordings_keep_far_from_the_limits(shared_data):
    """As stated at the limits and on the page: relations to 0.7 % and 1.2 µV, leads of 0.16 to
    6.7 mV, the largest of each recording 1.3 mV or more."""
    folder = shared_data / "ecg"
    paths = [
        *folder.glob("cpsc2018/*.hea"),
        *folder.glob("ptb*/*.hea"),
        *folder.glob("dicom/*.dcm"),
    ]
    assert len(paths) == 37
    shares, sizes, swings = [], [], []
    for path in paths:
        recording = read_ecg(path)
        centred = recording.signal - recording.signal.mean(axis=0)
        leads = dict(zip(SIX, centred[:, :6].T, strict=True))
        largest = centred[:, :6].std(axis=0).max()
        for weights in RELATIONS.values():
            rms = sum(w * leads[name] for name, w in weights.items()).std()
            shares.append(rms / np.sqrt(sum(w**2 for w in weights.values())) / largest)
            sizes.append(rms)
        swings.append(list(amplitudes(recording).values()))
    assert max(shares) < 0.007
    assert max(sizes) < 0.0012
    assert min(map(min, swings)) > 0.16
    assert min(map(max, swings)) > 1.28
    assert max(map(max, swings)) < 6.75
