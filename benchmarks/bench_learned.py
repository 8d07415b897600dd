"""The learned class on customs declarations with known outcomes, and on shuffled ones.

    PYTHONPATH=. PROVENANCE_TEST_DATA=DIR python benchmarks/bench_learned.py

Reads DIR/labelled/customs_kr, synthetic Korean declarations with fraud labels (22 %); learns from
the training file and ranks the validation file, which is later. The control learns from the same
declarations with their labels shuffled: it must find nothing.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from detectors.evaluation.metrics import average_precision
from detectors.learned.model import Examples, brier, expected_error, learn

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED: Final = 20_261_101
NAMES: Final = (
    "Office ID",
    "Process Type",
    "Import Type",
    "Import Use",
    "Payment Type",
    "Mode of Transport",
    "Declarant ID",
    "Importer ID",
    "Seller ID",
    "Courier ID",
    "HS6 Code",
    "Country of Departure",
    "Country of Origin",
    "Tax Type",
    "Country of Origin Indicator",
)
PAIRS: Final = (
    ("Importer ID", "HS6 Code"),
    ("Seller ID", "Country of Origin"),
    ("HS6 Code", "Country of Origin"),
    ("Importer ID", "Seller ID"),
    ("Declarant ID", "Importer ID"),
    ("Country of Departure", "Country of Origin"),
)
PEERS: Final = ("HS6 Code", "Importer ID", "Seller ID")
SHARES: Final = (0.01, 0.02, 0.05, 0.10)


def read(path: Path) -> pd.DataFrame:
    """Read declarations as text; NA is a country."""
    return pd.read_csv(path, dtype="str", keep_default_na=False)


def examples(table: pd.DataFrame, known: pd.DataFrame) -> Examples:
    """Turn declarations into cases; prices are held against those of `known` ones."""
    names = table[list(NAMES)].copy()
    for one, other in PAIRS:
        names[f"{one} {other}"] = table[one] + "\x1f" + table[other]
    price, usual = _price(table), pd.Series(_price(known))
    figures = [_log(table, "Net Mass"), _log(table, "Item Price"), price]
    figures.append(pd.to_numeric(table["Tax Rate"]).to_numpy(np.float64))
    for peer in PEERS:
        median = usual.groupby(known[peer].to_numpy()).median()
        figures.append(price - table[peer].map(median).to_numpy(np.float64))
    at = pd.to_datetime(table["Date"]).to_numpy("datetime64[us]").astype(np.int64)
    return Examples(names, np.column_stack(figures), at)


def _log(table: pd.DataFrame, column: str) -> NDArray[np.float64]:
    return np.asarray(np.log1p(pd.to_numeric(table[column]).to_numpy(np.float64)))


def _price(table: pd.DataFrame) -> NDArray[np.float64]:
    return _log(table, "Item Price") - _log(table, "Net Mass")


def main() -> None:
    """Print how well the ranking and the probabilities did."""
    data = os.environ.get("PROVENANCE_TEST_DATA")
    if data is None:
        print("left out: PROVENANCE_TEST_DATA does not say where the declarations are")
        return
    folder = Path(data) / "labelled" / "customs_kr"
    train, valid = (read(folder / f"df_syn_{part}_eng.csv") for part in ("train", "valid"))
    cases, later = examples(train, train), examples(valid, train)
    outcomes, truth = (table["Fraud"].to_numpy() == "1" for table in (train, valid))
    shuffled = np.random.default_rng(SEED).permutation(outcomes)
    for name, labels in (("learned", outcomes), ("control, labels shuffled", shuffled)):
        start = time.perf_counter()
        model = learn(cases, labels, SEED)
        if model is None:
            raise SystemExit("all outcomes of some period are alike")
        scores, given = model.scores(later), model.probabilities(later)
        seconds = time.perf_counter() - start
        order = np.argsort(-scores, kind="stable")
        found = "  ".join(
            f"{share:.0%} {truth[order[: int(len(order) * share)]].mean():.3f}" for share in SHARES
        )
        print(f"{name}: {len(cases.at):,} declarations, {seconds:.0f} s")
        print(
            f"  ranking of {len(truth):,} later ones: AUC {roc_auc_score(truth, scores):.3f}, "
            f"average precision {average_precision(scores, truth):.3f} (chance {truth.mean():.3f})"
        )
        print(f"  precision at the top   {found}")
        print(
            f"  probabilities: Brier {brier(given, truth):.3f} (knowing nothing "
            f"{truth.mean() * (1 - truth.mean()):.3f}), calibration error "
            f"{expected_error(given, truth):.3f}"
        )


if __name__ == "__main__":
    main()
