"""How good the flags are, on fresh worlds: what is found, what is wrong, and how honestly.

    PYTHONPATH=. python benchmarks/evaluate.py [--seeds 3] [--output docs/evaluation.md]

Every world is generated, ingested, projected and judged as a user's files are. The same run holds
the ranking against chance and against global outlier models on the plain figures.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from detectors.base import EvidenceClass
from detectors.evaluation.baselines import MODELS, event_figures, month_figures, outlier_scores
from detectors.evaluation.metrics import Quality, Truth, average_precision, judge_run, pooled
from detectors.export import of_flags, with_unflagged
from detectors.features import Features
from detectors.registry import BUILT_IN
from detectors.run import run
from graph.frames import load_frames
from provenance.ingest.run import ingest
from samples.generate import generate, write_files
from samples.strength import STRENGTHS
from workspace.workspace import Workspace, create_workspace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graph.frames import Frames

FIRST_SEED: Final = 1_000
"""Nobody has looked at the worlds from here on while writing a detector."""
LEVELS: Final = (0.05, 0.10)
CLEAN: Final = "clean"
UNIVERSES: Final = ("events", "facility-months")
TARGETS: Final = {
    "events": {"easy": (0.90, 0.90), "medium": (0.85, 0.85), "hard": (0.75, 0.65)},
    "facility-months": {"easy": (0.95, 0.90), "medium": (0.95, 0.85), "hard": (0.88, 0.65)},
}
"""Average precision and macro recall that are aimed for."""


class World(NamedTuple):
    """Which world to judge."""

    strength: str
    seed: int
    scale: float


class Outcome(NamedTuple):
    """What came out: quality by (universe, level), average precision by (universe, model)."""

    world: World
    quality: dict[tuple[str, float], Quality]
    models: dict[tuple[str, str], float]
    clean_rules: dict[str, int]


def judge_world(world: World) -> Outcome:
    """Make one world, take it in as a user would, and judge it."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        files = generate(
            world.seed,
            world.scale,
            clean=world.strength == CLEAN,
            strength=STRENGTHS.get(world.strength),
        )
        labels = [(row["subject_id"], row["type"]) for row in files.pop("labels.csv").rows]
        files.pop("late_scans.csv")
        write_files(files, directory / "files")
        frames, root = _take_in(directory)
    return _judged(world, frames, root, labels)


def _take_in(directory: Path) -> tuple[Frames, bytes]:
    data = directory / "workspace"
    create_workspace(data, origin="bench.example/log", party="self", domain="https://b.example")
    with Workspace(data) as workspace:
        ingest(
            [str(directory / "files")],
            workspace.log,
            party="self",
            quarantine=workspace.layout.quarantine,
            clock=workspace.clock,
            entropy=workspace.entropy,
        )
        workspace.sync_graph()
        frames = load_frames(workspace.graph)
        return frames, workspace.reader.root_at(frames.position)


def _judged(
    world: World, frames: Frames, root: bytes, labels: Sequence[tuple[str, str]]
) -> Outcome:
    shared = Features(frames)
    months, by_month = month_figures(frames.labour)
    events, by_event = event_figures(shared)
    truths = {"events": Truth.of(events, labels), "facility-months": Truth.of(months, labels)}
    promised = {one.name for one in BUILT_IN if one.evidence_class is EvidenceClass.STATISTICAL}
    quality: dict[tuple[str, float], Quality] = {}
    rules: dict[str, int] = defaultdict(int)
    for level in LEVELS:
        found = run(frames, BUILT_IN, tree_size=frames.position, root=root, level=level)
        if found.errors:
            raise SystemExit(f"{world}: {found.errors}")
        rows = with_unflagged(of_flags(found.flags), found.scores)
        for name, truth in truths.items():
            quality[name, level] = judge_run(rows, truth, promised)
    if world.strength == CLEAN:
        for flag in found.flags:
            if flag.evidence_class is EvidenceClass.RULE and not flag.likely_benign:
                rules[flag.type] += 1
    figures = {"events": (events, by_event), "facility-months": (months, by_month)}
    models = {}
    for name, (ids, columns) in figures.items():
        planted = np.array([subject in truths[name].planted for subject in ids])
        for model in MODELS:
            scores = outlier_scores(model, columns, world.seed)
            models[name, model] = average_precision(scores, planted)
    return Outcome(world, quality, models, dict(rules))


