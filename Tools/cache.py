"""What the programs that fill ~/.cache/dualnorm share: words, checksums and a lock."""
import fcntl
import hashlib
import os
import shutil
import signal
import sys


def say(text):
    print("deps: " + text, flush=True)


def fail(text):
    sys.exit("deps: " + text)


def stop_in_order():
    """Ends on Ctrl-C and SIGTERM as on an error: what is half-made goes."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: sys.exit(128 + number))


def lock(descriptor, folder):
    """Waits until no other process has the lock on an open file, which then lasts until all who have it open have ended."""
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another process that fills " + folder)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        # Some network file systems have no locks.
        say("%s cannot be locked (%s); let nothing else fill it meanwhile." % (folder, error.strerror))


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.remove(path)
