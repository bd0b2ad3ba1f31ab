"""Sends 200 requests at once to a server that it starts: good, slow, damaged and huge ones. None may be lost.

    python3 Tools/serve_load.py BINARY MODEL DATA

BINARY is the program, MODEL a run folder, DATA a folder of volumes that it segments (.nii.gz). Every good request must get the mask
of `predict`, to the byte; every bad one its 4xx; and the server's memory must stay within MEMORY of what one request takes. A request
that is told to come again (503 with Retry-After) does so. The exit status is 1 if anything of this fails.
"""
import hashlib
import os
import re
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

MEMORY = 256 << 20
COUNTS = {"good": 130, "slow": 20, "damaged": 30, "huge": 20}
# Of a request, in GB; huge ones have 5 GB.
LARGEST = 0.2
SECONDS = 900
BOUNDARY = "boundary-of-the-load"
TYPE = "multipart/form-data; boundary=" + BOUNDARY

binary, model, data = sys.argv[1:4]
work = tempfile.TemporaryDirectory()
own = os.path.join(work.name, "server")
os.mkdir(own)
environment = {**os.environ, "TMPDIR": own, "OMP_WAIT_POLICY": "passive"}
failures = []


def form(name, contents, end=True):
    head = '--%s\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n' % (BOUNDARY, name)
    return head.encode() + contents + (("\r\n--%s--\r\n" % BOUNDARY).encode() if end else b"")


def volumes():
    """Up to four volumes, each with its bytes and the digest of its mask."""
    found = []
    for folder, _, names in sorted(os.walk(data)):
        for name in sorted(names):
            if name.endswith(".nii.gz") and not re.search(r"(_segmentation|_mask|_seg|_label)\.nii\.gz$", name):
                found.append(os.path.join(folder, name))
    picked = []
    for path in found[:4]:
        mask = os.path.join(work.name, "mask.nii.gz")
        # A copy elsewhere: the folder may name a site, and an upload has none.
        copy = os.path.join(work.name, "scan.nii.gz")
        with open(path, "rb") as file, open(copy, "wb") as other:
            contents = file.read()
            other.write(contents)
        subprocess.run([binary, "predict", "--model", model, "--input", copy, "--output", mask, "--quiet"], check=True,
                       env=environment, stderr=subprocess.DEVNULL)
        with open(mask, "rb") as file:
            picked.append((contents, hashlib.sha256(file.read()).hexdigest()))
    return picked


def start():
    errors = open(os.path.join(work.name, "errors"), "wb")
    process = subprocess.Popen([binary, "serve", model, "--listen", "127.0.0.1:0", "--max-upload", str(LARGEST)],
                               env=environment, stderr=errors, stdin=subprocess.DEVNULL)
    while process.poll() is None:
        with open(errors.name) as file:
            found = re.search(r"http://127\.0\.0\.1:(\d+) ", file.read())
        if found:
            return process, int(found.group(1))
        time.sleep(0.05)
    sys.exit("the server did not start: " + open(errors.name).read())


class Lost(Exception):
    pass