def tell(outcomes: Sequence[Outcome]) -> str:
    """Write all tables as one Markdown text."""
    by_strength: dict[str, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        by_strength[one.world.strength].append(one)
    parts = [_overall(by_strength), _types(by_strength), _honesty(by_strength)]
    parts.append(_clean(by_strength.get(CLEAN, [])))
    return "\n".join(parts)


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _overall(found: dict[str, list[Outcome]]) -> str:
    lines = ["## Ranking, recall and false flags", ""]
    head = "| | strength | average precision | asked | macro recall | asked | worst type | "
    lines += [head + "false per 10,000 | random | IForest | ECOD |", "|---" * 11 + "|"]
    for universe in UNIVERSES:
        for strength in STRENGTHS:
            runs = [one.quality[universe, LEVELS[0]] for one in found[strength]]
            models = [
                f"{_mean(one.models[universe, model] for one in found[strength]):.3f}"
                for model in MODELS
            ]
            precision, recall = TARGETS[universe][strength]
            worst = min(_recalls(runs).values(), default=float("nan"))
            lines.append(
                f"| {universe} | {strength} | {_mean(run.average_precision for run in runs):.3f} | "
                f"{precision:.2f} | {_mean(_recalls(runs).values()):.3f} | {recall:.2f} | "
                f"{worst:.2f} | {_mean(run.innocent_per_10_000 for run in runs):.1f} | "
                f"{' | '.join(models)} |"
            )
    return "\n".join([*lines, ""])


def _recalls(runs: Sequence[Quality]) -> dict[str, float]:
    """Return the share found by type over all runs together."""
    planted: dict[str, int] = defaultdict(int)
    found: dict[str, int] = defaultdict(int)
    for one in runs:
        for kind, count in one.planted.items():
            planted[kind] += count
            found[kind] += one.found.get(kind, 0)
    return {kind: found[kind] / planted[kind] for kind in sorted(planted)}


def _types(found: dict[str, list[Outcome]]) -> str:
    columns = {
        strength: {
            kind: share
            for universe in UNIVERSES
            for kind, share in _recalls(
                [one.quality[universe, LEVELS[0]] for one in found[strength]]
            ).items()
        }
        for strength in STRENGTHS
    }
    kinds = sorted({kind for shares in columns.values() for kind in shares})
    lines = ["## Recall by type", "", f"| type | {' | '.join(STRENGTHS)} |", "|---" * 4 + "|"]
    for kind in kinds:
        shares = " | ".join(f"{columns[strength].get(kind, 0):.2f}" for strength in STRENGTHS)
        lines.append(f"| {kind} | {shares} |")
    return "\n".join([*lines, ""])


def _honesty(found: dict[str, list[Outcome]]) -> str:
    lines = ["## Honesty of the statistical class", ""]
    lines += ["| worlds | q | statistical flags | on innocents | share |", "|---" * 5 + "|"]
    for strength in (*STRENGTHS, CLEAN):
        for level in LEVELS:
            runs = [one.quality[name, level] for one in found[strength] for name in UNIVERSES]
            flags, chance, share = pooled(runs)
            lines.append(f"| {strength} | {level:.2f} | {flags} | {chance} | {share:.3f} |")
    for level in LEVELS:
        runs = [
            one.quality[name, level]
            for strength in STRENGTHS
            for one in found[strength]
            for name in UNIVERSES
        ]
        flags, chance, share = pooled(runs)
        lines.append(f"| all with deeds | {level:.2f} | {flags} | {chance} | {share:.3f} |")
    return "\n".join([*lines, ""])


def _clean(found: Sequence[Outcome]) -> str:
    counts: dict[str, int] = defaultdict(int)
    for one in found:
        for kind, count in one.clean_rules.items():
            counts[kind] += count
    told = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items())) or "none"
    return (
        "## Worlds with nothing planted\n\n"
        f"Rule flags without a likely innocent cause, over {len(found)} worlds: {told}.\n"
    )


def main() -> None:
    """Judge all worlds and print the tables."""
    parser = argparse.ArgumentParser(description="Quality of the flags on fresh worlds.")
    parser.add_argument("--seeds", type=int, default=3, help="worlds of each strength")
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 5,000 events a world")
    parser.add_argument("--output", type=Path, help="a page whose tables to write anew")
    options = parser.parse_args()
    worlds = [
        World(strength, FIRST_SEED + number, options.scale)
        for strength in (*STRENGTHS, CLEAN)
        for number in range(options.seeds)
    ]
    outcomes = []
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for outcome in pool.map(judge_world, worlds):
            sys.stderr.write(f"{outcome.world.strength}, seed {outcome.world.seed}\n")
            outcomes.append(outcome)
    tables = tell(outcomes)
    if options.output is None:
        print(tables)
        return
    head, mark, _ = options.output.read_text(encoding="utf-8").partition("<!-- tables -->\n")
    options.output.write_text(f"{head}{mark}\n{tables}", encoding="utf-8")


if __name__ == "__main__":
    main()
