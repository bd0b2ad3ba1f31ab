"""Checks the pages for readers: length of README.md, length of prose lines, and links between pages.

    python3 Tools/prose.py

Prints each fault as FILE:LINE and exits with 1 if there are any. Tables, code and pictures may be wider than a line of prose.
docs/reference.md is generated, so only its links are checked.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
README_LINES = 120
LINE_LENGTH = 130


def lines(page):
    """Number, text and kind of each line: code, heading, table, picture or prose."""
    fenced = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = line.startswith("```")
        fenced ^= fence
        kinds = (("code", fenced or fence or line.startswith("    ")), ("heading", line.startswith("#")),
                 ("table", line.lstrip().startswith("|")), ("picture", line.startswith("![")))
        yield number, line, next((kind for kind, is_it in kinds if is_it), "prose")


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = [line.lstrip("#").strip().lower() for _, line, kind in lines(page) if kind == "heading"]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


def broken_links(page, line):
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            yield f"{target} leads to no file"
        elif anchor and anchor not in anchors(file):
            yield f"{target} leads to no heading"


def faults(page):
    for number, line, kind in lines(page):
        if kind == "prose" and len(line) > LINE_LENGTH and page.name != "reference.md":
            yield number, f"has {len(line)} columns, at most {LINE_LENGTH} are allowed; wrap the line"
        if kind != "code":
            yield from ((number, fault) for fault in broken_links(page, line))
    if page.name == "README.md" and number > README_LINES:
        yield number, f"has {number} lines, at most {README_LINES} are allowed; move the rest to docs"


found = [f"{page.relative_to(ROOT)}:{number}: {fault}." for page in PAGES for number, fault in faults(page)]
print("\n".join(found) if found else f"{len(PAGES)} pages are in order.")
sys.exit(bool(found))
