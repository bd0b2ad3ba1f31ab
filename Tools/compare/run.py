"""Trains nnU-Net, MONAI's DynUNet and dualnorm for the same processor time on the same cases, and scores all masks alike.

    python Tools/compare/run.py --binary .build/release/dualnorm --source ../shared/data --output FOLDER \\
      [--data hippocampus,lgg,prostate] [--budgets 300,900,3600] [--seeds 1,2,3] [--contestants nnunet-2d,...]

Budgets are processor seconds, user and system, of the whole training and all its processes; each has one thread. FOLDER
gets comparison.csv and comparison-costs.csv. Finished cells are not run again, so Ctrl-C and the same command go on.
--cases N takes the first N held-out cases of each site, for trials.
"""
import argparse
import csv
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from datasets import DATA_SETS, Folders
from dynunet import DynUNet
from measure import fail, run
from nnunet import NNUNet
from ours import DualNorm
from records import Records

CONTESTANTS = {
    "nnunet-2d": lambda binary: NNUNet("2d"),
    "nnunet-3d": lambda binary: NNUNet("3d_fullres"),
    "dynunet-2d": lambda binary: DynUNet(2),
    "dynunet-3d": lambda binary: DynUNet(3),
    "dualnorm-2d": lambda binary: DualNorm(binary, 2, dual=False),
    "dualnorm-2d-dual": lambda binary: DualNorm(binary, 2, dual=True),
    "dualnorm-3d": lambda binary: DualNorm(binary, 3, dual=False),
    "dualnorm-3d-dual": lambda binary: DualNorm(binary, 3, dual=True),
}
# Slices that are far apart suit a network of slices. Its other form runs where it is asked for.
UNSUITED = {"hippocampus": "dynunet-2d", "lgg": "dynunet-3d", "prostate": "dynunet-3d"}


def listed(kind, allowed=None):
    """A type of argument: words with commas between."""
    def parse(text):
        words = [word for word in text.split(",") if word]
        for word in words:
            if allowed and word not in allowed:
                raise argparse.ArgumentTypeError(f"{word} is none of {', '.join(allowed)}")
        try:
            numbers = [kind(word) for word in words]
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text} is no list of numbers")
        if not numbers or (kind is not str and min(numbers) <= 0):
            raise argparse.ArgumentTypeError(f"{text!r} names nothing to run")
        return numbers
    return parse


class Parser(argparse.ArgumentParser):
    def error(self, message):
        fail(f"{message}.")


def arguments():
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=Path(".build/release/dualnorm"))
    parser.add_argument("--source", type=Path, default=Path("../shared/data"), help="folder that holds the data sets")
    parser.add_argument("--output", type=Path, default=Path(".build/compare"))
    parser.add_argument("--data", type=listed(str, DATA_SETS), default=list(DATA_SETS))
    parser.add_argument("--budgets", type=listed(int), default=[300, 900, 3600], help="processor seconds")
    parser.add_argument("--seeds", type=listed(int), default=[1, 2, 3])
    parser.add_argument("--contestants", type=listed(str, CONTESTANTS), help="all that suit the data, if not given")
    parser.add_argument("--cases", type=int, help="held-out cases of each site, for trials")
    return parser.parse_args()


def versions(binary):
    try:
        own = subprocess.run([binary, "--version"], capture_output=True, text=True).stdout.strip()
    except OSError:
        fail(f"{binary} does not run; give the program dualnorm with --binary.")
    packages = ("nnunetv2", "monai", "torch", "numpy")
    return "; ".join([own, *(f"{name} {metadata.version(name)}" for name in packages)])


def score(binary, folders, folder):
    """Scores the masks of a cell by `dualnorm score`."""
    path = folder / "scores.csv"
    path.unlink(missing_ok=True)
    labels = ",".join(map(str, folders.data.labels))
    run([binary, "score", "--prediction", folder / "masks", "--reference", folders.reference, "--output", path,
         "--labels", labels, "--quiet"], folder / "log.txt")
    with open(path, newline="") as file:
        return [{"case": row["case"], "site": row["site"], "class": row["label"], "dice": row["dice"]}
                for row in csv.DictReader(file)]


def run_cell(binary, name, folders, budget, seed):
    """Trains, predicts and scores; returns rows of scores and the row of costs."""
    folder = folders.root / "cells" / f"{name}-{budget}-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    contestant = CONTESTANTS[name](binary)
    trained = contestant.train(folders, folder, budget, seed)
    inference = contestant.predict(folders, folder)
    scores = score(binary, folders, folder)
    cost = trained["cost"]
    if abs(cost.seconds / budget - 1) > 0.05:
        trained["notes"].append(f"spent {100 * cost.seconds / budget:.0f} % of the budget")
    return scores, {
        "training_seconds": f"{cost.seconds:.1f}", "training_clock_seconds": f"{cost.clock:.1f}",
        "inference_seconds": f"{inference.seconds:.1f}", "cases": len(folders.held_out), "iterations": trained["iterations"],
        "batch": trained["batch"], "preparation_seconds": f"{trained['preparation']:.1f}",
        "training_megabytes": cost.megabytes, "inference_megabytes": inference.megabytes, "versions": versions(binary),
        "notes": "; ".join(trained["notes"])}


def main():
    asked = arguments()
    binary = asked.binary.resolve()
    versions(binary)
    output = asked.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    records = Records(output)
    folders = {name: Folders(name, asked.source.resolve(), output, asked.cases) for name in asked.data}
    cells = [(data, contestant, budget, seed) for seed in asked.seeds for budget in asked.budgets for data in asked.data
             for contestant in asked.contestants or CONTESTANTS
             if asked.contestants or contestant != UNSUITED[data]]
    for number, cell in enumerate(cells, 1):
        data, contestant, budget, seed = cell
        if tuple(map(str, cell)) in records.finished:
            continue
        print(f"{number}/{len(cells)} {data} {contestant} {budget} s, seed {seed}", flush=True)
        scores, costs = run_cell(binary, contestant, folders[data], budget, seed)
        records.add(cell, scores, costs)
        found = [float(row["dice"]) for row in scores if row["dice"]]
        print(f"  Dice {sum(found) / max(1, len(found)):.3f}, training {costs['training_seconds']} s, "
              f"inference {costs['inference_seconds']} s, {costs['notes']}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("Stopped; the same command goes on with the unfinished cell.", file=sys.stderr)
        sys.exit(130)
