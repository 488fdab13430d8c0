"""Make docs/images from a run of the demo, a made-up heart with scar and a made-up atrium (as on
docs/atria.md, drawn by `heartsim.viz.atrium_png`): their pictures, smaller.

heartsim demo --out runs/demo
heartsim mesh synth --edge 2 --scar 10 --scar 11 --scar-depth 0.7 --out runs/synth.vtu \\
    --png runs/demo/anatomy.png
python scripts/make_images.py runs/demo
"""

import sys
from pathlib import Path

from PIL import Image

IMAGES = Path(__file__).parents[1] / "docs" / "images"


def main() -> None:
    run = Path(sys.argv[1])
    widths = {"activation.png": 1200, "ecg.png": 900, "anatomy.png": 1200, "atrium.png": 1200}
    if not any((run / name).exists() for name in widths):
        sys.exit(f"{run}: none of {', '.join(widths)} is there; give the folder of a run.")
    for name, width in widths.items():
        if not (run / name).exists():
            print(IMAGES / name, "kept: the run has none")
            continue
        picture = Image.open(run / name).convert("RGB")
        small = picture.resize((width, round(picture.height * width / picture.width)))
        small.save(IMAGES / name, optimize=True)
        print(IMAGES / name, (IMAGES / name).stat().st_size // 1000, "kB")


if __name__ == "__main__":
    main()
