"""Colours of time: early to late."""

from typing import Any

NEVER = (0.62, 0.62, 0.62)
"""Grey of what was never activated."""

INK = "#1a1a1a"
"""Words and lines on a light ground."""

_CLINICAL = ("#d7191c", "#f57f20", "#f7e11e", "#46b04a", "#27b3dc", "#2a5bd7", "#6a1b9a")


def time_colours(uniform: bool = False) -> Any:
    """matplotlib colour map, earliest first; NaN is grey.

    The default runs red, orange, yellow, green, cyan, blue, purple, as the maps of
    electro-anatomical mapping systems do. It is what a reader in the laboratory expects, but it
    is not perceptually uniform, and red against green is lost to about one man in twelve.
    `uniform` gives matplotlib's plasma reversed: yellow, orange, magenta, blue. Its lightness
    falls evenly from early to late, so equal times look equally far apart, also in grey and to
    colour-blind readers; of the uniform maps it is the one that keeps early warm and late cool.
    """
    from matplotlib import colormaps
    from matplotlib.colors import LinearSegmentedColormap

    if uniform:
        return colormaps["plasma_r"].with_extremes(bad=NEVER)
    return LinearSegmentedColormap.from_list("clinical", _CLINICAL, 512).with_extremes(bad=NEVER)


def line_colour(ground: tuple[float, ...]) -> str:
    """White or dark, whichever is seen on a ground of this red, green and blue.

    Relative luminance and the contrast of two colours as in WCAG 2.1, "relative luminance";
    page not checked."""
    rgb = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in ground[:3]]
    luminance = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]
    return INK if luminance > 0.08 else "white"
