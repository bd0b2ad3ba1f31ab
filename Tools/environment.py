"""Makes a Python environment of pinned packages, where it is not there and complete.

    python3 Tools/environment.py FOLDER REQUIREMENTS...

The files of requirements, in pip's format with checksums, are installed in turn. The environment is complete when every package
has its version and every file of it its size; `complete` in it, which is written last, says so to others.
"""
import csv
import os
import re
import subprocess
import sys
from importlib import metadata

from cache import fail, lock, remove, say, stop_in_order

PYTHONS = ((3, 11), (3, 14))


def packages(path):
    """Names and versions in a file of requirements, as far as they are for this system."""
    with open(path) as file:
        lines = re.sub(r"\\\n", " ", file.read()).splitlines()
    for line in lines:
        found = re.match(r"([\w-]+)==(\S+)(?: ; sys_platform == \"(\w+)\")?", line)
        if found and found.group(3) in (None, sys.platform):
            yield found.group(1), found.group(2)


def what_is_wrong(files):
    """Why the environment of the running Python is not complete; nothing where it is."""
    for name, version in [package for path in files for package in packages(path)]:
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            return "%s is missing" % name
        if found.version != version:
            return "%s is of version %s, not %s" % (name, found.version, version)
        # Not found.files, which leaves out what is missing from Python 3.12 on.
        record = found.read_text("RECORD")
        if not record:
            return "%s has no list of its files" % name
        for file, _, size in csv.reader(record.splitlines()):
            path = str(found.locate_file(file))
            # Python writes compiled files anew; they have no size in the list.
            if size and not os.path.isfile(path):
                return "%s is missing" % path
            if size and os.path.getsize(path) != int(size):
                return "%s has %d bytes, not %s" % (path, os.path.getsize(path), size)
    return None


def is_complete(folder, files):
    python = os.path.join(folder, "bin", "python")
    if not os.path.lexists(python):
        if os.path.lexists(folder):
            say("%s has no Python; it is made anew." % folder)
        return False
    # -E and -s: packages elsewhere are not the environment's.
    result = subprocess.run([python, "-E", "-s", os.path.abspath(__file__), "--check"] + files, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, universal_newlines=True)
    if result.returncode == 0:
        return True
    say("%s is not complete: %s. It is made anew." % (folder, result.stdout.strip() or "its Python does not run"))
    return False


def make(folder, files, descriptor):
    first, last = PYTHONS
    if not first <= sys.version_info[:2] <= last:
        fail("python3 is %d.%d, and %s needs %d.%d to %d.%d; put one of these first on PATH."
             % (sys.version_info[:2] + (folder,) + first + last))
    remove(folder)
    say("making %s" % folder)
    python = os.path.join(folder, "bin", "python")
    if subprocess.run([sys.executable, "-m", "venv", folder]).returncode != 0:
        fail("python3 could not make %s; see its message above (Debian's package for this is python3-venv)." % folder)
    for path in files:
        # An orphaned pip keeps the lock, for as long as it writes.
        result = subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes",
                                 "--no-deps", "--no-build-isolation", "--use-pep517", "--requirement", path],
                                stdin=subprocess.DEVNULL, pass_fds=[descriptor])
        if result.returncode != 0:
            fail("pip could not install %s in %s; see its message above, check the network and the disk, then try again."
                 % (path, folder))


def main():
    if sys.argv[1] == "--check":
        wrong = what_is_wrong(sys.argv[2:])
        if wrong:
            print(wrong)
        sys.exit(wrong is not None)
    stop_in_order()
    folder, files = os.path.abspath(sys.argv[1]), sys.argv[2:]
    parent, mark = os.path.dirname(folder), os.path.join(folder, "complete")
    try:
        os.makedirs(parent, exist_ok=True)
        with open(os.path.join(parent, "lock"), "a") as file:
            lock(file.fileno(), parent)
            if not is_complete(folder, files):
                remove(mark)
                make(folder, files, file.fileno())
            if not os.path.exists(mark):
                open(mark, "w").close()
    except OSError as error:
        fail("%s cannot be written (%s); check the folder and the disk, then try again."
             % (error.filename or folder, error.strerror))


main()