def receive(connection):
    """The status, headers and body of an answer."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(1 << 16)
        if not piece:
            raise Lost("closed after %d bytes" % len(received))
        received += piece
    head, body = received.split(b"\r\n\r\n", 1)
    headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(headers[b"content-length"]):
        piece = connection.recv(1 << 16)
        if not piece:
            raise Lost("closed within the body")
        body += piece
    return int(head.split()[1]), headers, body


def head(length, path="/infer/%s?output=image", kind=TYPE):
    size = "Transfer-Encoding: chunked" if length is None else "Content-Length: %d" % length
    return ("POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: %s\r\n%s\r\n\r\n"
            % (path % os.path.basename(os.path.abspath(model)) if "%s" in path else path, kind, size)).encode()


def good(connection, number):
    contents, _ = scans[number % len(scans)]
    body = form("scan.nii.gz", contents)
    connection.sendall(head(len(body)) + body)
    return receive(connection)


def slow(connection, number):
    """The same, a 50th of it every 0.2 s."""
    contents, _ = scans[number % len(scans)]
    body = form("scan.nii.gz", contents)
    connection.sendall(head(len(body)))
    step = len(body) // 50 + 1
    for place in range(0, len(body), step):
        connection.sendall(body[place:place + step])
        # Too many uploads at once are refused before they are read.
        if select.select([connection], [], [], 0.2)[0]:
            break
    return receive(connection)


def damaged(connection, number):
    contents, _ = scans[number % len(scans)]
    body = form("scan.nii.gz", contents)
    kinds = [
        lambda: head(len(body) // 2) + body[:len(body) // 2],
        lambda: head(len(body), kind="multipart/form-data; boundary=another") + body,
        lambda: head(len(body), kind="multipart/form-data") + body,
        lambda: [head(len(other)) + other for other in [form("scan.nii.gz", contents[:len(contents) // 2])]][0],
        lambda: [head(len(other)) + other for other in [form("../../etc/passwd", os.urandom(5000))]][0],
        lambda: head(len(body), "/infer/another") + body,
        lambda: b"GET /info/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 50000 + b"\r\n\r\n",
        lambda: head(-5) + body,
    ]
    connection.sendall(kinds[number % len(kinds)]())
    return receive(connection)


def huge(connection, number):
    """Five GB of zeros, by length or in chunks, until the answer is there."""
    chunked = number % 2 == 0
    connection.sendall(head(None if chunked else 5 * 10 ** 9))
    piece = form("scan.nii.gz", b"", end=False)
    for _ in range(5000):
        try:
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        except (BrokenPipeError, ConnectionResetError):
            break
        if select.select([connection], [], [], 0)[0]:
            break
        piece = bytes(10 ** 6)
    return receive(connection)


results, lock, barrier = [], threading.Lock(), threading.Barrier(sum(COUNTS.values()))


def request(kind, number):
    expected = scans[number % len(scans)][1]
    barrier.wait()
    begin, again, status, wrong = time.monotonic(), 0, None, None
    try:
        while True:
            with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
                status, headers, body = globals()[kind](connection, number)
            if status != 503 or time.monotonic() - begin > SECONDS:
                break
            again += 1
            time.sleep(int(headers[b"retry-after"]))
        if kind in ("good", "slow"):
            if status != 200 or hashlib.sha256(body).hexdigest() != expected:
                wrong = "status %s, another mask or none: %s" % (status, body[:200])
        elif not 400 <= status < 500 or kind == "huge" and status != 413:
            wrong = "status %s: %s" % (status, body[:200])
    except (OSError, Lost, KeyError) as error:
        wrong = "%s: %s" % (type(error).__name__, error)
    with lock:
        results.append((kind, time.monotonic() - begin, again, status, wrong))


def memory():
    with open("/proc/%d/status" % process.pid) as file:
        return int(re.search(r"VmHWM:\s+(\d+) kB", file.read()).group(1)) << 10


scans = volumes()
if not scans:
    sys.exit("%s: there is no volume (.nii.gz) in this folder." % data)
process, port = start()
try:
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as first:
        status, _, body = good(first, 0)
    if status != 200 or hashlib.sha256(body).hexdigest() != scans[0][1]:
        failures.append("the first request got status %d, or another mask than that of predict" % status)
    before = memory()
    threads = [threading.Thread(target=request, args=(kind, number)) for kind, count in COUNTS.items() for number in range(count)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - begin
    after = memory()
    # Uploads go with the answers.
    for _ in range(100):
        left = [name for _, _, names in os.walk(own) for name in names]
        if not left:
            break
        time.sleep(0.1)
    if left:
        failures.append("%d uploads stayed" % len(left))
finally:
    process.send_signal(signal.SIGTERM)
    try:
        code = process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        code = "none within 60 s"
if code != 0:
    failures.append("the server's exit status is %s" % code)
if os.listdir(own):
    failures.append("the server left %s" % os.listdir(own))
if after - before > MEMORY:
    failures.append("memory grew by %d MiB, more than %d" % ((after - before) >> 20, MEMORY >> 20))
if len(results) != len(threads):
    failures.append("%d requests have no result" % (len(threads) - len(results)))
failures += ["%s: %s" % (kind, wrong) for kind, _, _, _, wrong in results if wrong]
print("%-8s %8s %10s %11s %6s  %s" % ("kind", "requests", "median, s", "largest, s", "again", "statuses"))
for kind in COUNTS:
    rows = [row for row in results if row[0] == kind]
    statuses = sorted({str(row[3]) for row in rows})
    counts = ", ".join("%s × %d" % (one, sum(str(row[3]) == one for row in rows)) for one in statuses)
    print("%-8s %8d %10.2f %11.2f %6d  %s" % (kind, len(rows), statistics.median(row[1] for row in rows),
                                               max(row[1] for row in rows), sum(row[2] for row in rows), counts))
print("%.1f s in all; memory %d MiB after one request, %d MiB at most (bound: %d MiB more)"
      % (seconds, before >> 20, after >> 20, MEMORY >> 20))
for failure in failures[:20]:
    print("failed: " + failure)
sys.exit(bool(failures))
