"""What every section of a file shares: strictness, and the kinds of number."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Tag = int | str
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Turn = Annotated[float, Field(ge=-180, le=180)]
Count = Annotated[int, Field(ge=1)]
Point = Annotated[list[float], Field(min_length=3, max_length=3)]
Box = Annotated[list[Point], Field(min_length=2, max_length=2)]
Surface = Literal["endocardium", "lv_endo", "rv_endo", "epi", "base"]


def _devices(given: int | str) -> int | str:
    if given == "all" or (isinstance(given, int) and given >= 1):
        return given
    raise ValueError(f'{given!r} was given; wanted "all", or how many.')


Devices = Annotated[int | str, AfterValidator(_devices)]


class Section(BaseModel):
    """Unknown keys, wrong types and numbers that are not finite are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class OnBase(Section):
    """A file that starts from a scenario."""

    base: str
