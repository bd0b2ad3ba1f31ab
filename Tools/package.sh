#!/usr/bin/env bash
# Packs the release binary with all libraries it needs but glibc, their licences, manual pages and completions.
#
#   Tools/package.sh tar|deb|image|install... [BINARY]
#
# tar, deb and image write to dist, each with a SHA-256 beside it; install copies to $DESTDIR$PREFIX. The same commit and
# binary give the same bytes. DUALNORM_DIST is another folder than dist, and DUALNORM_SCRATCH another than .build, which holds
# man/ and checkouts/. SOURCE_DATE_EPOCH and DUALNORM_COMMIT are for sources outside git.
set -euo pipefail
export LC_ALL=C TZ=UTC
umask 022
cd "$(dirname "$0")/.."

say() { echo "package: $*"; }
fail() { echo "package: $*" >&2; exit 1; }

forms=()
while [[ "${1:-}" =~ ^(tar|deb|image|install)$ ]]; do forms+=("$1"); shift; done
[ ${#forms[@]} -gt 0 ] && [ $# -le 1 ] || fail "usage is Tools/package.sh tar|deb|image|install... [BINARY]"
binary="${1:-.build/release/dualnorm}"
scratch="${DUALNORM_SCRATCH:-.build}"
dist="${DUALNORM_DIST:-dist}"
[ "$(uname -s)" = Linux ] || fail "packages are made on Linux, not on $(uname -s)."
[ -x "$binary" ] || fail "$binary is no program; run make build first."
for tool in patchelf strip readelf zstd tar python3 dpkg; do
  command -v $tool >/dev/null || fail "$tool was not found; install it, for example: apt-get install patchelf binutils zstd tar python3 dpkg"
done
ls "$scratch"/man/man1/dualnorm*.1 >/dev/null 2>&1 || fail "$scratch/man has no manual pages; run make man first."

version=$(sed -n 's/^package let programVersion = "\(.*\)"$/\1/p' Sources/Basics/ProgramVersion.swift)
[ -n "$version" ] || fail "Sources/Basics/ProgramVersion.swift names no version."
commit="${DUALNORM_COMMIT:-$(git rev-parse --short=7 HEAD 2>/dev/null)}" || fail "no commit is known; set DUALNORM_COMMIT."
[ -n "${DUALNORM_COMMIT:-}" ] || git diff-index --quiet HEAD || commit="$commit+changes"
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null)}" ||
  fail "the commit has no date; set SOURCE_DATE_EPOCH."
machine=$(uname -m)
name="dualnorm-$version-linux-$machine"
stage="$scratch/package"
tree="$stage/$name"

# Debian's name of the package that has a file. Its list may name /lib or /usr/lib, which are one folder.
package_of() {
  local file
  file=$(readlink -f "$1")
  dpkg -S "$file" 2>/dev/null || dpkg -S "${file#/usr}" 2>/dev/null || dpkg -S "/usr$file" 2>/dev/null
}

licenses="$tree/share/doc/dualnorm/licenses"
license() { # folder, files
  local folder="$licenses/$1"
  shift
  [ -e "$1" ] || fail "$1, a licence, was not found."
  mkdir -p "$folder"
  cp -Lr "$@" "$folder/"
}

# Where a library is from. Its licence is copied.
source_of() { # path that ldd found
  local file package folder
  file=$(readlink -f "$1")
  case "$file" in
    */torch/lib/*) license LibTorch "${file%/torch/lib/*}"/torch-*.dist-info/licenses/*; echo "LibTorch's wheel"; return ;;
    */nvidia/*)
      for folder in "${file%/nvidia/*}"/nvidia_*.dist-info; do
        license "$(basename "${folder%-*.dist-info}" | tr _ -)" "$folder"/licenses/*
      done
      echo "NVIDIA's wheels"; return ;;
    */usr/lib/swift/linux/*) license Swift "${file%/lib/swift/linux/*}/share/swift/LICENSE.txt"; echo "Swift's toolchain"; return ;;
  esac
  package=$(package_of "$1") || fail "no package has $file, so its licence is unknown."
  package=${package%%:*}
  license "Debian/$package" "/usr/share/doc/$package/copyright"
  echo "Debian's $package $(dpkg-query -W -f '${Version}\n' "$package" | head -n 1)"
}

copy_libraries() {
  local library path from
  mkdir -p "$tree/lib"
  ldd "$binary" >"$stage/ldd"
  if grep "not found" "$stage/ldd" >&2; then fail "$binary lacks the libraries above; run make build again."; fi
  # glibc is the system's: it and its loader belong together.
  awk '$2 == "=>" && $1 !~ /^(ld-linux|lib(c|m|dl|rt|pthread|util|resolv|anl|mvec)\.so)/ { print $1, $3 }' "$stage/ldd" |
    sort -u >"$stage/libraries"
  while read -r library path; do
    from=$(source_of "$path")
    printf '%-42s %s\n' "$library" "$from" >>"$licenses/libraries.txt"
    cp -L "$path" "$tree/lib/$library"
    chmod 644 "$tree/lib/$library"
    [ "$from" = "NVIDIA's wheels" ] && continue # their licence forbids changes, and they need nothing but glibc
    strip --strip-unneeded "$tree/lib/$library"
    patchelf --force-rpath --set-rpath '$ORIGIN' "$tree/lib/$library"
  done <"$stage/libraries"
}

copy_licenses() {
  local folder text
  license LibTorch Tools/licenses/intel-mkl.txt # inside libtorch_cpu.so; the wheel lacks its text
  printf '\nThe program has parts of Swift packages inside, libtorch_cpu.so has Intel oneMKL. libgomp.so.1 is GCC'"'"'s, under the\n%s\n' \
    "terms in Debian/libgcc-s1: the GPL 3 with the GCC Runtime Library Exception." >>"$licenses/libraries.txt"
  ls -d "$scratch"/checkouts/*/ >/dev/null 2>&1 || fail "$scratch/checkouts has no Swift packages; run make build first."
  for folder in "$scratch"/checkouts/*/; do
    [[ "$folder" = */swift-docc-* ]] || license "Swift packages/$(basename "$folder")" "$folder"/LICENSE*
  done
  # Texts that Debian's files only name, such as the GPL's.
  grep -rhoE '/usr/share/common-licenses/[A-Za-z0-9.-]*[A-Za-z0-9]' "$licenses/Debian" | sort -u | while read -r text; do
    if [ -e "$text" ]; then license Debian/common-licenses "$text"; fi
  done
}

