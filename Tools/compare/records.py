"""The raw tables: a row for each case and class in one file, a row of costs for each cell in another."""
import csv
import os
from pathlib import Path

CELL = ("data", "contestant", "budget", "seed")
SCORES = (*CELL, "case", "site", "class", "dice")
COSTS = (*CELL, "training_seconds", "training_clock_seconds", "inference_seconds", "cases", "iterations", "batch",
         "preparation_seconds", "training_megabytes", "inference_megabytes", "versions", "notes")


def read(path, columns):
    """Rows of a table; none where the file is not there."""
    if not path.exists():
        return []
    with open(path, newline="") as file:
        table = csv.DictReader(file)
        if tuple(table.fieldnames or ()) != columns:
            from measure import fail
            fail(f"{path} has other columns than this program writes; give another --output.")
        return list(table)


def key(row):
    return tuple(str(row[column]) for column in CELL)


class Records:
    """Finished cells in a folder. The row of costs is written last and tells that a cell is finished."""

    def __init__(self, folder):
        self.scores, self.costs = Path(folder) / "comparison.csv", Path(folder) / "comparison-costs.csv"
        self.finished = {key(row) for row in read(self.costs, COSTS)}
        rows = read(self.scores, SCORES)
        kept = [row for row in rows if key(row) in self.finished]
        # What a killed run left of a cell.
        if len(kept) < len(rows):
            self.write(kept)

    def write(self, rows):
        partial = self.scores.with_suffix(".partial")
        with open(partial, "w", newline="") as file:
            table = csv.DictWriter(file, SCORES)
            table.writeheader()
            table.writerows(rows)
        os.replace(partial, self.scores)

    def add(self, cell, scores, costs):
        """Appends a finished cell."""
        named = dict(zip(CELL, cell))
        append(self.scores, SCORES, [{**named, **row} for row in scores])
        append(self.costs, COSTS, [{**named, **costs}])
        self.finished.add(tuple(map(str, cell)))


def append(path, columns, rows):
    is_new = not path.exists()
    with open(path, "a", newline="") as file:
        table = csv.DictWriter(file, columns)
        if is_new:
            table.writeheader()
        table.writerows(rows)
        file.flush()
        os.fsync(file.fileno())
