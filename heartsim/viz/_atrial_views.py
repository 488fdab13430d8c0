"""An atrium from four sides, which its openings tell."""

import numpy as np
from jaxtyping import Float

from heartsim.mesh import Mesh

from ._raster import View

LEFT = ("lspv", "lmpv", "lipv", "lpv")
RIGHT = ("rspv", "rmpv", "ripv", "rpv")
SIDES = "sides (left, right, front, back) are the atrium's own, from its openings, not the chest's"

Vector = Float[np.ndarray, " 3"]
LEFTWARD, BACKWARD, UPWARD = np.eye(3)

PATIENT = [
    View("From the front", LEFTWARD, UPWARD, -BACKWARD, "R", "L", "head", "feet"),
    View("From behind", -LEFTWARD, UPWARD, BACKWARD, "L", "R", "head", "feet"),
    View("From the left", BACKWARD, UPWARD, LEFTWARD, "A", "P", "head", "feet"),
    View("From the right", -BACKWARD, UPWARD, -LEFTWARD, "P", "A", "head", "feet"),
]
"""Of a mesh in the patient's axes, x to the left, y backward and z to the head."""


def atrial_views(mesh: Mesh) -> list[View]:
    """From four sides, by the node sets of an atrium's openings, which right-handed coordinates
    make the atrium's own: left = up × ahead. None where these are missing, or ventricles there.

    Up is from the mitral valve to the pulmonary veins, left from right veins to left ones; or up
    from the lower to the upper vena cava, ahead from between them to the tricuspid valve.
    """
    x = np.asarray(mesh.points, float)
    middle = {key: x[nodes].mean(axis=0) for key, nodes in mesh.node_sets.items()}
    left, right = ([middle[key] for key in side if key in middle] for side in (LEFT, RIGHT))
    if "lv_endo" in middle:
        return []
    if "mitral_valve" in middle and left and right:
        return _left_views(middle["mitral_valve"], np.mean(left, axis=0), np.mean(right, axis=0))
    if {"tricuspid_valve", "svc", "ivc"} <= set(middle):
        return _right_views(middle["tricuspid_valve"], middle["svc"], middle["ivc"])
    return []


def _left_views(valve: Vector, left_veins: Vector, right_veins: Vector) -> list[View]:
    up = _unit((left_veins + right_veins) / 2 - valve)
    left = _across(left_veins - right_veins, up)
    ahead = np.cross(left, up)
    return [
        View("From the front", left, up, ahead, "R", "L", "veins", "valve"),
        View("From behind", -left, up, -ahead, "L", "R", "veins", "valve"),
        View("Onto the veins", left, -ahead, up, "R", "L", "back", "front"),
        View("Onto the valve", left, ahead, -up, "R", "L", "front", "back"),
    ]


def _right_views(valve: Vector, svc: Vector, ivc: Vector) -> list[View]:
    up = _unit(svc - ivc)
    ahead = _across(valve - (svc + ivc) / 2, up)
    left = np.cross(up, ahead)
    return [
        View("Onto the valve", left, up, ahead, "R", "L", "SVC", "IVC"),
        View("From behind", -left, up, -ahead, "L", "R", "SVC", "IVC"),
        View("Onto the septum", -ahead, up, left, "A", "P", "SVC", "IVC"),
        View("Onto the free wall", ahead, up, -left, "P", "A", "SVC", "IVC"),
    ]


def _unit(v: Vector) -> Vector:
    return v / np.linalg.norm(v)


def _across(v: Vector, axis: Vector) -> Vector:
    """The direction of v across a unit vector."""
    return _unit(v - (v @ axis) * axis)
