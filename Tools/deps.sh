#!/usr/bin/env bash
# Gets LibTorch (from the PyPI wheel), ITK, DCMTK (both from apt or Homebrew) and libcurl (apt; macOS has it). Links the first
# three under .deps/.
# Idempotent: what is there and complete is not fetched again. `--cuda` adds LibTorch's CUDA half. `--tests` gets nothing but
# programs of a few tests, which are skipped without them: a browser, a reader of PDF and a DICOM server with DICOMweb.
# LibTorch's checksums are in Tools/libtorch.txt; apt and Homebrew verify what they fetch themselves.
set -euo pipefail
cd "$(dirname "$0")/.."

torch_version=$(awk '$3 == "torch" { print $4; exit }' Tools/libtorch.txt)
cache="${DUALNORM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dualnorm}"
half=cpu
[ "${1:-}" = "--cuda" ] && half=cuda

say() { echo "deps: $*"; }
fail() { echo "deps: $*" >&2; exit 1; }

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

find_curl() {
  [ "$(uname -s)" = Darwin ] && return
  local folder
  for folder in /usr/include "/usr/include/$(uname -m)-linux-gnu"; do
    [ -e "$folder/curl/curl.h" ] && return
  done
  return 1
}

# Services that a package starts must not keep the lock, hence 9>&-.
install_package() { # name, Homebrew's formula, Debian's package
  if [ "$(uname -s)" = Darwin ]; then
    command -v brew >/dev/null || fail "$1 was not found and neither was Homebrew; install Homebrew, then run: brew install $2"
    say "installing $1 with Homebrew"
    brew install "$2" 9>&- || fail "Homebrew could not install $2; see its message above."
    return
  fi
  command -v apt-get >/dev/null || fail "$1 was not found and neither was apt-get; install $1 with its headers (Debian's package is $3) under /usr, then run make deps again."
  local root=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "$1 was not found, and installing it needs root or sudo; ask an administrator to run: apt-get install $3"
    root=sudo
  fi
  say "installing $3 with apt-get"
  $root apt-get update -qq 9>&- || fail "apt-get update failed; see its message above."
  $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$3" >/dev/null 9>&- ||
    fail "apt-get could not install $3; see its message above."
}

stop_service() { # Debian's packages start what they install
  command -v systemctl >/dev/null || return 0
  local root=""
  [ "$(id -u)" -eq 0 ] || root=sudo
  $root systemctl disable --now "$1" >/dev/null 2>&1 || say "the service $1 may be running; the tests need none."
}

if [ "${1:-}" = "--tests" ]; then
  [ "$(uname -s)" = Linux ] || exit 0
  # Ubuntu's chromium is no package of its own.
  [ -x /usr/bin/chromium ] || (install_package Chromium "" chromium) || say "without /usr/bin/chromium its tests are skipped."
  [ -x /usr/bin/pdftotext ] || (install_package pdftotext "" poppler-utils) || say "without /usr/bin/pdftotext its test is skipped."
  [ -x /usr/sbin/Orthanc ] || (install_package Orthanc "" orthanc && stop_service orthanc) ||
    say "without /usr/sbin/Orthanc its tests are skipped."
  [ -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so ] || (install_package "Orthanc's DICOMweb" "" orthanc-dicomweb) ||
    say "without Orthanc's DICOMweb its tests are skipped."
  [ -x /usr/bin/storescp ] || (install_package "DCMTK's programs" "" dcmtk) ||
    say "without /usr/bin/storescp its tests are skipped."
  exit
fi

command -v swift >/dev/null || fail "swift was not found; install Swift 6.1 or newer and put it on PATH."

command -v python3 >/dev/null || fail "python3 was not found; it fetches LibTorch. Install it, for example: apt-get install python3 python3-pip"

mkdir -p "$cache" 2>/dev/null || fail "$cache cannot be made; make its parent writable, or set DUALNORM_CACHE to a folder elsewhere."
# All checkouts share the cache: one run at a time, to the end of this one. A cache that nobody may write needs no lock.
lock=9
{ exec 9>>"$cache/lock"; } 2>/dev/null || lock=
libtorch="$cache/libtorch-$torch_version"
python3 Tools/libtorch.py "$libtorch" "$(uname -s)-$(uname -m)" "$half" $lock
if ! find_itk >/dev/null; then install_package "ITK 5" itk libinsighttoolkit5-dev; fi
if ! find_dcmtk >/dev/null; then install_package DCMTK dcmtk libdcmtk-dev; fi
if ! find_curl; then install_package libcurl curl libcurl4-openssl-dev; fi
read -r include folder suffix extension <<<"$(find_itk)" || true
[ -n "${include:-}" ] || fail "ITK 5 is installed but its headers or libraries were not found under /usr."

# .deps/ hides versions and places from Package.swift.
mkdir -p .deps/itk/lib
ln -sfn "$libtorch" .deps/libtorch
ln -sfn "$include" .deps/itk/include
for library in "$folder"/lib*-"$suffix.$extension"; do
  name=${library##*/}
  ln -sfn "$library" ".deps/itk/lib/${name%-"$suffix.$extension"}.$extension"
done
read -r dcmtk_include dcmtk_folder dcmtk_extension <<<"$(find_dcmtk)" || true
[ -n "${dcmtk_include:-}" ] || fail "DCMTK is installed but its headers or libraries were not found under /usr."
mkdir -p .deps/dcmtk/include .deps/dcmtk/lib
ln -sfn "$dcmtk_include" .deps/dcmtk/include/dcmtk
ln -sf "$dcmtk_folder"/lib{dcm,of}*."$dcmtk_extension" .deps/dcmtk/lib/
# ITK brings libjpeg and libpng; Homebrew keeps them where compilers do not look.
if [ "$(uname -s)" = Darwin ]; then
  ln -sfn "$(brew --prefix jpeg-turbo)" .deps/jpeg
  ln -sfn "$(brew --prefix libpng)" .deps/png
fi
say "LibTorch $torch_version in $libtorch, ITK $suffix in $include, DCMTK in $dcmtk_include"
