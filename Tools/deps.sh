#!/usr/bin/env bash
# Gets LibTorch (from the PyPI wheel), ITK and DCMTK (both from apt or Homebrew) and links them under .deps/.
# Idempotent: what is there and complete is not fetched again. `--cuda` adds LibTorch's CUDA half.
set -euo pipefail
cd "$(dirname "$0")/.."

torch_version=2.11.0
cache="${DUALNORM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dualnorm}"
cuda=no
[ "${1:-}" = "--cuda" ] && cuda=yes

say() { echo "deps: $*"; }
fail() { echo "deps: $*" >&2; exit 1; }

# name version python-tag platform sha256; the wheels are pinned, whatever Python is installed.
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64)
    wheels="torch $torch_version cp311 manylinux_2_28_x86_64 7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a
nvidia-cuda-runtime 13.0.96 py3 manylinux2014_x86_64 7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548
nvidia-cuda-cupti 13.0.85 py3 manylinux_2_25_x86_64 4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8" ;;
  # Written with care, not tested: their wheels carry no CUDA and are verified by pip alone.
  Linux-aarch64) wheels="torch $torch_version cp311 manylinux_2_28_aarch64 -" ;;
  Darwin-arm64) wheels="torch $torch_version cp311 macosx_11_0_arm64 -" ;;
  *) fail "no LibTorch for $(uname -s) on $(uname -m); DualNorm needs x86-64 or arm64 Linux, or macOS on Apple silicon." ;;
esac

need_python() {
  command -v python3 >/dev/null || fail "python3 was not found; it fetches LibTorch. Install it, for example: apt-get install python3 python3-pip"
  python3 -m pip --version >/dev/null 2>&1 || fail "python3 has no pip; it fetches LibTorch. Install it, for example: apt-get install python3-pip"
}

need_disk() { # MiB, folder, what for
  local free
  free=$(df -Pm "$2" | awk 'NR==2 {print $4}')
  [ "$free" -ge "$1" ] || fail "$2 has $free MiB free; $3 needs $1 MiB. Free some, or set DUALNORM_CACHE to a folder elsewhere."
}

# Unpacks from a wheel only what compiling and running on the CPU needs (about 0.5 GB of 1.3 GB).
unpack() { # wheel target
  python3 - "$1" "$2" "$cuda" <<'PY'
import re, sys, zipfile
wheel, target, cuda = sys.argv[1:]
keep = re.compile(r"torch/include/|torch/lib/(libtorch_cpu|libc10|libtorch|libgomp\.so\.1|libomp|libarm_compute.*|libopenblas.*|libgfortran.*)(\.so[.\d]*|\.dylib|$)"
                  r"|torch\.libs/|nvidia/cu13/lib/lib(cudart|cupti)\.so|.*/licenses/|.*LICENSE|.*NOTICE")
extra = re.compile(r"torch/lib/lib.*\.so|nvidia/.*/lib/.*\.so")
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if keep.match(name) or (cuda == "yes" and extra.match(name)):
            archive.extract(name, target)
PY
}

fetch_libtorch() { # target
  need_python
  mkdir -p "$cache"
  need_disk 1150 "$cache" "fetching LibTorch"
  local partial="$1.partial" downloads="$cache/downloads" file
  rm -rf "$partial" "$downloads"
  mkdir -p "$partial" "$downloads"
  while read -r name version tag platform checksum; do
    say "fetching $name $version for $platform"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --no-cache-dir \
      --python-version 3.11 --implementation "${tag%%[0-9]*}" --abi "$([ "$tag" = py3 ] && echo none || echo "$tag")" \
      --platform "$platform" --dest "$downloads" "$name==$version" </dev/null ||
      fail "pip could not fetch $name $version; see its message above. Check the network and the disk, then run make deps again."
    file=$(echo "$downloads/${name//-/_}"-*.whl)
    if [ "$checksum" != - ]; then
      python3 -c 'import hashlib, sys; sys.exit(hashlib.file_digest(open(sys.argv[1], "rb"), "sha256").hexdigest() != sys.argv[2])' "$file" "$checksum" 2>/dev/null ||
        echo "$checksum  $file" | sha256sum --check --status ||
        fail "the checksum of $(basename "$file") is not the expected $checksum; delete $downloads and run make deps again."
    fi
    unpack "$file" "$partial" || fail "$(basename "$file") could not be unpacked to $partial; is the disk full?"
    rm -f "$file"
  done <<<"$wheels"
  rm -rf "$downloads" "$1"
  mv "$partial" "$1"
}

fetch_cuda() { # target
  need_python
  need_disk 6000 "$cache" "LibTorch's CUDA half"
  say "fetching LibTorch's CUDA half (about 4.5 GB unpacked)"
  python3 -m pip install --quiet --disable-pip-version-check --no-cache-dir --only-binary=:all: --upgrade \
    --python-version 3.11 --target "$1" "torch==$torch_version" ||
    fail "pip could not fetch torch $torch_version with CUDA; see its message above."
  touch "$1/.cuda"
}

