"""`dualnorm` as a contestant: of slices or volumes, plain or dual, with default options but the budget.

`train --time` reads the clock, and other programs on the machine would shorten such a training. So its rule is applied to
processor seconds here: the widest of 32, 16 and 8 that trains for 2,000 iterations, and as many iterations as the budget
holds. Two short trainings that differ in length alone give the seconds of an iteration, a third those of a validation.
A training that misses the budget by more than 5 % is done again with its own pace.
"""
import json
import shutil

from measure import Cost, run

WIDTHS = (32, 16, 8)
ENOUGH = 2000
TOLERANCE = 0.05
# The default's iterations of the plain stage for each of the dual stage.
PLAIN_FOR_DUAL = 2
# Validations are a tenth of the stage apart, but at least this many iterations.
LEAST_APART = 50


class Pace:
    """Processor seconds of the start, of an iteration of each stage and of a validation, for one width."""

    def __init__(self, start, plain, dual, validation):
        self.start, self.plain, self.dual, self.validation = start, plain, dual, validation

    def seconds(self, iterations):
        """Of a training with these iterations of both stages."""
        plain, dual = iterations
        # A validation of both passes costs as much more as an iteration of them.
        both = self.validation * self.dual / self.plain if dual else 0
        return (self.start + plain * self.plain + dual * self.dual + validations(plain) * self.validation
                + validations(dual) * both)

    def iterations(self, budget, dual):
        """The most that the budget holds, at least one."""
        low, high = 1, 2
        while self.seconds(split(high, dual)) <= budget:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.seconds(split(middle, dual)) <= budget else (low, middle)
        return split(low, dual)


def validations(iterations):
    return -(-iterations // max(LEAST_APART, -(-iterations // 10)))


def split(total, dual):
    """Iterations of the plain and of the dual stage."""
    if not dual:
        return total, 0
    second = max(1, total // (PLAIN_FOR_DUAL + 1))
    return max(1, total - second), second


class DualNorm:
    def __init__(self, binary, dimensions, dual):
        self.binary, self.dimensions, self.dual = binary, dimensions, dual

    def fit(self, folders, output, log, width, iterations, seed, *options):
        """Runs `dualnorm train`; returns its cost."""
        shutil.rmtree(output, ignore_errors=True)
        blocks = [] if iterations[1] else ["--dual-blocks", "none"]
        return run([self.binary, "train", "--data", folders.train, "--output", output, "--dimensions", self.dimensions,
                    "--width", width, "--iterations", "%d,%d" % tuple(iterations), "--seed", seed, "--threads", 1, "--quiet",
                    *blocks, *options], log)

    def pace(self, folders, width, budget):
        """Measures the pace of a width, once for each data set; nothing where it cannot train long enough."""
        folder = folders.root / "dualnorm-pace"
        name = f"{self.dimensions}d-{'dual' if self.dual else 'plain'}-{width}"
        path = folder / f"{name}.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        folder.mkdir(exist_ok=True)
        last = 1 if self.dual else 0

        def seconds(what, plain, dual, *options):
            """Of a training, from the file if it is there."""
            if what not in known:
                known[what] = self.fit(folders, folder / name, folder / "log.txt", width, (plain, dual), 1, *options).seconds
                path.write_text(json.dumps(known))
                shutil.rmtree(folder / name, ignore_errors=True)
            return known[what]

        short = seconds("short", 4, last)
        plain = max(1e-4, (seconds("plain", 24, last) - short) / 20)
        dual = max(plain, (seconds("dual", 4, 21) - short) / 20) if self.dual else 0
        if width > WIDTHS[-1] and sum(Pace(0, plain, dual, 0).iterations(budget, self.dual)) < ENOUGH:
            return None
        # 51 iterations have a second validation.
        validation = max(0, seconds("validation", 51, last, "--validate-every", LEAST_APART) - short - 47 * plain)
        start = short - 4 * plain - last * dual - validation * (1 + (dual / plain if self.dual else 0))
        return Pace(max(0, start), plain, dual, validation)

    def choose(self, folders, budget):
        """The width and the iterations by the rule of `--time`."""
        for width in WIDTHS:
            pace = self.pace(folders, width, budget)
            if pace:
                iterations = pace.iterations(budget, self.dual)
                if sum(iterations) >= ENOUGH or width == WIDTHS[-1]:
                    return width, iterations

    def train(self, folders, folder, budget, seed):
        width, iterations = self.choose(folders, budget)
        notes, lost = [f"width {width}"], Cost()
        for attempt in (1, 2, 3):
            cost = self.fit(folders, folder / "run", folder / "log.txt", width, iterations, seed)
            if abs(cost.seconds / budget - 1) <= TOLERANCE or attempt == 3:
                break
            lost = lost.plus(cost)
            scaled = max(1, round(sum(iterations) * budget / cost.seconds))
            if split(scaled, self.dual) == tuple(iterations):
                break
            iterations = split(scaled, self.dual)
        if lost.seconds:
            notes.append(f"{attempt} trainings until the budget was met")
        plain, dual = iterations
        return {"cost": cost, "iterations": f"{plain}+{dual}" if dual else plain, "batch": "", "notes": notes,
                "preparation": lost.seconds}

    def predict(self, folders, folder):
        return run([self.binary, "predict", "--model", folder / "run", "--input", folders.test, "--output",
                    folder / "masks", "--threads", 1, "--quiet"], folder / "log.txt")