# bin, lib and share in one folder. The libraries' own path goes before LD_LIBRARY_PATH, which many clusters set.
make_tree() {
  local shell page
  rm -rf "$stage"
  mkdir -p "$tree/bin" "$tree/share/dualnorm" "$tree/share/man/man1" "$licenses"
  copy_libraries
  copy_licenses
  cp -L "$binary" "$tree/bin/dualnorm"
  chmod 755 "$tree/bin/dualnorm"
  strip --strip-unneeded "$tree/bin/dualnorm"
  patchelf --force-rpath --set-rpath '$ORIGIN/../lib' "$tree/bin/dualnorm"
  echo "$commit" >"$tree/share/dualnorm/build"

  # DCMTK reads implicit value representations and writes segmentations by these alone.
  local dictionaries
  dictionaries=$(dirname "$(dpkg -L "$(sed -n 's/.*Debian.s \(libdcmtk[0-9]*\) .*/\1/p' "$licenses/libraries.txt" | head -n 1)" |
    grep '/dicom\.dic$')") 2>/dev/null || fail "DCMTK's dictionary dicom.dic was not found in its package."
  cp "$dictionaries/dicom.dic" "$dictionaries/private.dic" "$tree/share/dualnorm/"

  for page in "$scratch"/man/man1/*.1; do # a page has the day it was made
    sed "s/^\.Dd .*/.Dd $(date -d "@$SOURCE_DATE_EPOCH" '+%B %-d, %Y')/" "$page" >"$tree/share/man/man1/${page##*/}"
  done
  for shell in bash-completion/completions/dualnorm zsh/site-functions/_dualnorm fish/vendor_completions.d/dualnorm.fish; do
    mkdir -p "$tree/share/${shell%/*}"
    "$tree/bin/dualnorm" --generate-completion-script "$(sed 's/[-/].*//' <<<"$shell")" >"$tree/share/$shell" ||
      fail "the packed program does not run; its message is above."
  done
  cp -r README.md LICENSE CHANGELOG.md CONTRIBUTING.md CITATION.cff docs Examples "$tree/share/doc/dualnorm/"
  rm -rf "$tree/share/doc/dualnorm/Examples/.build" "$tree/share/doc/dualnorm/Examples/Python/__pycache__"
  ln -s share/doc/dualnorm/README.md share/doc/dualnorm/LICENSE "$tree/"
  check_tree
  find "$stage" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

check_tree() {
  local outside
  outside=$(env -i ldd "$tree/bin/dualnorm" "$tree"/lib/*.so* |
    awk '$2 == "=>" && $1 !~ /^(ld-linux|lib(c|m|dl|rt|pthread|util|resolv)\.so)/ { print $1 }' |
    sort -u | while read -r library; do [ -e "$tree/lib/$library" ] || echo "$library"; done)
  [ -z "$outside" ] || fail "libraries outside the package are needed: $(tr '\n' ' ' <<<"$outside")"
}

glibc() { # the newest version of its symbols that the tree needs
  readelf -VW "$tree/bin/dualnorm" "$tree"/lib/*.so* | grep -oE 'GLIBC_[0-9.]+' | sort -uV | tail -n 1 | sed 's/GLIBC_//'
}

# The tree below a prefix. Its libraries stay in a folder of their own: beside others they would replace the system's.
install_tree() { # destination, folder of zsh's completions
  local place="$1"
  mkdir -p "$place/lib" "$place/bin" "$place/share"
  rm -rf "$place/lib/dualnorm"
  mkdir -p "$place/lib/dualnorm/share"
  cp -a "$tree/bin" "$tree/lib" "$place/lib/dualnorm/"
  cp -a "$tree/share/dualnorm" "$place/lib/dualnorm/share/"
  ln -sfn ../lib/dualnorm/bin/dualnorm "$place/bin/dualnorm"
  rm -rf "$place/share/doc/dualnorm"
  (cd "$tree/share" && find . -type f ! -path './dualnorm/*' -print) | while read -r file; do
    local target="$place/share/${file/zsh\/site-functions/zsh/$2}"
    mkdir -p "$(dirname "$target")"
    cp -p "$tree/share/$file" "$target"
  done
}

sum() { # file of dist
  (cd "$dist" && sha256sum "$1" >"$1.sha256")
  say "$dist/$1: $(stat -c %s "$dist/$1" | awk '{ printf "%.0f MB", $1 / 1e6 }'), SHA-256 $(cut -c 1-64 "$dist/$1.sha256")"
}

make_tar() {
  tar --create --directory "$stage" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
    --format=gnu --mode=u=rwX,go=rX "$name" | zstd -q -T1 -"${ZSTD_LEVEL:-3}" -f -o "$dist/$name.tar.zst"
  sum "$name.tar.zst"
}

make_deb() {
  command -v dpkg-deb >/dev/null || fail "dpkg-deb was not found; install Debian's package dpkg."
  local root="$stage/deb" package
  package="dualnorm_${version}_$(dpkg --print-architecture).deb"
  rm -rf "$root"
  install_tree "$root/usr" vendor-completions
  gzip -9n "$root"/usr/share/man/man1/*.1
  mv "$root/usr/share/doc/dualnorm/LICENSE" "$root/usr/share/doc/dualnorm/copyright"
  mkdir "$root/DEBIAN"
  (cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
  cat >"$root/DEBIAN/control" <<CONTROL
Package: dualnorm
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: DualNorm contributors
Installed-Size: $(du -sk --apparent-size "$root/usr" | cut -f 1)
Depends: libc6 (>= $(glibc))
Section: science
Priority: optional
Description: segmentation of medical images that holds up across hospitals
 Trains and runs networks with dual normalization, and scores them by site.
 All libraries but glibc are inside, in /usr/lib/dualnorm.
CONTROL
  find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  dpkg-deb --root-owner-group -Zzstd -z"${ZSTD_LEVEL:-3}" --threads-max=1 --build "$root" "$dist/$package" >/dev/null ||
    fail "dpkg-deb made no package; see its message above."
  rm -rf "$root"
  sum "$package"
}

# An image has no system below it, so that glibc and its loader are inside.
make_image() {
  local root="$stage/image" library path
  rm -rf "$root"
  mkdir -p "$root/opt" "$root/usr/bin" "$root/tmp" "$root/work" "$root/etc"
  chmod 1777 "$root/tmp" "$root/work"
  cp -a "$tree" "$root/opt/dualnorm"
  ln -s /opt/dualnorm/bin/dualnorm "$root/usr/bin/dualnorm"
  echo "root:x:0:0:root:/tmp:/usr/bin/dualnorm" >"$root/etc/passwd"
  ldd "$tree/bin/dualnorm" | grep -oE '/[^ ]*/(ld-linux|lib(c|m|dl|rt|pthread|util|resolv)\.so)[^ ]*' | sort -u | while read -r path; do
    [[ "$path" = /lib64/* || "$path" = /lib/* ]] || path="/lib/${path#*/lib/}"
    mkdir -p "$root${path%/*}"
    cp -L "$path" "$root$path"
  done
  mkdir -p "$root/opt/dualnorm/share/doc/dualnorm/licenses/Debian/libc6"
  cp /usr/share/doc/libc6/copyright "$root/opt/dualnorm/share/doc/dualnorm/licenses/Debian/libc6/"
  python3 Tools/oci_image.py "$root" "$dist/$name.oci.tar" "$version" "$SOURCE_DATE_EPOCH" ||
    fail "no image was made; see the message above."
  rm -rf "$root"
  sum "$name.oci.tar"
}

install_here() {
  local place="${DESTDIR:-}${PREFIX:-/usr/local}"
  mkdir -p "$place" 2>/dev/null && [ -w "$place" ] || fail "$place cannot be written; give PREFIX, such as make install PREFIX=\$HOME/.local"
  install_tree "$place" site-functions
  say "$place/bin/dualnorm is installed; its libraries are in $place/lib/dualnorm"
}

make_tree
say "$tree: $(du -sb "$tree" | awk '{ printf "%.0f MB", $1 / 1e6 }'), $(wc -l <"$stage/libraries") libraries, for glibc $(glibc) or newer"
mkdir -p "$dist"
for form in "${forms[@]}"; do
  case $form in
    tar) make_tar ;;
    deb) make_deb ;;
    image) make_image ;;
    install) install_here ;;
  esac
done
