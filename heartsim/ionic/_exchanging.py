"""Which states of a model turn into one another."""

from collections.abc import Mapping

import numpy as np
from scipy import sparse

from ._expressions import Equations, Expression

Exchange = tuple[Expression, dict[str, Expression]]


def exchanges(equations: Equations, slopes: Mapping[str, Expression]) -> dict[str, Exchange]:
    """Of states whose derivatives are linear in all of a group that needs one another: what drives
    each from outside, and the rate of each of the group. Others are left out."""
    linear = [s for s, e in slopes.items() if equations.affine(e, s) is not None]
    needs = np.array([[a != b and equations.depends(slopes[a], b) for b in linear] for a in linear])
    if not needs.any():
        return {}
    graph = sparse.csr_array(needs.astype(int))
    part = sparse.csgraph.connected_components(graph, connection="strong")[1]
    found: dict[str, Exchange] = {}
    for k in range(part.max() + 1):
        group = [linear[i] for i in np.flatnonzero(part == k)]
        rows = {s: _row(equations, slopes[s], group) for s in group} if len(group) > 1 else {}
        whole = {s: row for s, row in rows.items() if row is not None}
        found |= whole if len(whole) == len(rows) else {}
    return found


def _row(equations: Equations, slope: Expression, group: list[str]) -> Exchange | None:
    """Drive and rates of a derivative that is linear in a group, none of them in the group."""
    row: dict[str, Expression] = {}
    rest = slope
    for other in group:
        parts = equations.affine(rest, other)
        if parts is None or any(equations.depends(parts[1], s) for s in group):
            return None
        rest, rate = parts
        if rate != 0.0:
            row[other] = rate
    return rest, row
