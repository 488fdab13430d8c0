"""Bundle branch blocks by published rules, criterion by criterion."""

from collections.abc import Mapping
from typing import NamedTuple

from ._waves import LeadWaves

STRAUSS_MS = {"male": 140.0, "female": 130.0}
"""Least QRS duration of LBBB by sex, ms: abstract of Strauss et al. (2011)."""
NOTCHED = ("I", "aVL", "V1", "V2", "V5", "V6")
"""Leads of which two must be notched or slurred in LBBB."""


class Verdict(NamedTuple):
    """What a rule says of a beat, and why."""

    holds: bool | None  # None: a lead that the rule needs is missing
    criteria: dict[str, bool]


def lbbb_strauss(leads: Mapping[str, LeadWaves], qrs_duration: float, sex: str) -> Verdict:
    """Complete left bundle branch block by Strauss, Selvester and Wagner (2011), Am. J. Cardiol.
    107, 927-934: all of

    - QRS of 140 ms or more in men, 130 ms or more in women (abstract read);
    - QS or rS in V1 and V2 (read in Martín-Yebra and Martínez (2019), PLoS ONE 14, e0212971);
    - mid-QRS notching or slurring in two or more of I, aVL, V1, V2, V5 and V6 (likewise; the
      abstract says contiguous leads).

    What counts as rS is our reading of the waves: one R, and an S that is greater; what counts as
    a notch or slur is in `notches`. ValueError if `sex` is neither male nor female.
    """
    if sex not in STRAUSS_MS:
        raise ValueError(f"sex is {sex!r}; give 'male' or 'female', or None for both rules.")
    if not all(name in leads for name in NOTCHED):
        return Verdict(None, {})
    shapes = [leads[name].pattern for name in ("V1", "V2")]
    marked = sum(leads[name].notches + leads[name].slurs > 0 for name in NOTCHED)
    criteria = {
        f"QRS at least {STRAUSS_MS[sex]:g} ms": qrs_duration >= STRAUSS_MS[sex],
        "QS or rS in V1 and V2": all(s == "QS" or s.upper() == "RS" for s in shapes)
        and all(leads[name].s > leads[name].r for name in ("V1", "V2")),
        "notch or slur in 2 of I, aVL, V1, V2, V5, V6": marked >= 2,
    }
    return Verdict(all(criteria.values()), criteria)


def rbbb_aha(leads: Mapping[str, LeadWaves], qrs_duration: float) -> Verdict:
    """Complete right bundle branch block of adults by Surawicz et al. (2009), AHA/ACCF/HRS
    recommendations part III, J. Am. Coll. Cardiol. 53, 976-981: all of

    1. QRS of 120 ms or more;
    2. rsr', rsR' or rSR' in V1 or V2, or there a wide, often notched R;
    3. in I and V6 an S of longer duration than R, or longer than 40 ms;
    4. where a pure R, notched or not, stands in V1: R peak time over 50 ms in V1 and normal in
       V5 and V6.

    The numbers were read in two digests of the statement, not in the statement itself. A rare qR
    in V1 (named in later guidelines) is treated as a pure R. A normal R peak time has no number
    there; 60 ms is taken, over which the same statement calls it late in V5 and V6 for LBBB.
    """
    if not all(name in leads for name in ("I", "V1", "V2", "V5", "V6")):
        return Verdict(None, {})
    v1 = leads["V1"]
    second_r = any("R'" in leads[name].pattern.upper() for name in ("V1", "V2"))
    pure = [name for name in ("V1", "V2") if leads[name].pattern.upper() in ("R", "QR")]
    broad_s = all(
        leads[name].s_duration > min(leads[name].r_duration, 40.0) for name in ("I", "V6")
    )
    late = v1.r_peak_time > 50 and all(leads[n].r_peak_time <= 60 for n in ("V5", "V6"))
    criteria = {
        "QRS at least 120 ms": qrs_duration >= 120,
        "rsr', rsR', rSR' or wide R in V1 or V2": second_r or bool(pure),
        "S longer than R or 40 ms in I and V6": broad_s,
        "R peak time over 50 ms in V1 and normal in V5, V6, where R stands alone": late
        or "V1" not in pure,
    }
    return Verdict(all(criteria.values()), criteria)
