"""Fetches LibTorch for Tools/deps.sh where its folder is not complete.

    python3 Tools/libtorch.py FOLDER SYSTEM HALF [LOCK]

SYSTEM is a name in Tools/libtorch.txt, HALF is cpu or cuda, LOCK the number of an open file. The folder is complete when all
that its own list names is there in full size. The list is written last.
"""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

from cache import fail, lock, remove, say, sha256, stop_in_order

WHEELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libtorch.txt")
LIST = "complete.json"

# All that compiling and running on the CPU needs, about 0.5 GB of 1.3 GB.
CPU_FILES = (r"torch/include/|torch/lib/(libtorch_cpu|libc10|libtorch|libgomp\.so\.1|libomp|libarm_compute.*|libnvpl_.*"
             r"|libopenblas.*|libgfortran.*)(\.so[.\d]*|\.dylib|$)|torch\.libs/|nvidia/cu13/lib/lib(cudart|cupti)\.so"
             r"|.*/licenses/|.*LICENSE|.*NOTICE")
CUDA_FILES = r"torch/lib/lib.*\.so|nvidia/.*/lib/.*\.so"

# Folders of before there were lists, whose wheels had been verified: of their names and sizes, the checksum.
EARLIER = {"Linux-x86_64 2.11.0": "109be590a38267d9e1cef9e78483529fd063db6e86735519fbf26555654708ff"}

ROOM_MIB = {"cpu": 1150, "cuda": 4500}


class Wheel:
    def __init__(self, line):
        try:
            self.system, self.half, self.name, self.version, self.tag, self.platform, self.checksum = line.split()
        except ValueError:
            fail("%s: %r has not the seven words that its fourth line names; mend it." % (WHEELS, line))

    def __str__(self):
        return " ".join([self.system, self.half, self.name, self.version, self.tag, self.platform, self.checksum])


def wheels(system, half):
    with open(WHEELS) as file:
        lines = [line.strip() for line in file]
    all_wheels = [Wheel(line) for line in lines if line and not line.startswith("#")]
    found = [wheel for wheel in all_wheels if wheel.system == system and wheel.half in ("cpu", half)]
    if not found:
        fail("no LibTorch for %s; DualNorm needs x86-64 or arm64 Linux, or macOS on Apple silicon."
             % system.replace("-", " on ", 1))
    if half not in [wheel.half for wheel in found]:
        fail("LibTorch has no CUDA half for %s; run make deps, which gets the CPU's." % system.replace("-", " on ", 1))
    return found


def origin(system, half):
    """What a folder's files come from: other wheels, or others of their files, make another folder."""
    text = "\n".join([CPU_FILES, CUDA_FILES] + [str(wheel) for wheel in wheels(system, half)])
    return hashlib.sha256(text.encode()).hexdigest()


