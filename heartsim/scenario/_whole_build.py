"""From the labels of four chambers on file to one mesh, and the numbers that say how well."""

from heartsim.anatomy import AtrialLabels, BuiltWhole, Labels, Opening

from ._atrium_build import built_rows, veins_of
from ._labels_schema import Atria, AtrialParts
from ._rows import Rows


def atrial_labels(told: Atria, numbers: Labels, name: str) -> list[AtrialLabels]:
    """What [atria] of a labels file says of each atrium that its [labels] have. ValueError, naming
    the file, where that is none, or one without its ventricle."""
    sides = ("left", "mitral", numbers.lv_cavity), ("right", "tricuspid", numbers.rv_cavity)
    found = []
    for side, valve, ventricle in sides:
        if valve not in numbers.behind:
            if told.of(side) != AtrialParts():
                raise ValueError(
                    f"{name}: [atria.{side}] is given without labels.{side}_atrium; give that."
                )
            continue
        found.append(
            AtrialLabels(
                side=side,
                cavity=numbers.behind[valve],
                valve=(*([] if ventricle is None else [ventricle]), *numbers.beyond),
                **veins_of(told.of(side).veins),
                wall_mm=told.wall_mm,
            )
        )
    if not found:
        raise ValueError(
            f"{name}: [atria] wants labels.left_atrium or labels.right_atrium, the numbers of "
            "blood around which a wall is grown; neither is given."
        )
    return found


def openings_of(told: Atria) -> dict[str, list[Opening]]:
    """Openings by place, of each side."""
    return {
        side: [
            Opening(name, (at[0], at[1], at[2]), *at[3:])
            for name, at in told.of(side).openings.items()
        ]
        for side in ("left", "right")
    }


def whole_rows(built: BuiltWhole) -> Rows:
    """What image and mesh hold of each atrium."""
    return {
        f"{side}_{name}": value
        for side, atrium in built.atria.items()
        for name, value in built_rows(atrium).items()
    }
