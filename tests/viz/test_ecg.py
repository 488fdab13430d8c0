"""The ECG page as a ruler on the paper measures it."""

import numpy as np
import pytest
from PIL import Image

from heartsim.viz import ecg_figure, ecg_png, read_ecg

PX = 10  # pixels to the millimetre at 254 dpi


def page(path):
    figure = ecg_figure(read_ecg(path))
    return figure.axes[0]


def traces(ax):
    """Lead name and row -> points of the trace, mm on the paper."""
    return {line.get_gid(): line.get_xydata() for line in ax.lines}


def dark(rgb, x, y):
    """Rows and columns of ink in the rectangle from x to x, y to y, mm from the lower left."""
    height = rgb.shape[0]
    part = rgb[height - int(y[1] * PX) : height - int(y[0] * PX), int(x[0] * PX) : int(x[1] * PX)]
    return np.nonzero(part.max(axis=2) < 110)


def test_the_calibration_pulse_is_10_mm_by_5_mm_at_the_resolution_of_the_file(ecg_file, tmp_path):
    path = ecg_file()
    ecg_png(path, tmp_path / "ecg.png")
    with Image.open(tmp_path / "ecg.png") as picture:
        assert picture.info["dpi"] == pytest.approx((254.0, 254.0), abs=0.01)
        rgb = np.asarray(picture.convert("RGB"), int)
    foot = page(path).lines[0].get_xydata()[0]
    rows, columns = dark(rgb, (foot[0] - 1, foot[0] + 11), (foot[1] - 1, foot[1] + 11))
    # the line is 0.3 mm = 3 pixels wide, half of it on each side, give or take one pixel
    assert np.ptp(rows) + 1 == pytest.approx(10 * PX + 3, abs=1)
    top = columns[rows < rows.min() + 3]
    assert np.ptp(top) + 1 == pytest.approx(5 * PX + 3, abs=1)


def test_a_large_square_of_the_grid_is_5_mm(ecg_file, tmp_path):
    ecg_png(ecg_file(), tmp_path / "ecg.png")
    with Image.open(tmp_path / "ecg.png") as picture:
        rgb = np.asarray(picture.convert("RGB"), int)
    row = rgb[len(rgb) - 12, :, 1]  # green along a row in the bottom margin, between lines
    strong, weak = row < 180, row < 245
    starts = lambda mask: np.flatnonzero(np.diff(mask.astype(int)) == 1)  # noqa: E731
    assert np.diff(starts(strong)) == pytest.approx(5 * PX)
    assert np.diff(starts(weak)) == pytest.approx(PX, abs=1)
    assert rgb.shape[0] % (5 * PX) == 0
    assert rgb.shape[1] % (5 * PX) == 0


def test_a_trace_is_true_to_25_mm_a_second_and_10_mm_a_millivolt(ecg_file):
    path = ecg_file()
    ecg, ax = read_ecg(path), page(path)
    drawn = traces(ax)
    for row, names in enumerate((("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"))):
        for name in names:
            x, y = drawn[f"{name}:{row}"].T
            assert x - x[0] == pytest.approx(0.025 * ecg.time)  # mm a ms
            assert np.diff(y) == pytest.approx(10.0 * np.diff(ecg.leads[name]))
    # one unit of the axes is one millimetre of the page
    across = ax.transData.transform([[0.0, 0.0], [100.0, 100.0]])
    assert np.diff(across, axis=0) == pytest.approx(100.0 * PX)


def test_leads_stand_in_the_standard_order_with_their_names(ecg_file):
    ax = page(
        ecg_file(order=["V6", "V5", "V4", "V3", "V2", "V1", "aVF", "aVL", "aVR", "III", "II", "I"])
    )
    wanted = ["I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6"]
    names = [t for t in ax.texts if t.get_text() in wanted]
    order = sorted(names, key=lambda t: (-t.get_position()[1], t.get_position()[0]))
    assert [t.get_text() for t in order] == wanted
    for text in names:
        start = next(
            xy[0] for gid, xy in traces(ax).items() if gid.startswith(f"{text.get_text()}:")
        )
        assert text.get_position()[0] == pytest.approx(start[0])
        assert text.get_position()[1] > start[1]


