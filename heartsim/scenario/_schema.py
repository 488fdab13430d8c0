"""What may stand in a scenario file: every key, its unit, its default.

Numbers carry their unit in the name of their key. The whole is frozen; `_read.py` makes one from
a file and `to_toml` writes it back with every default.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from heartsim import units
from heartsim.ecg import SIGMA_BATH, SIGMA_EL, SIGMA_ET, SIGMA_IL, SIGMA_IT

from ._chest_schema import ChestSize, Position
from ._drug_schema import GivenDrug
from ._front_schema import FastLayer, Purkinje, Template, require_front
from ._section import Box, Count, NotNegative, Point, Positive, Section, Surface, Tag
from ._solver_schema import Output, Solver

DIRECTIONS = ("fibre", "sheet", "normal")


class FibreRule(Section):
    """Fibres made by rule from coordinates that the mesh brings; a flagged placeholder."""

    rule: Literal["coordinates"]
    transmural: str
    """Point field, 0 on the endocardium and 1 on the epicardium."""
    apicobasal: str
    """Point field, 0 at the apex and 1 at the base."""
    endo_deg: float = 60.0
    """Streeter et al. (1969), Circ. Res. 24, 339-347 (page not checked): about +60 to -60."""
    epi_deg: float = -60.0


class Layers(Section):
    """Three membranes across the wall, by a transmural field: 0 endocardium, 1 epicardium."""

    field: str
    endo_below: float = 0.33
    epi_above: float = 0.67
    endo: str = "ten_tusscher_2006_endo"
    mid: str = "ten_tusscher_2006_mid"
    epi: str = "ten_tusscher_2006_epi"


class Heart(Section):
    """The mesh and what it is made of."""

    mesh: str
    unit: Literal["mm", "cm", "m", "um"] = "mm"
    """CARP files, which are in µm by custom, have the default um."""
    size_check: bool = True
    """Refuse a volume that is no heart's size in this unit; false for a wedge or a slab."""
    ionic: str = "ten_tusscher_2006_epi"
    layers: Layers | None = None
    voltages: dict[str, str] = Field(default_factory=dict)
    """Which variable is the voltage, by name of a cell model's file, where that is not clear."""
    stimuli: dict[str, str] = Field(default_factory=dict)
    """The same of the stimulus, one or several as a,b."""
    smooth_mV: Positive | None = None
    """Width of the sigmoids that lead over the membranes' jumps; absent: they jump as published."""
    fibres: str | FibreRule | None = None
    """Field of the fibre directions, or a rule; absent: the usual names are looked for."""
    regions: str | None = None
    """Cell field of the region tags; absent: the usual names are looked for."""
    region_names: dict[str, int] = Field(default_factory=dict)
    keep: list[Tag] | None = None
    drop: list[Tag] | None = None
    refine: Annotated[int, Field(ge=0, le=4)] = 0
    """Each time every tetrahedron becomes eight, with edges half as long."""
    limit_cycle: Positive | None = None
    """ms between stimuli of single cells, in whose limit cycle a run starts; absent: rest."""
    initial_state: str | None = None
    """state.npz of a run on the same mesh and membranes; absent: `limit_cycle`, or rest."""


class Conduction(Section):
    """Three velocities, tuned on this mesh, or three monodomain conductivities."""

    velocity_fibre_m_s: Positive | None = None
    velocity_sheet_m_s: Positive | None = None
    velocity_normal_m_s: Positive | None = None
    sigma_fibre_mS_mm: Positive | None = None
    sigma_sheet_mS_mm: Positive | None = None
    sigma_normal_mS_mm: Positive | None = None

    @property
    def velocities(self) -> tuple[float, ...] | None:
        """Along fibre, sheet and normal [mm/ms]; None if not given."""
        return _three(self, "velocity_{}_m_s")

    @property
    def sigmas(self) -> tuple[float, ...] | None:
        """Along fibre, sheet and normal [mS/mm]; None if not given."""
        return _three(self, "sigma_{}_mS_mm")

    @model_validator(mode="after")
    def _one_kind(self):
        kinds = ("velocity_{}_m_s", "sigma_{}_mS_mm")
        given = [[k.format(d) for d in DIRECTIONS if _get(self, k, d) is not None] for k in kinds]
        if all(given):
            raise ValueError(
                f"{given[0][0]} and {given[1][0]} exclude each other; give either three "
                "velocities (tuned on this mesh) or three conductivities."
            )
        for kind, keys in zip(kinds, given, strict=True):
            missing = [kind.format(d) for d in DIRECTIONS if kind.format(d) not in keys]
            if keys and missing:
                raise ValueError(f"{missing[0]} is missing; give all three directions.")
        return self


