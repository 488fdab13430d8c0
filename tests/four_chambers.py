"""A made-up heart of four chambers as voxels, which is known exactly."""

import dataclasses

import numpy as np

from heartsim import anatomy

SHAPE = anatomy.made_up()
LEFT, RIGHT, AORTA, PULMONARY = 10, 11, 12, 13
VEINS = {"left": {"lspv": 20, "lipv": 21, "rspv": 22, "ripv": 23}, "right": {"svc": 24, "ivc": 25}}
LABELS = dataclasses.replace(
    anatomy.Labels(**anatomy.NUMBERS, rv_wall_mm=SHAPE.right_wall),
    left_atrium=LEFT,
    right_atrium=RIGHT,
    aorta=AORTA,
    pulmonary_artery=PULMONARY,
)
BLOOD = {"left": ((6.0, 16.0, 24.0), (24.0, 18.0, 32.0)), "right": ((-40, 12, 24), (20, 18, 32))}
"""Middle and half axes [mm] of the atria above the base, in the ventricles' own coordinates."""
TUBES = {  # number: ends and radius [mm], height above the base
    AORTA: ((-6, -12, 0), (-6, -12, 50), 7),
    PULMONARY: ((-30, -18, 0), (-30, -18, 50), 9),
    20: ((20, 8, 30), (42, 8, 30), 4),
    21: ((20, 24, 24), (42, 24, 24), 4),
    22: ((0, 26, 36), (0, 52, 36), 4),
    23: ((-4, 26, 22), (-4, 52, 22), 4),
    24: ((-40, 12, 45), (-40, 12, 75), 7),
    25: ((-50, 20, 22), (-75, 28, 22), 7),
}


def four_chambers(spacing: float = 1.5) -> anatomy.Image:
    """The made-up ventricles, an ellipsoid of blood above each, closer to one another and to the
    aorta than walls are thick, and a tube of blood for each vessel."""
    image, body = anatomy.short_axis_labels(SHAPE, np.full(3, spacing)), SHAPE.ellipsoids()
    values = np.pad(image.values, ((0, int(80 / spacing)), (0, 0), (0, 0)))
    index = np.stack(np.indices(values.shape)[::-1], axis=-1)
    origin, *ends = body.in_patient(np.vstack([np.zeros(3), np.eye(3)]))
    places = image.place(index.reshape(-1, 3) * image.spacing)
    x = ((places - origin) @ (np.array(ends) - origin).T - [0.0, 0.0, body.base]).reshape(
        index.shape
    )
    numbers = {"left": LEFT, "right": RIGHT}
    for side, (middle, axes) in BLOOD.items():
        inside = np.sum(((x - middle) / np.array(axes)) ** 2, axis=-1) < 1
        values[inside & (x[..., 2] > 0) & (values == 0)] = numbers[side]
    for number, (start, end, radius) in TUBES.items():
        way = np.subtract(end, start, dtype=float)
        length = np.linalg.norm(way)
        along = (x - start) @ (way / length)
        away = np.sum((x - start) ** 2, axis=-1) - along**2
        tube = (along > 0) & (along < length) & (away < radius**2)
        values[tube & (x[..., 2] > 0) & (values == 0)] = number
    return dataclasses.replace(image, values=values)
