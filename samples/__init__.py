"""Two invented supply chains in the native formats, to try the program on.

The files in `data/` are what `python -m samples.generate` writes with its
default arguments. The world behind them knows nothing of how the program looks
for irregularities, so that a result on these files says something.

Next: samples/generate.py
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["data_dir"]


def data_dir() -> Path:
    """Return the directory of the committed sample files.

    Returns:
        The absolute path of `samples/data` of this installation.
    """
    return Path(__file__).resolve().parent / "data"
