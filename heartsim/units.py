"""The unit system, stated once: ms, mV, mm, mS/mm (= S/m), µF/mm².

Currents are divided by capacitance, so that every term of dV/dt is in mV/ms.
Numbers carry a unit in their name only where they cross the border (`dt_ms`).
"""

MM_PER = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 1e-3}
"""Millimetres in one of each length unit that a mesh file may be in."""

MM_PER_MS_FROM_M_S = 1.0
"""Conduction velocity: 1 m/s is 1 mm/ms, exactly."""

CHI = 140.0
"""Membrane area per tissue volume χ, 1/mm. Niederer et al. (2011), Phil. Trans. R. Soc. A 369,
4331-4351, table of the benchmark's parameters."""

C_M = 0.01
"""Membrane capacitance C_m, µF/mm² (1 µF/cm²). Niederer et al. (2011), same table."""
