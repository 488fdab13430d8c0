"""The twelve standard leads from nine electrodes."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from heartsim._types import AnyArray

ELECTRODES = ("RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6")
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def lead_matrix() -> Float[np.ndarray, "leads electrodes"]:
    """Leads from electrode potentials, rows as in LEADS, columns as in ELECTRODES.

    I = LA - RA, II = LL - RA, III = LL - LA; each augmented lead is its electrode less the mean
    of the other two limbs (Goldberger); V1-V6 are less the mean of the three (Wilson).
    Kligfield et al. (2007), AHA/ACC/HRS recommendations part I, Circulation 115, 1306-1324
    (page not checked); I + III = II and aVR + aVL + aVF = 0 hold exactly.
    """
    e = dict(zip(ELECTRODES, np.eye(9), strict=True))
    wilson = (e["RA"] + e["LA"] + e["LL"]) / 3
    rows = [
        e["LA"] - e["RA"],
        e["LL"] - e["RA"],
        e["LL"] - e["LA"],
        e["RA"] - (e["LA"] + e["LL"]) / 2,
        e["LA"] - (e["RA"] + e["LL"]) / 2,
        e["LL"] - (e["RA"] + e["LA"]) / 2,
    ]
    return np.array(rows + [e[f"V{k}"] - wilson for k in range(1, 7)])


def twelve_leads(
    potentials: Float[AnyArray, "frames electrodes"],
) -> Float[AnyArray, "frames leads"]:
    """The leads [mV] at each frame from the nine potentials [mV], in the order of ELECTRODES."""
    return potentials @ lead_matrix().T.astype(potentials.dtype)


def read_electrodes(path: Path | str) -> dict[str, Float[np.ndarray, " 3"]]:
    """Positions [mm] from a CSV of rows `name, x_mm, y_mm, z_mm`; LA, RA, LL and V1-V6 are
    needed, others (RL) are passed over. ValueError names what is missing or no number."""
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path}: no such electrode file; give a CSV of name, x_mm, y_mm, z_mm.")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is no text in UTF-8; save it as such.") from None
    found: dict[str, Float[np.ndarray, " 3"]] = {}
    for number, line in enumerate(lines, 1):
        cells = [cell.strip() for cell in line.split(",")]
        if number == 1 and cells[0].lower() in ("name", "electrode", "label"):
            if [cell.lower() for cell in cells[1:4]] not in (["x_mm", "y_mm", "z_mm"], [*"xyz"]):
                raise ValueError(f"{path}: begins with {line!r}; wanted name,x_mm,y_mm,z_mm.")
            continue
        if cells == [""] or line.startswith("#"):
            continue
        if cells[0] in found:
            raise ValueError(f"{path}, line {number}: {cells[0]} stands there twice.")
        try:
            found[cells[0]] = np.array([float(cell) for cell in cells[1:4]]).reshape(3)
            np.asarray_chkfinite(found[cells[0]])
        except ValueError:
            raise ValueError(
                f"{path}, line {number}: {line!r} is not `name, x_mm, y_mm, z_mm` with "
                "three finite numbers."
            ) from None
    missing = [name for name in ELECTRODES if name not in found]
    if missing:
        raise ValueError(
            f"{path}: electrode {', '.join(missing)} is missing; the twelve leads need "
            f"{', '.join(ELECTRODES)}."
        )
    return {name: found[name] for name in ELECTRODES}
