"""Make docs/images from a run of the demo and a made-up heart with scar: their pictures, smaller.

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
    for name, width in (("activation.png", 1200), ("ecg.png", 900), ("anatomy.png", 1200)):
        picture = Image.open(run / name).convert("RGB")
        small = picture.resize((width, round(picture.height * width / picture.width)))
        small.save(IMAGES / name, optimize=True)
        print(IMAGES / name, (IMAGES / name).stat().st_size // 1000, "kB")


if __name__ == "__main__":
    main()