@pytest.mark.parametrize(
    ("scale", "gain"),
    [(0.05, 20.0), (1.0, 10.0), (2.0, 10.0), (3.0, 5.0), (6.0, 2.5), (400.0, 0.0390625)],
)
def test_the_gain_follows_the_signal_is_stated_and_nothing_is_cut_off(ecg_file, scale, gain):
    path = ecg_file(scale=scale)
    ax, ecg = page(path), read_ecg(path)
    head = ax.texts[-2].get_text()
    assert head.startswith(f"25 mm/s   {gain:g} mm/mV")
    assert ("not the standard" in head) == (gain != 10.0)
    drawn = traces(ax)
    assert np.ptp(drawn["V4:0"][:, 1]) == pytest.approx(gain * np.ptp(ecg.leads["V4"]))
    assert np.ptp(drawn["calibration"][:, 1]) == pytest.approx(gain)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    for name in (t for t in ax.texts if t.get_text() in ecg.leads):
        x, y = next(v for k, v in drawn.items() if k.startswith(f"{name.get_text()}:")).T
        assert left < x.min() < x.max() < right
        assert bottom < y.min() < y.max() < name.get_position()[1] < top
    below = [min(v[:, 1].min() for k, v in drawn.items() if k.endswith(f":{r}")) for r in range(3)]
    above = [max(v[:, 1].max() for k, v in drawn.items() if k.endswith(f":{r}")) for r in range(3)]
    assert below[0] > above[1] > below[1] > above[2]  # no row reaches into the next


def test_a_single_beat_stands_whole_in_every_column(ecg_file):
    ax = page(ecg_file(duration=480.0))
    assert {len(xy) for gid, xy in traces(ax).items() if ":" in gid} == {481}
    assert ax.texts[-1].get_text() == "0.00 to 0.48 s in each column"
    assert not any(gid.endswith(":3") for gid in traces(ax))


def test_ten_seconds_run_on_through_the_columns_with_a_rhythm_strip(ecg_file):
    path = ecg_file(duration=12_000.0, dt=4.0, cycle=800.0)
    ecg, drawn = read_ecg(path), traces(page(path))
    for column, name in enumerate(("II", "aVL", "V2", "V5")):  # the last ten of twelve seconds
        start = (2000 + 2500 * column) // 4
        y = drawn[f"{name}:1"][:, 1]
        assert len(y) == 2500 // 4 + 1
        assert np.diff(y) == pytest.approx(10.0 * np.diff(ecg.leads[name][start : start + len(y)]))
    strip = drawn["II:3"]
    assert np.ptp(strip[:, 0]) == pytest.approx(250.0)
    assert np.diff(strip[:, 1]) == pytest.approx(10.0 * np.diff(ecg.leads["II"][500:]))


def test_between_the_columns_hold_the_last_two_and_a_half_seconds(ecg_file):
    ax = page(ecg_file(duration=3200.0, cycle=800.0))
    assert ax.texts[-1].get_text() == "0.70 to 3.20 s in each column"
    assert np.ptp(traces(ax)["V1:0"][:, 0]) == pytest.approx(62.5)
    assert np.ptp(traces(ax)["II:3"][:, 0]) == pytest.approx(80.0)


def test_bad_files_are_refused_in_one_sentence(ecg_file, tmp_path):
    leads = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V4", "V5", "V6"]
    with pytest.raises(ValueError, match=r"ecg.csv: no column V3; an ECG has time_ms, I, II"):
        ecg_png(ecg_file(order=leads), tmp_path / "ecg.png")
    path = ecg_file()
    good = path.read_text(encoding="utf-8").splitlines()

    def refused(lines, sentence):
        path.write_text("\n".join(lines))
        with pytest.raises(ValueError, match=sentence):
            ecg_png(path, tmp_path / "ecg.png")

    refused([], "ecg.csv: is empty")
    refused(good[:2], "time_ms must ascend over two rows or more")
    refused([good[0], good[2], good[1]], "time_ms must ascend")
    refused([*good, "oops" + "," * 12], "a row is not 13 numbers")
    refused([*good, "1,2,3"], "a row is not 13 numbers")
    refused([good[0], good[1], good[2].rsplit(",", 1)[0] + ",nan"], "lead V6 has a value that")
    with pytest.raises(ValueError, match="cannot be read as an ECG"):
        ecg_png(tmp_path / "absent.csv", tmp_path / "ecg.png")
    assert not (tmp_path / "ecg.png").exists()


@pytest.mark.data
def test_a_measured_beat_is_drawn_to_scale(shared_data, tmp_path):
    path = shared_data / "meshes/canine_CRT006/measured_beat_lbbb.csv"
    ecg_png(path, tmp_path / "ecg.png")
    ecg, drawn = read_ecg(path), traces(page(path))
    for name, place in (("I", "I:0"), ("V6", "V6:2")):
        x, y = drawn[place].T
        assert np.ptp(x) == pytest.approx(0.025 * np.ptp(ecg.time))
        assert np.ptp(y) == pytest.approx(10.0 * np.ptp(ecg.leads[name]))
