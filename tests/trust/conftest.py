"""Lets these tests use the helpers of the rooms whose parts they set against each other."""

from __future__ import annotations

import sys
from pathlib import Path

ROOMS = Path(__file__).parent.parent

sys.path.extend(str(ROOMS / name) for name in ("provenance", "wire", "detectors"))
