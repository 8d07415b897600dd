"""Draw the pictures of docs/graph.md from the samples, as the program draws them.

    PYTHONPATH=. python docs/make_pictures.py

`tests/graph/test_pictures.py` fails when a file and the program differ.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

PLACE: Final = Path(__file__).parent / "pictures"
_ROOT: Final = Path(__file__).parent.parent
_SAMPLES: Final = _ROOT / "samples" / "data"
_FILES: Final = ("facilities.csv", "products.csv", "events.csv")
PICTURES: Final = {
    "trace.svg": ("trace", "ASH-SEW-24012"),
    "recall.svg": ("recall", "AKS-GIN-24001"),
    "lanes.svg": ("lanes",),
}
"""The pictures, with the questions that they answer."""


def drawn() -> dict[str, bytes]:
    """Draw every picture in a workspace of its own."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        _run(place, "init", "--origin", "example.org/provenance")
        _run(place, "ingest", *(str(_SAMPLES / file) for file in _FILES))
        for file, question in PICTURES.items():
            _run(place, *question, "--format", "svg", "--output", file)
        return {file: place.joinpath(file).read_bytes() for file in PICTURES}


def _run(place: Path, *words: str) -> None:
    program = "import cli; cli.main()"
    command = [sys.executable, "-c", program, *words]
    subprocess.run(command, cwd=place, env={"PYTHONPATH": str(_ROOT)}, check=True)  # noqa: S603


if __name__ == "__main__":
    PLACE.mkdir(exist_ok=True)
    for picture, data in drawn().items():
        PLACE.joinpath(picture).write_bytes(data)
