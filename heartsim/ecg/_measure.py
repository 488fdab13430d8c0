"""The numbers a cardiologist reads from an ECG, each with unit and definition."""

from typing import Any, NamedTuple

import numpy as np

from ._beat import Beat, median_beat
from ._boundaries import Span, TWave, baseline, qrs_span, t_lead, t_wave
from ._conduction_rules import Verdict, lbbb_strauss, rbbb_aha
from ._recording import Recording
from ._vcg import KORS, kors, qrs_area
from ._waves import LEAST_SHARE, LEAST_WAVE, LeadWaves, notches, pattern, waves

MEASURES = {
    "ecg_beats": ("1", "QRS complexes found in the record"),
    "ecg_beats_used": ("1", "beats of one kind that the median beat is made of"),
    "heart_rate_per_min": ("1/min", "60 000 over the mean RR interval of all beats in ms"),
    "rr_ms": ("ms", "mean RR interval before the beats used"),
    "qrs_onset_ms": ("ms", "earliest QRS activity of all leads, from the start of the beat"),
    "qrs_offset_ms": ("ms", "latest QRS activity of all leads, from the start of the beat"),
    "qrs_duration_ms": ("ms", "offset minus onset, over all leads"),
    "t_peak_ms": ("ms", "peak of T in the combination of leads where ST-T is largest"),
    "t_end_ms": ("ms", "end of T there: the tangent at the steepest fall meets the baseline"),
    "tpeak_tend_ms": ("ms", "end minus peak of T"),
    "qt_ms": ("ms", "end of T minus QRS onset"),
    "qtc_bazett_ms": ("ms", "QT / sqrt(RR / 1 s)"),
    "qtc_fridericia_ms": ("ms", "QT / cbrt(RR / 1 s)"),
    "qrs_axis_deg": ("deg", "direction of the mean QRS in the frontal plane: 0 left, 90 down"),
    "r_transition": ("1", "place between V1 and V6 where R outgrows S; 1 if in V1 already"),
    "qrs_area_uVs": ("µV s", "length of the time integral of the Kors vectorcardiogram over QRS"),
    "lbbb_strauss": ("", "complete left bundle branch block by Strauss et al. (2011)"),
    "lbbb_strauss_if_male": ("", "the same by the limit of men, 140 ms, where sex is not given"),
    "lbbb_strauss_if_female": ("", "the same by the limit of women, 130 ms"),
    "rbbb_aha": ("", "complete right bundle branch block by AHA/ACCF/HRS (2009)"),
}
"""Unit and meaning of each number; docs/definitions.md and docs/ecg-measures.md say more."""

PRECORDIAL = ("V1", "V2", "V3", "V4", "V5", "V6")


class Measures(NamedTuple):
    """What was measured on a beat."""

    beat: Beat
    values: dict[str, Any]  # by the names of MEASURES; NaN where nothing can be said
    per_lead: dict[str, LeadWaves]
    verdicts: dict[str, Verdict]  # of each rule, criterion by criterion

    def rows(self) -> dict[str, dict[str, Any]]:
        """name -> value, unit, definition, as in a run's summary; NaN is None."""
        return {
            name: {
                "value": None if isinstance(x, float) and not np.isfinite(x) else x,
                "unit": MEASURES[name][0],
                "definition": MEASURES[name][1],
            }
            for name, x in self.values.items()
        }


def measure(beat: Beat | Recording, sex: str | None = None) -> Measures:
    """Intervals, waves, axis, vector and conduction rules of a beat, or of a recording's median.

    QRS onset and offset come from the eight independent leads together, or all those recorded
    where some are missing; what needs a lead that is not there is NaN or None. Bazett (1920),
    Heart 7, 353-370; Fridericia (1920), Acta Med. Scand. 53, 469-486 (pages not checked).
    `sex` is 'male', 'female', or None, and then Strauss's rule is answered for both.
    ValueError if no QRS stands out, or `sex` is something else.
    """
    beat = median_beat(beat) if isinstance(beat, Recording) else beat
    record, rate = beat.recording, beat.recording.rate
    signal = np.asarray(record.signal, np.float64)
    together = [k for k, name in enumerate(record.leads) if name in KORS]
    together = together if len(together) == len(KORS) else list(range(len(record.leads)))
    span = qrs_span(signal[:, together], rate, beat.peak)
    signal = signal - baseline(signal, rate, span.onset)
    first, last = _samples(span, rate)
    qrs = Recording(signal[first : last + 1], rate, record.leads)
    floor = min(LEAST_WAVE, LEAST_SHARE * float(np.ptp(qrs.signal, axis=0).max()))
    whole = t_wave(t_lead(signal[:, together], rate, span.offset), rate, span.offset, floor)
    leads = {
        name: _lead(signal[:, k], rate, span, floor, whole) for k, name in enumerate(record.leads)
    }
    values = _rhythm(beat) | _times(span, whole, beat.rhythm.rr)
    values["qrs_axis_deg"] = _axis(qrs)
    values["r_transition"] = _transition(leads)
    present = all(name in record.leads for name in KORS)
    area = float(qrs_area(np.asarray(kors(qrs).signal), rate)) if present else float("nan")
    values["qrs_area_uVs"] = area
    verdicts = _verdicts(leads, span.offset - span.onset, sex)
    values |= {name: verdict.holds for name, verdict in verdicts.items()}
    return Measures(beat, values, leads, verdicts)