find_itk() { # prints "include-folder library-folder suffix" of the newest ITK 5
  local include suffix library folder
  if [ "$(uname -s)" = Darwin ]; then
    folder=$(brew --prefix itk 2>/dev/null) || return 1
    include=$(ls -d "$folder"/include/ITK-5.* 2>/dev/null | tail -n 1)
    [ -n "$include" ] && echo "$include $folder/lib ${include##*ITK-} dylib"
    return
  fi
  include=$(ls -d /usr/include/ITK-5.* 2>/dev/null | tail -n 1)
  [ -n "$include" ] || return 1
  suffix=${include##*ITK-}
  for folder in /usr/lib "/usr/lib/$(uname -m)-linux-gnu"; do
    library="$folder/libITKCommon-$suffix.so"
    [ -e "$library" ] && { echo "$include $folder $suffix so"; return; }
  done
  return 1
}

find_dcmtk() { # prints "include-folder library-folder suffix"
  local folder
  if [ "$(uname -s)" = Darwin ]; then
    folder=$(brew --prefix dcmtk 2>/dev/null) || return 1
    [ -e "$folder/include/dcmtk/dcmseg/segdoc.h" ] && echo "$folder/include/dcmtk $folder/lib dylib"
    return
  fi
  [ -e /usr/include/dcmtk/dcmseg/segdoc.h ] || return 1
  for folder in "/usr/lib/$(uname -m)-linux-gnu" /usr/lib; do
    [ -e "$folder/libdcmseg.so" ] && { echo "/usr/include/dcmtk $folder so"; return; }
  done
  return 1
}

install_package() { # name, Homebrew's formula, Debian's package
  if [ "$(uname -s)" = Darwin ]; then
    command -v brew >/dev/null || fail "$1 was not found and neither was Homebrew; install Homebrew, then run: brew install $2"
    say "installing $1 with Homebrew"
    brew install "$2" || fail "Homebrew could not install $2; see its message above."
    return
  fi
  command -v apt-get >/dev/null || fail "$1 was not found and neither was apt-get; install $1 with its headers (Debian's package is $3) under /usr, then run make deps again."
  local root=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "$1 was not found, and installing it needs root or sudo; ask an administrator to run: apt-get install $3"
    root=sudo
  fi
  say "installing $3 with apt-get"
  $root apt-get update -qq || fail "apt-get update failed; see its message above."
  $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$3" >/dev/null ||
    fail "apt-get could not install $3; see its message above."
}

command -v swift >/dev/null || fail "swift was not found; install Swift 6.1 or newer and put it on PATH."

libtorch="$cache/libtorch-$torch_version"
if [ ! -e "$libtorch/torch/include/ATen/ATen.h" ]; then fetch_libtorch "$libtorch"; fi
if [ "$cuda" = yes ] && [ ! -e "$libtorch/.cuda" ]; then fetch_cuda "$libtorch"; fi
if ! find_itk >/dev/null; then install_package "ITK 5" itk libinsighttoolkit5-dev; fi
if ! find_dcmtk >/dev/null; then install_package DCMTK dcmtk libdcmtk-dev; fi
read -r include folder suffix extension <<<"$(find_itk)" || true
[ -n "${include:-}" ] || fail "ITK 5 is installed but its headers or libraries were not found under /usr."

# .deps/ hides versions and places from Package.swift.
mkdir -p .deps/itk/lib
ln -sfn "$libtorch" .deps/libtorch
ln -sfn "$include" .deps/itk/include
for library in "$folder"/lib*-"$suffix.$extension"; do
  name=$(basename "$library")
  ln -sfn "$library" ".deps/itk/lib/${name%-"$suffix.$extension"}.$extension"
done
read -r dcmtk_include dcmtk_folder dcmtk_extension <<<"$(find_dcmtk)" || true
[ -n "${dcmtk_include:-}" ] || fail "DCMTK is installed but its headers or libraries were not found under /usr."
mkdir -p .deps/dcmtk/include .deps/dcmtk/lib
ln -sfn "$dcmtk_include" .deps/dcmtk/include/dcmtk
for library in "$dcmtk_folder"/lib{dcm,of}*."$dcmtk_extension"; do
  ln -sfn "$library" ".deps/dcmtk/lib/$(basename "$library")"
done
# ITK brings libjpeg and libpng; Homebrew keeps them where compilers do not look.
if [ "$(uname -s)" = Darwin ]; then
  ln -sfn "$(brew --prefix jpeg-turbo)" .deps/jpeg
  ln -sfn "$(brew --prefix libpng)" .deps/png
fi
say "LibTorch $torch_version in $libtorch, ITK $suffix in $include, DCMTK in $dcmtk_include"
