"""Makes docs/comparison.md, its picture and docs/data from the raw tables of Tools/compare/run.py.

    python Tools/compare/page.py FOLDER [--docs docs] [--least-budget 300]

FOLDER holds comparison.csv and comparison-costs.csv. Every number of the page comes from them. Budgets below the least are
trials, and no results; without others there is no page.
"""
import argparse
import shutil
from pathlib import Path

from measure import fail
from plot import draw
from records import COSTS, SCORES, Records, read
from statistics_of_cells import summaries

TEMPLATE = Path(__file__).resolve().parent / "page.md"
ORDER = ("nnunet-2d", "nnunet-3d", "dynunet-2d", "dynunet-3d", "dualnorm-2d", "dualnorm-2d-dual", "dualnorm-3d",
         "dualnorm-3d-dual")
HEAD = ("| trained by | budget, s | seeds | Dice | 95 % over cases | iterations | spent, s | beside, s | s a case | memory, GB "
        "| notes |\n|---|---|---|---|---|---|---|---|---|---|---|")


def line(contestant, budget, found):
    spread = f" ± {found.spread:.3f}" if found.spread is not None else ""
    cells = (f"`{contestant}`", budget, found.seeds, f"{found.mean:.3f}{spread}", f"{found.low:.3f} to {found.high:.3f}",
             found.iterations, f"{found.training:.0f}", f"{found.preparation:.0f}", f"{found.inference:.2f}",
             f"{found.memory / 1000:.1f}", found.notes)
    return "| " + " | ".join(map(str, cells)) + " |"


def table(found):
    """A table for each data set."""
    parts = []
    for data in sorted({data for data, _, _ in found}):
        cells = {(name, budget): each for (other, name, budget), each in found.items() if other == data}
        cases = next(iter(cells.values())).cases
        lines = [line(name, budget, cells[name, budget]) for budget in sorted({budget for _, budget in cells})
                 for name in ORDER if (name, budget) in cells]
        parts.append(f"### {data}\n{cases} held-out cases.\n\n{HEAD}\n" + "\n".join(lines))
    return "\n\n".join(parts)


def command(found):
    """The command that makes the cells of the page."""
    data, _, budgets = (sorted({cell[index] for cell in found}) for index in range(3))
    seeds = ",".join(str(seed) for seed in range(1, 1 + max(each.seeds for each in found.values())))
    return f'    make compare COMPARE="--data {",".join(data)} --budgets {",".join(map(str, budgets))} --seeds {seeds}"'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    parser.add_argument("--least-budget", type=int, default=300)
    asked = parser.parse_args()
    if not asked.folder.is_dir():
        fail(f"{asked.folder} is no folder; give the --output of run.py.")
    records = Records(asked.folder)
    scores, costs = read(records.scores, SCORES), read(records.costs, COSTS)
    costs = [cost for cost in costs if int(cost["budget"]) >= asked.least_budget]
    if not costs:
        fail(f"{asked.folder} has no cell of {asked.least_budget} s or more, so there is nothing for the page.")
    found = summaries(scores, costs)
    versions = "\n".join(f"- {each}" for each in sorted({cost["versions"] for cost in costs}))
    (asked.docs / "data").mkdir(parents=True, exist_ok=True)
    for path in (records.scores, records.costs):
        shutil.copy(path, asked.docs / "data")
    for path in sorted(asked.folder.glob("*/cases.csv")):
        shutil.copy(path, asked.docs / "data" / f"comparison-cases-{path.parent.name}.csv")
    draw(found, ORDER, asked.docs / "comparison.png")
    page = TEMPLATE.read_text()
    for mark, text in (("TABLES", table(found)), ("COMMAND", command(found)), ("VERSIONS", versions)):
        page = page.replace(f"@{mark}@", text)
    (asked.docs / "comparison.md").write_text(page)


if __name__ == "__main__":
    main()