class BulkConduction(Conduction):
    """Conduction wherever no region says otherwise."""

    chi_1_mm: Positive = units.CHI
    C_m_uF_mm2: Positive = units.C_M

    @model_validator(mode="before")
    @classmethod
    def _default_velocities(cls, data):
        kinds = ("velocity_", "sigma_")
        if isinstance(data, dict) and not any(str(key).startswith(kinds) for key in data):
            return data | dict(
                velocity_fibre_m_s=0.65, velocity_sheet_m_s=0.40, velocity_normal_m_s=0.40
            )
        return data


class Region(Conduction):
    """What differs in some regions; later entries win, at their border nodes too."""

    tags: Annotated[list[Tag], Field(min_length=1)]
    conductive: bool = True
    ionic: str | None = None
    scale: dict[str, NotNegative] = Field(default_factory=dict)
    """Factor on each named parameter of the membrane."""


class Gradient(Section):
    """A parameter of the membrane that changes along a field, whatever membrane rules there."""

    parameter: str
    field: str
    """Point field from 0 to 1, as transmural and apicobasal are."""
    at_0: NotNegative
    """Factor where the field is 0; between linear."""
    at_1: NotNegative
    tags: Annotated[list[Tag], Field(min_length=1)] | None = None


class Place(Section):
    """Where a stimulus acts: the nodes that satisfy every key given."""

    node_set: str | None = None
    surface: Surface | None = None
    region: Tag | None = None
    segment: int | None = None
    """1 to 17 as the American Heart Association has them, 18 to 26 on the right free wall."""
    point_mm: Point | list[Point] | None = None
    radius_mm: Positive | None = None
    box_mm: Box | None = None
    nodes: list[int] | None = None

    @model_validator(mode="after")
    def _somewhere(self):
        if all(getattr(self, key) is None for key in type(self).model_fields):
            raise ValueError(
                f"a place is missing; give one of {', '.join(type(self).model_fields)}."
            )
        if self.point_mm == []:
            raise ValueError("point_mm = [] holds no point; give one, or several.")
        if self.radius_mm is not None and self.point_mm is None:
            raise ValueError("radius_mm belongs to point_mm, which is missing; give both.")
        given = [key for key in type(self).model_fields if getattr(self, key) is not None]
        if self.is_point and given != ["point_mm"]:
            raise ValueError(
                "point_mm without radius_mm is a point, and stands alone; give radius_mm for the "
                "nodes around it."
            )
        return self

    @property
    def is_point(self) -> bool:
        """Whether this is no set of nodes, but a point anywhere in the wall."""
        return self.point_mm is not None and self.radius_mm is None


class Pulses(Section):
    """One [[stimulus]]: a train of rectangular pulses at one place."""

    at: Place
    start_ms: NotNegative = 0.0
    duration_ms: Positive = 2.0
    strength_mV_per_ms: Positive = 35.7
    """Niederer et al. (2011): 50 000 µA/cm³ over χ C_m."""
    cycle_ms: Positive = 800.0
    beats: Count = 1

    @model_validator(mode="after")
    def _cycle_holds_pulse(self):
        if self.beats > 1 and self.duration_ms > self.cycle_ms:
            raise ValueError(
                f"duration_ms = {self.duration_ms:g} is longer than cycle_ms = {self.cycle_ms:g}."
            )
        return self


