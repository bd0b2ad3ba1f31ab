"""Trains every backbone for the same processor time, plain and dual, and scores held-out patients.

    python3 Tools/compare_backbones.py BINARY DATA FOLDER SECONDS [SEEDS]

Two short trainings of each give its processor seconds an iteration, in the plain and in the dual stage. The iterations of
the real training fit the budget: all plain, or two plain for each dual one. One thread trains. A seed has the same
held-out patients for all. FOLDER/backbones.csv has a line for each network; the table on standard output has the means.
"""
import csv
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from statistics import mean, stdev

NETWORKS = "residual-unet unet unet++ attention-unet vnet transunet nnunet nnunet-residual".split()
COMMON = "--width 16 --hold-out 0.35 --validation-fraction 0.1 --threads 1 --quiet".split()


def seconds(command):
    """Runs a command and returns its processor seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Comparison:
    def __init__(self, binary, data, folder, budget, options):
        self.binary, self.data, self.folder, self.budget, self.options = binary, data, folder, budget, options

    def train(self, run, network, plain, dual, seed):
        subprocess.run(["rm", "-rf", run], check=True)
        blocks = [] if dual else ["--dual-blocks", "none"]
        return seconds([self.binary, "train", "--data", self.data, "--output", run, "--network", network, "--iterations",
                        f"{plain},{dual}", "--validate-every", str(max(plain, dual)), "--seed", str(seed), *blocks, *COMMON,
                        *self.options])

    def rates(self, network):
        """Processor seconds of a plain and of a dual iteration, from trainings that differ in length alone."""
        run = self.folder / "rate"
        none = self.train(run, network, 4, 1, 1)
        plain = (self.train(run, network, 24, 1, 1) - none) / 20
        return plain, (self.train(run, network, 4, 21, 1) - none) / 20

    def score(self, run):
        """The mean Dice of sites and classes."""
        scores = run / "scores"
        subprocess.run(["rm", "-rf", scores], check=True)
        subprocess.run([self.binary, "evaluate", "--model", run, "--data", self.data, "--output", scores, "--threads", "1",
                        "--quiet"], check=True, stdout=subprocess.DEVNULL)
        with open(scores / "scores.csv") as file:
            rows = [row for row in csv.DictReader(file)]
        last = rows[-1]["pass"] if rows else ""
        groups = {}
        for row in rows:
            if row["pass"] == last and row["dice"]:
                groups.setdefault((row["site"], row["class"]), []).append(float(row["dice"]))
        return mean(mean(values) for values in groups.values())


def main():
    binary, data, folder, budget = sys.argv[1], sys.argv[2], Path(sys.argv[3]), float(sys.argv[4])
    seeds = range(1, 1 + int(sys.argv[5] if len(sys.argv) > 5 else 3))
    folder.mkdir(parents=True, exist_ok=True)
    comparison = Comparison(binary, data, folder, budget, json.loads(os.environ.get("TRAIN_OPTIONS", "[]")))
    rates = {}
    table = {}
    with open(folder / "backbones.csv", "a") as file:
        for seed in seeds:
            for network in NETWORKS:
                if network not in rates:
                    rates[network] = comparison.rates(network)
                plain, dual = rates[network]
                steps = budget / (2 * plain + dual)
                for method, lengths in (("plain", (int(budget / plain), 0)), ("dual", (int(2 * steps), int(steps)))):
                    run = folder / f"{network}-{method}-{seed}"
                    spent = comparison.train(run, network, *lengths, seed)
                    dice = comparison.score(run)
                    table.setdefault((network, method), []).append(dice)
                    print(network, method, seed, *lengths, f"{spent:.1f}", f"{dice:.4f}", sep=",", file=file, flush=True)
    print("| network | plain | dual |\n|---|---|---|")
    for network in NETWORKS:
        cells = []
        for method in ("plain", "dual"):
            values = table[network, method]
            spread = f" ± {stdev(values):.3f}" if len(values) > 1 else ""
            cells.append(f"{mean(values):.3f}{spread}")
        print(f"| `{network}` | {cells[0]} | {cells[1]} |")


main()
