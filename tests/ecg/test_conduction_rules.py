"""Each criterion of the two rules decides, alone."""

import math

import pytest

from heartsim.ecg import LeadWaves, lbbb_strauss, rbbb_aha

PLAIN = LeadWaves(
    qrs_onset=0.0,
    qrs_offset=150.0,
    q=0.0,
    r=1.0,
    s=0.0,
    r_duration=60.0,
    s_duration=0.0,
    r_peak_time=40.0,
    pattern="R",
    notches=0,
    slurs=0,
    t_amplitude=math.nan,
    t_peak=math.nan,
    t_end=math.nan,
)
RS = PLAIN._replace(pattern="rS", r=0.2, s=1.0, s_duration=80.0)
LEFT = {
    "I": PLAIN._replace(notches=1),
    "aVL": PLAIN,
    "V1": RS._replace(pattern="QS", q=1.0, r=0.0),
    "V2": RS,
    "V5": PLAIN,
    "V6": PLAIN._replace(slurs=1),
}
WIDE_S = PLAIN._replace(pattern="Rs", s=0.3, s_duration=50.0)
RIGHT = {
    "I": WIDE_S,
    "V1": PLAIN._replace(pattern="rsR'", r_peak_time=90.0),
    "V2": RS,
    "V5": WIDE_S,
    "V6": WIDE_S,
}


def test_left_bundle_branch_block_by_sex():
    """140 ms in men, 130 in women, limits included."""
    assert lbbb_strauss(LEFT, 140.0, "male").holds
    assert not lbbb_strauss(LEFT, 139.0, "male").holds
    assert lbbb_strauss(LEFT, 130.0, "female").holds
    assert not lbbb_strauss(LEFT, 129.0, "female").holds


@pytest.mark.parametrize(
    ("lead", "change"),
    [
        ("V1", {"pattern": "rSr'"}),
        ("V2", {"pattern": "RS", "r": 1.1}),
        ("I", {"notches": 0}),
        ("V6", {"slurs": 0}),
    ],
)
def test_left_bundle_branch_block_needs_its_shape(lead, change):
    other = LEFT | {lead: LEFT[lead]._replace(**change)}
    verdict = lbbb_strauss(other, 160.0, "female")
    assert verdict.holds is False
    assert list(verdict.criteria.values()).count(False) == 1


@pytest.mark.parametrize(
    ("lead", "change"),
    [
        ("V1", {"pattern": "rS"}),
        ("I", {"s_duration": 39.0}),
        ("V6", {"s_duration": 0.0}),
        ("V1", {"pattern": "R", "r_peak_time": 50.0}),
    ],
)
def test_right_bundle_branch_block_needs_its_shape(lead, change):
    assert rbbb_aha(RIGHT, 120.0).holds
    assert not rbbb_aha(RIGHT, 119.0).holds
    other = RIGHT | {lead: RIGHT[lead]._replace(**change)}
    verdict = rbbb_aha(other, 140.0)
    assert verdict.holds is False
    assert list(verdict.criteria.values()).count(False) == 1


def test_right_bundle_branch_block_with_a_pure_late_r():
    pure = RIGHT | {"V1": PLAIN._replace(pattern="R", r_peak_time=51.0)}
    assert rbbb_aha(pure, 130.0).holds
    late = pure | {"V6": WIDE_S._replace(r_peak_time=61.0)}
    assert not rbbb_aha(late, 130.0).holds


def test_s_longer_than_a_short_r_is_long_enough():
    short = WIDE_S._replace(r_duration=25.0, s_duration=30.0)
    assert rbbb_aha(RIGHT | {"I": short, "V6": short}, 130.0).holds


def test_rules_without_their_leads_say_nothing():
    assert lbbb_strauss({"I": PLAIN}, 150.0, "male").holds is None
    assert rbbb_aha({"I": PLAIN}, 150.0).holds is None
