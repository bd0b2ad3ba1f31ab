#!/usr/bin/env bash
# Tests Tools/deps.sh and what it runs, on wheels of a few bytes and without a network, in a few seconds.
set -euo pipefail
tools=$(cd "$(dirname "$0")" && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir -p "$place/a checkout/Tools" "$place/wheels" "$place/modules"
cd "$place/a checkout"
cp "$tools"/{deps.sh,libtorch.py,environment.py,cache.py} Tools/

# Not a script that starts it, which takes longer than the rest.
python=$(python3 -c 'import sys; print(sys.executable)')
export PATH="${python%/*}:$PATH"
export DUALNORM_CACHE="$place/a cache" PYTHONPATH="$place/modules" PYTHONDONTWRITEBYTECODE=1
export FETCHED="$place/fetched" WHEELS="$place/wheels" SECONDS_OF_PIP=0
folder="$DUALNORM_CACHE/libtorch-1.0"
system="$(uname -s)-$(uname -m)"

# In pip's place: copies a wheel, slowly where told so, and writes down which.
cat >"$PYTHONPATH/pip.py" <<'PY'
import os, shutil, sys, time
if sys.argv[1] == "download":
    name = sys.argv[-1].split("==")[0]
    with open(os.environ["FETCHED"], "a") as file:
        file.write(name + "\n")
    time.sleep(float(os.environ["SECONDS_OF_PIP"]))
    shutil.copy(os.path.join(os.environ["WHEELS"], name + ".whl"), sys.argv[sys.argv.index("--dest") + 1])
PY
python3 - "$WHEELS" "$system" >Tools/libtorch.txt <<'PY'
import hashlib, sys, zipfile
wheels = {
    "torch": ("cpu", {"torch/include/a.h": 40, "torch/lib/libc10.so": 50, "torch/lib/libtorch_cuda.so": 60, "torch/x.py": 70}),
    "runtime": ("cpu", {"nvidia/cu13/lib/libcudart.so.13": 80}),
    "blas": ("cuda", {"nvidia/cu13/lib/libcublas.so.13": 90}),
}
for name, (half, files) in wheels.items():
    path = sys.argv[1] + "/" + name + ".whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, size in files.items():
            archive.writestr(file, "x" * size)
    print(sys.argv[2], half, name, "1.0 py3 any", hashlib.sha256(open(path, "rb").read()).hexdigest())
PY

checks=0
fail() {
  echo "deps-test: $*" >&2
  exit 1
}
same() { # what found expected
  [ "$2" = "$3" ] || fail "$1: found '$2', expected '$3'"
  checks=$((checks + 1))
}
run() { # command; leaves its output, errors and status, and what it fetched
  : >"$FETCHED"
  status=0
  "$@" >"$place/output" 2>"$place/errors" || status=$?
  output=$(<"$place/output")
  errors=$(<"$place/errors")
  fetched=$(<"$FETCHED")
  fetched=${fetched//$'\n'/ }
}
fetch() { # half; what Tools/deps.sh runs for LibTorch, without the rest
  run python3 Tools/libtorch.py "$folder" "$system" "$1" 9 9>>"$DUALNORM_CACHE/lock"
}
complete() { # what, sizes of its files
  local files=("$folder"/torch/*/* "$folder"/nvidia/*/*/*) left=("$DUALNORM_CACHE"/*)
  same "$1, status" "$status $errors" "0 "
  same "$1, files" "$(cat "${files[@]}" | wc -c | tr -d ' ') in ${#files[@]}" "${2:-170 in 3}"
  same "$1, leftovers" "${left[*]##*/}" "libtorch-1.0 lock"
}

run Tools/deps.sh
complete "first run"
same "first run" "$fetched" "torch runtime"
same "link" "$(readlink .deps/libtorch)" "$folder"
run Tools/deps.sh
complete "second run"
same "second run" "$fetched" ""

printf x >"$folder/torch/lib/libc10.so"
fetch cpu
complete "a short file"
same "a short file" "${output%%$'\n'*}" "deps: $folder/torch/lib/libc10.so has 1 bytes, not 50; LibTorch is fetched anew."

rm "$folder/torch/include/a.h" "$folder/torch/lib/libc10.so"
fetch cpu
complete "missing files"
same "missing files" "${output%%$'\n'*}" \
  "deps: $folder/torch/include/a.h is missing (the first of 2 wrong files); LibTorch is fetched anew."

printf '{"half": "cpu", ' >"$folder/complete.json"
fetch cpu
complete "a torn list"
same "a torn list" "${output%%$'\n'*}" "deps: $folder has no list of its files that can be read; LibTorch is fetched anew."

# A folder that a version without lists made, known by its names and sizes.
lines=$(printf '%s\n' "40 torch/include/a.h" "50 torch/lib/libc10.so" "80 nvidia/cu13/lib/libcudart.so.13")
earlier=$(python3 -c 'import hashlib, sys; print(hashlib.sha256((sys.argv[1] + "\n").encode()).hexdigest())' "$lines")
sed -i.bak "s/^EARLIER = .*/EARLIER = {\"$system 1.0\": \"$earlier\"}/" Tools/libtorch.py
rm "$folder/complete.json"
fetch cpu
complete "an earlier folder"
same "an earlier folder" "$fetched$(ls "$folder")" $'complete.json\nnvidia\ntorch'

# Whoever replaces a wheel is found out, and nothing of it stays.
cp "$WHEELS/runtime.whl" "$place/kept"
printf x >>"$WHEELS/runtime.whl"
rm "$folder/torch/lib/libc10.so"
fetch cpu
found=$(python3 -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$WHEELS/runtime.whl")
same "a wrong checksum" "$status $errors" "1 deps: runtime.whl has the SHA-256 $found, not $(awk '$3 == "runtime" { print $NF }' \
  Tools/libtorch.txt) as Tools/libtorch.txt says; run make deps again, or use another package index."
same "a wrong checksum, leftovers" "$(ls "$DUALNORM_CACHE")" $'libtorch-1.0\nlock'
mv "$place/kept" "$WHEELS/runtime.whl"
fetch cpu
complete "after a wrong checksum"

# Killed while pip runs, which goes on alone: the next run waits for it.
rm -r "$folder"
: >"$FETCHED"
SECONDS_OF_PIP=0.5 python3 Tools/libtorch.py "$folder" "$system" cpu 9 9>>"$DUALNORM_CACHE/lock" >/dev/null &
killed=$!
until [ -s "$FETCHED" ]; do sleep 0.02; done
{ kill -KILL "$killed" && wait "$killed"; } 2>/dev/null || true
[ -d "$folder.partial" ] || fail "a killed run left nothing half-made, so what follows tests nothing"
fetch cpu
complete "after a killed run"
same "after a killed run" "${output%%$'\n'*}" "deps: waiting for another process that fills $DUALNORM_CACHE"

rm -r "$folder"
SECONDS_OF_PIP=0.2 Tools/deps.sh >"$place/other" 2>&1 &
other=$!
SECONDS_OF_PIP=0.2 run Tools/deps.sh
wait "$other" || fail "two at once: $(cat "$place/other")"
complete "two at once"
same "two at once" "$(cat "$place/output" "$place/other" | grep -c 'fetching\|waiting')" 3

fetch cuda
complete "CUDA" "320 in 5"
same "CUDA" "${output%%$'\n'*}" "deps: $folder has only the half for the CPU; LibTorch is fetched anew."
fetch cpu
complete "the CPU's half of CUDA's" "320 in 5"
same "the CPU's half of CUDA's" "$fetched" ""
rm "$folder/nvidia/cu13/lib/libcublas.so.13"
fetch cpu
complete "CUDA stays" "320 in 5"

# Python environments: what the files of a package say of themselves is compared.
cp -R "$folder/torch" "$PYTHONPATH/torch"
mkdir "$PYTHONPATH/torch-1.0.dist-info"
printf 'Metadata-Version: 2.1\nName: torch\nVersion: 1.0\n' >"$PYTHONPATH/torch-1.0.dist-info/METADATA"
printf 'torch/include/a.h,,40\ntorch/compiled.pyc,,\n' >"$PYTHONPATH/torch-1.0.dist-info/RECORD"
printf 'torch==1.0 \\\n  --hash=sha256:0\nother==2.0 ; sys_platform == "none" \\\n  --hash=sha256:0\n' >"$place/requirements"
environment() { python3 Tools/environment.py --check "$place/requirements" || true; }
same "an environment" "$(environment)" ""
printf x >"$PYTHONPATH/torch/include/a.h"
same "a short file of a package" "$(environment)" "$PYTHONPATH/torch/include/a.h has 1 bytes, not 40"
rm "$PYTHONPATH/torch/include/a.h"
same "a missing file of a package" "$(environment)" "$PYTHONPATH/torch/include/a.h is missing"
sed -i.bak 's/1\.0/1.1/' "$place/requirements"
same "another version" "$(environment)" "torch is of version 1.0, not 1.1"

echo "deps-test: $checks checks passed"
