"""Runs commands on one thread and measures what they cost: processor time of the whole process tree, and memory."""
import json
import os
import subprocess
import sys
import time
from typing import NamedTuple

# One thread each, so that processor time is what a machine with one core would take.
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS",
                                     "BLOSC_NTHREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")}


class Cost(NamedTuple):
    """Processor seconds (user and system), seconds on the clock, and the most megabytes of one process."""
    seconds: float = 0
    clock: float = 0
    megabytes: int = 0

    def plus(self, other):
        return Cost(self.seconds + other.seconds, self.clock + other.clock, max(self.megabytes, other.megabytes))


def fail(sentence):
    """Ends the program with a sentence on standard error."""
    print("Error: " + sentence, file=sys.stderr)
    sys.exit(1)


def run(command, log, environment=None):
    """Runs a command to its end and returns its cost; its words go to the file `log`."""
    words = [str(word) for word in command]
    variables = {**os.environ, **ONE_THREAD, "OMP_WAIT_POLICY": "passive", **(environment or {})}
    begin = time.monotonic()
    with open(log, "a") as file:
        file.write("$ " + " ".join(words) + "\n")
        file.flush()
        try:
            process = subprocess.Popen(words, stdout=file, stderr=file, stdin=subprocess.DEVNULL, env=variables)
        except OSError as error:
            fail(f"{words[0]} does not run ({error.strerror}); check --binary and the environment.")
        # wait4 counts the process and all its descendants that were waited for.
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except KeyboardInterrupt:
            # Ctrl-C reached the process too.
            os.wait4(process.pid, 0)
            raise
    code = process.returncode = os.waitstatus_to_exitcode(status)
    if code != 0:
        fail(f"{os.path.basename(words[0])} ended with {code}; {log} has its words.")
    return Cost(usage.ru_utime + usage.ru_stime, time.monotonic() - begin, usage.ru_maxrss // 1024)


def run_step(script, name, settings, folder, environment=None):
    """Runs a step of a script in a process of its own; returns what it reported, and its cost."""
    report = folder / f"{name}.json"
    words = [sys.executable, script, name, json.dumps({**settings, "report": str(report)})]
    cost = run(words, folder / "log.txt", environment)
    return json.loads(report.read_text()), cost