class Ecg(Section):
    """What the body surface sees. The conductivities are physiological, never the tuned ones;
    their source stands in heartsim.ecg."""

    electrodes: str = "default"
    """A csv file of nine electrodes; "default": placed by the heart's axes, flagged; "none"."""
    torso: str | None = None
    """A mesh of tetrahedra with regions, mm; "ellipsoid": a trunk made up around the heart; absent:
    an infinite medium."""
    position: Position | None = None
    """How the heart lies among electrodes and torso, given or made up."""
    chest: ChestSize | None = None
    """Size of what is made up."""
    conductivity_mS_mm: dict[str, Positive] = Field(default_factory=dict)
    """Of the torso's regions, by name or tag, over the defaults of heartsim.ecg."""
    sigma_il_mS_mm: Positive = SIGMA_IL
    sigma_it_mS_mm: Positive = SIGMA_IT
    sigma_el_mS_mm: Positive = SIGMA_EL
    sigma_et_mS_mm: Positive = SIGMA_ET
    sigma_bath_mS_mm: Positive = SIGMA_BATH
    """Of the infinite medium around; by default the mean over directions of σ_i + σ_e."""

    @model_validator(mode="before")
    @classmethod
    def _default_bath(cls, data):
        bulk = {f"sigma_{k}_mS_mm": v for k, v in _BULK.items()}
        if isinstance(data, dict) and "sigma_bath_mS_mm" not in data and bulk.keys() & data.keys():
            il, it, el, et = (data.get(key, value) for key, value in bulk.items())
            if all(isinstance(x, int | float) for x in (il, it, el, et)):
                return data | {"sigma_bath_mS_mm": (il + el + 2 * (it + et)) / 3}
        return data

    @model_validator(mode="after")
    def _chest_is_made_up(self):
        if self.chest and self.electrodes != "default" and self.torso != "ellipsoid":
            raise ValueError(
                "chest is the size of what is made up, and electrodes and torso are given; leave "
                'it out, or set electrodes = "default" or torso = "ellipsoid".'
            )
        return self


_BULK = {"il": SIGMA_IL, "it": SIGMA_IT, "el": SIGMA_EL, "et": SIGMA_ET}


class Scenario(Section):
    """One run, complete: every default is filled in, every path absolute."""

    heart: Heart
    region: list[Region] = Field(default_factory=list)
    gradient: list[Gradient] = Field(default_factory=list)
    conduction: BulkConduction = Field(default_factory=BulkConduction)
    stimulus: list[Pulses] = Field(default_factory=list)
    solver: Solver = Field(default_factory=Solver)
    output: Output = Field(default_factory=Output)
    ecg: Ecg = Field(default_factory=Ecg)
    fast_layer: FastLayer | None = None
    drug: list[GivenDrug] = Field(default_factory=list)
    purkinje: list[Purkinje] = Field(default_factory=list)
    template: Template | None = None
    """Absent with the eikonal model: all defaults."""

    @model_validator(mode="after")
    def _front_is_whole(self):
        require_front(self)
        return self

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_given_conductivities(cls, data):
        if not isinstance(data, dict):
            return data
        conduction, solver = data.get("conduction", {}), data.get("solver", {})
        given = isinstance(conduction, dict) and any(
            str(k).startswith("sigma_") for k in conduction
        )
        if given and isinstance(solver, dict):
            return data | {"solver": {"lumped_mass": 0.0, "dt_ms": 0.05} | solver}
        return data


def _get(section: Conduction, kind: str, direction: str) -> float | None:
    return getattr(section, kind.format(direction))


def _three(section: Conduction, kind: str) -> tuple[float, ...] | None:
    values = [_get(section, kind, d) for d in DIRECTIONS]
    given = tuple(v for v in values if v is not None)
    return given if len(given) == len(values) else None
