"""Runs `swift test --skip-build` with the given options. The last line says how many tests were skipped, and why.

    python3 Tools/test.py [OPTION ...]

The exit status is that of `swift test`.
"""
import os
import re
import subprocess
import sys
from collections import Counter

# Threads that wait actively would take cores from the tests beside theirs.
environment = {"OMP_WAIT_POLICY": "passive", **os.environ}
skipped, failed, whole = Counter(), [], "no test ran"
test = subprocess.Popen(["swift", "test", "--skip-build"] + sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                        encoding="utf-8", errors="replace", env=environment)
for line in test.stdout:
    sys.stdout.write(line)
    sys.stdout.flush()
    found = re.match(r"➜ Test .* skipped(?:: \"(.*)\")?", line)
    if found:
        skipped[found.group(1) or "no reason is given"] += 1
    elif line.startswith(("✔ Test run with", "✘ Test run with")):
        whole = line[2:].rstrip(".\n")
    elif re.match(r"✘ (Test|Suite) .* failed after", line):
        failed.append(line.rstrip("\n"))
status = test.wait()
# The lines of those that ran beside them are between.
for line in failed:
    print(line)
reasons = "".join("; %d: %s" % (count, reason) for reason, count in skipped.most_common())
print("%s; %s skipped%s" % (whole, sum(skipped.values()) or "none", reasons))
sys.exit(status if status >= 0 else 128 - status)