def _samples(span: Span, rate: float) -> tuple[int, int]:
    return round(span.onset * rate / 1000), round(span.offset * rate / 1000)


def _rhythm(beat: Beat) -> dict[str, Any]:
    rhythm = beat.rhythm
    return {
        "ecg_beats": len(rhythm.peaks),
        "ecg_beats_used": int(rhythm.used.sum()),
        "heart_rate_per_min": rhythm.rate,
        "rr_ms": rhythm.rr,
    }


def _times(span: Span, t: TWave, rr: float) -> dict[str, Any]:
    """Intervals over all leads."""
    qt = t.end - span.onset
    return {
        "qrs_onset_ms": span.onset,
        "qrs_offset_ms": span.offset,
        "qrs_duration_ms": span.offset - span.onset,
        "t_peak_ms": t.peak,
        "t_end_ms": t.end,
        "tpeak_tend_ms": t.end - t.peak,
        "qt_ms": qt,
        "qtc_bazett_ms": qt / (rr / 1000) ** (1 / 2),
        "qtc_fridericia_ms": qt / (rr / 1000) ** (1 / 3),
    }


def _lead(x, rate: float, span: Span, floor: float, whole: TWave) -> LeadWaves:
    """One lead, its isoelectric level zero."""
    first, last = _samples(span, rate)
    qrs = x[first : last + 1]
    found = waves(qrs, rate, floor)
    r = [w for w in found if w.name[0] == "R"]
    s = [w for w in found if w.name[0] == "S" or w.name == "QS"]
    q = [w for w in found if w.name[0] == "Q"]
    tallest = max(r, key=lambda w: w.amplitude, default=None)
    t = t_wave(x[: _until(whole, x, rate)], rate, span.offset, floor)
    own = _own_span(x, rate, span) if found else Span(float("nan"), float("nan"))
    return LeadWaves(
        *own,
        q=max((-w.amplitude for w in q), default=0.0),
        r=tallest.amplitude if tallest else 0.0,
        s=max((-w.amplitude for w in s), default=0.0),
        r_duration=sum(w.duration for w in r) + 0.0,
        s_duration=sum(w.duration for w in s) + 0.0,
        r_peak_time=float(tallest.peak) if tallest else float("nan"),
        pattern=pattern(found),
        **dict(zip(("notches", "slurs"), notches(qrs, rate, floor), strict=True)),
        t_amplitude=t.amplitude,
        t_peak=t.peak,
        t_end=t.end,
    )


def _own_span(x, rate: float, span: Span) -> Span:
    """The QRS of one lead, inside that of all leads."""
    first, last = _samples(span, rate)
    slope = np.abs(np.gradient(x))[first : last + 1]
    own = qrs_span(x[:, None], rate, (first + float(slope.argmax())) * 1000 / rate)
    return Span(max(own.onset, span.onset), min(own.offset, span.offset))


def _until(t: TWave, x, rate: float) -> int:
    """Samples in which a lead's own T is looked for: to 80 ms after the end of that of all."""
    return len(x) if np.isnan(t.end) else min(len(x), round((t.end + 80) * rate / 1000))


def _axis(qrs: Recording) -> float:
    """Degrees of the net area's direction: Einthoven's triangle with I = E cos α and
    II = E cos(α - 60°), so tan α = (2 II - I) / (√3 I); Novosel et al. (abstract read) have the
    same and warn of I with aVF unscaled."""
    if "I" not in qrs.leads or "II" not in qrs.leads:
        return float("nan")
    one, two = (float(np.trapezoid(np.asarray(qrs.lead(name)))) for name in ("I", "II"))
    return float(np.degrees(np.arctan2((2 * two - one) / np.sqrt(3), one)))


def _transition(leads: dict[str, LeadWaves]) -> float:
    """Where R - S, linear between neighbouring leads V1 to V6, rises through zero for good."""
    if not all(name in leads for name in PRECORDIAL):
        return float("nan")
    net = np.array([leads[name].r - leads[name].s for name in PRECORDIAL])
    below = np.flatnonzero(net < 0)
    if len(below) == 0:
        return 1.0
    k = int(below[-1])
    if k == len(net) - 1:
        return float("nan")
    return float(k + 1 + net[k] / (net[k] - net[k + 1]))


def _verdicts(leads, qrs_duration: float, sex: str | None) -> dict[str, Verdict]:
    rules = {"rbbb_aha": rbbb_aha(leads, qrs_duration)}
    if sex is not None:
        return {"lbbb_strauss": lbbb_strauss(leads, qrs_duration, sex)} | rules
    both = ("male", "female")
    return {f"lbbb_strauss_if_{s}": lbbb_strauss(leads, qrs_duration, s) for s in both} | rules