def read_list(folder):
    """Which half a folder was made for, what from, and its files with their sizes; nothing where it cannot be read."""
    try:
        with open(os.path.join(folder, LIST)) as file:
            found = json.load(file)
        return found["half"], found["origin"], dict(found["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return None, None, None


def write_list(folder, half, origin, files):
    path = os.path.join(folder, LIST)
    with open(path + ".partial", "w") as file:
        json.dump({"half": half, "origin": origin, "files": files}, file, indent=0, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".partial", path)


def size(path):
    try:
        return os.lstat(path).st_size
    except OSError:
        return None


def wrong_files(folder, files):
    """What is to be said of files that are missing or of another size."""
    wrong = []
    for name, expected in files.items():
        found = size(os.path.join(folder, name))
        if found is None:
            wrong.append("%s is missing" % os.path.join(folder, name))
        elif found != expected:
            wrong.append("%s has %d bytes, not %d" % (os.path.join(folder, name), found, expected))
    return wrong


def adopt(folder, system, version):
    """Whether a folder of before there were lists is complete; it gets its list then."""
    files = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            if not name.startswith(LIST):
                files[os.path.relpath(path, folder)] = size(path)
    lines = sorted("%s %s\n" % (files[name], name) for name in files)
    if hashlib.sha256("".join(lines).encode()).hexdigest() != EARLIER.get("%s %s" % (system, version)):
        return False
    try:
        write_list(folder, "cpu", origin(system, "cpu"), files)
    except OSError:
        pass  # It lies where nobody may write, and is looked through anew each time.
    return True


def what_is_wrong(folder, system, half, version):
    """Why a folder cannot be used as it is; nothing where it can."""
    if not os.path.isdir(folder):
        return "" if not os.path.lexists(folder) else "%s is no folder" % folder
    made_for, made_from, files = read_list(folder)
    if files is None:
        if half == "cpu" and adopt(folder, system, version):
            return None
        return "%s has no list of its files that can be read" % folder
    if made_for not in (half, "cuda"):
        return "%s has only the half for the CPU" % folder
    if made_from != origin(system, made_for):
        return "%s was made of other wheels than Tools/libtorch.txt names now" % folder
    wrong = wrong_files(folder, files)
    if not wrong:
        return None
    return wrong[0] + (" (the first of %d wrong files)" % len(wrong) if wrong[1:] else "")


def has_cuda(folder):
    """Whether a folder was made for CUDA, though its list or that library may be lost."""
    return read_list(folder)[0] == "cuda" or os.path.exists(os.path.join(folder, "torch/lib/libtorch_cuda.so"))


def download(wheel, folder, descriptor):
    """Gets a wheel by pip and compares its checksum.

    Returns: its path.
    """
    say("fetching %s %s for %s" % (wheel.name, wheel.version, wheel.platform))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--only-binary=:all:", "--no-cache-dir", "--python-version", "3.11",
               "--implementation", re.sub(r"\d.*", "", wheel.tag), "--abi", "none" if wheel.tag == "py3" else wheel.tag,
               "--platform", wheel.platform, "--dest", folder, "%s==%s" % (wheel.name, wheel.version)]
    # An orphaned pip keeps the lock, for as long as it writes.
    result = subprocess.run(command, stdin=subprocess.DEVNULL, pass_fds=[descriptor])
    found = [name for name in os.listdir(folder) if name.endswith(".whl")]
    if result.returncode != 0 or len(found) != 1:
        if subprocess.run([sys.executable, "-m", "pip", "--version"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode != 0:
            fail("python3 has no pip; it fetches LibTorch. Install it, for example: apt-get install python3-pip")
        fail("pip could not fetch %s %s; see its message above, check the network and the disk, then run make deps again."
             % (wheel.name, wheel.version))
    path = os.path.join(folder, found[0])
    checksum = sha256(path)
    if checksum != wheel.checksum:
        fail("%s has the SHA-256 %s, not %s as Tools/libtorch.txt says; run make deps again, or use another package index."
             % (found[0], checksum, wheel.checksum))
    return path


def unpack(path, folder, half):
    """Returns: the files' sizes by name."""
    wanted = re.compile(CPU_FILES + ("|" + CUDA_FILES if half == "cuda" else ""))
    files = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if wanted.match(entry.filename) and not entry.filename.endswith("/"):
                    archive.extract(entry, folder)
                    files[entry.filename] = entry.file_size
    except (OSError, zipfile.BadZipFile) as error:
        fail("%s cannot be unpacked to %s (%s); check the disk, then run make deps again."
             % (os.path.basename(path), folder, error))
    return files


def need_room(folder, half):
    free = shutil.disk_usage(folder).free >> 20
    if free < ROOM_MIB[half]:
        fail("%s has %d MiB free, and fetching LibTorch needs %d; make room, or set DUALNORM_CACHE to a folder elsewhere."
             % (folder, free, ROOM_MIB[half]))


def fetch(folder, system, half, descriptor):
    cache = os.path.dirname(folder)
    if descriptor is None or not os.access(cache, os.W_OK):
        fail("%s cannot be written to; make it writable, or set DUALNORM_CACHE to a folder elsewhere." % cache)
    partial, downloads, earlier = folder + ".partial", folder + ".downloads", folder + ".earlier"
    leftovers = [partial, downloads, earlier]
    try:
        # A run that was killed leaves them.
        for path in leftovers:
            remove(path)
        need_room(cache, half)
        os.mkdir(partial)
        files = {}
        for wheel in wheels(system, half):
            os.mkdir(downloads)
            files.update(unpack(download(wheel, downloads, descriptor), partial, half))
            remove(downloads)
        # What a power cut would take must be on the disk before the list says that it is there.
        os.sync()
        write_list(partial, half, origin(system, half), files)
        # Programs that run keep the files they have open.
        if os.path.lexists(folder):
            os.rename(folder, earlier)
        os.rename(partial, folder)
    except OSError as error:
        fail("%s cannot be written (%s); check the disk, then run make deps again." % (error.filename or cache, error.strerror))
    finally:
        for path in leftovers:
            try:
                remove(path)
            except OSError:
                pass  # The next run tries again.


def main():
    stop_in_order()
    folder, system, half = sys.argv[1:4]
    descriptor = int(sys.argv[4]) if sys.argv[4:] else None
    if descriptor is not None:
        lock(descriptor, os.path.dirname(folder))
    version = wheels(system, half)[0].version
    wrong = what_is_wrong(folder, system, half, version)
    if wrong is None:
        return
    if half == "cpu" and has_cuda(folder):
        half = "cuda"  # Whoever asked for it once would miss it.
    if wrong:
        say(wrong + "; LibTorch is fetched anew.")
    if half == "cuda":
        say("LibTorch with its CUDA half is 2.5 GB to fetch and 3.9 GB unpacked.")
    fetch(folder, system, half, descriptor)


main()
