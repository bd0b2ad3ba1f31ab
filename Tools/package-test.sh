#!/usr/bin/env bash
# Tests the packages of `make package deb image` in a bare Debian: nothing of the toolchain, another account, a read-only root,
# a path with a blank, no HOME. Their demo, masks and weights must be the build tree's to the byte.
#
#   Tools/package-test.sh [BINARY]
#
# Needs root, debootstrap and umoci. The bare Debian is kept in the cache. FULL=1 runs the demo of the README, which takes
# minutes; otherwise a short one runs.
set -euo pipefail
export LC_ALL=C
umask 022
cd "$(dirname "$0")/.."
binary="${1:-.build/release/dualnorm}"
scratch="${DUALNORM_SCRATCH:-.build}"
cache="${DUALNORM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dualnorm}"
suite=bookworm
version=$(sed -n 's/^package let programVersion = "\(.*\)"$/\1/p' Sources/Basics/ProgramVersion.swift)
name="dualnorm-$version-linux-$(uname -m)"
deb="dualnorm_${version}_$(dpkg --print-architecture 2>/dev/null || true).deb"
demo="--iterations 40,20 --cases 2"
[ "${FULL:-}" = 1 ] && demo=""

say() { echo "package-test: $*"; }
fail() { echo "package-test: $*" >&2; exit 1; }
step() { say "$* (${SECONDS} s)"; }

[ "$(id -u)" -eq 0 ] || fail "it needs root, for debootstrap and chroot; run: sudo make test-package"
for tool in debootstrap umoci unshare chroot zstd; do
  command -v $tool >/dev/null || fail "$tool was not found; install it: apt-get install debootstrap umoci util-linux coreutils zstd"
done
[ -x "$binary" ] || fail "$binary is no program; run make build first."
binary=$(readlink -f "$binary")
for file in "$name.tar.zst" "$deb" "$name.oci.tar"; do
  [ -e "dist/$file" ] || fail "dist/$file was not found; run make package deb image first."
  (cd dist && sha256sum --quiet -c "$file.sha256") || fail "dist/$file is not what its SHA-256 says."
done

place=$(mktemp -d)
chmod 755 "$place"
trap 'rm -rf --one-file-system "$place"' EXIT

bare="$cache/bare-$suite-$(dpkg --print-architecture).tar"
if [ ! -e "$bare" ]; then
  step "making a bare Debian"
  mkdir -p "$cache"
  debootstrap --variant=minbase "$suite" "$place/bare" >"$place/log" 2>&1 ||
    fail "debootstrap made no Debian: $(tail -n 1 "$place/log")"
  rm -rf "$place"/bare/var/cache/apt/archives/*.deb
  tar -C "$place/bare" -cf "$place/bare.tar" .
  mv "$place/bare.tar" "$bare"
  rm -rf "$place/bare"
fi
fresh() { # folder: a new bare Debian with an account
  mkdir -p "$1"
  tar -C "$1" -xf "$bare" || fail "$bare is damaged; remove it."
  echo "reader:x:4321:4321::/nonexistent:/bin/sh" >>"$1/etc/passwd"
  mkdir -p "$1/data"
}

# A root that nobody writes to, but for /data; /proc is mounted, and the account has no HOME.
enter='set -e
root=$1; shift
mount --bind "$root" "$root"
mount --bind "$root.data" "$root/data"
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
'
inside() { # root, words
  unshare --mount --pid --fork bash -c "$enter"'exec chroot --userspec=4321:4321 "$root" /usr/bin/env -i "$@"' bash "$@"
}
writable() { # folder of a root
  mkdir -p "$1.data"
  chown 4321:4321 "$1.data"
}

# What a user does, in the folder at hand. The same text runs with both programs.
cat >"$place/walk" <<'WALK'
set -e
program=$1; shift
export OMP_WAIT_POLICY=passive
"$program" demo --output demo --quiet "$@" >table
"$program" check demo/data >checked
sed "s|$PWD/||" checked >check
"$program" predict --model demo/run --input demo/test/Site-A --output masks --quiet >volumes 2>warnings
"$program" predict --model demo/run --input series --output series.nii.gz --quiet 2>warnings
"$program" predict --model demo/run --input series --output series.dcm --quiet 2>warnings
"$program" report demo/evaluation --output page.html --quiet
WALK
results() { # folder: digests of all that has no time in it
  (cd "$1" && find table check masks series.nii.gz demo/data demo/test demo/run/model.safetensors demo/evaluation \
    -type f ! -name 'evaluation.json' -print0 | sort -z | xargs -0 sha256sum)
}
cp -r Tests/Fixtures/dicom/oblique "$place/series"
prepare() { cp -r "$place/series" "$1/series"; cp "$place/walk" "$1/walk"; chmod -R a+rX "$1"; }

step "unpacking $name.tar.zst into a bare Debian"
root="$place/root"
fresh "$root"
writable "$root"
mkdir "$root/opt/a place"
zstd -dc "dist/$name.tar.zst" | tar -C "$root/opt/a place" -x || fail "dist/$name.tar.zst cannot be unpacked."
program="/opt/a place/$name/bin/dualnorm"
said=$(inside "$root" "$program" --version) || fail "the unpacked program does not start."
say "it says: $said"
[[ "$said" = "dualnorm $version (commit "*", LibTorch "*")" && "$said" != *unknown* ]] ||
  fail "--version of the package says '$said', not dualnorm $version with its commit and LibTorch."

commit=$(git rev-parse --short=7 HEAD 2>/dev/null || echo "${DUALNORM_COMMIT:-unknown}")
[[ "$said" =~ \(commit\ $commit[,+] ]] || fail "dist holds packages of another commit than $commit; run make package deb image again."

# Libraries of a cluster's module must not come before the package's.
mkdir "$root.data/others"
for library in libc10.so libstdc++.so.6 libITKCommon-5.2.so.1; do echo no library >"$root.data/others/$library"; done
inside "$root" LD_LIBRARY_PATH=/data/others "$program" --version >/dev/null ||
  fail "with other libraries in LD_LIBRARY_PATH the package does not start."
if inside "$root" "$program" train --data /data/none --output /opt/run >"$place/said" 2>&1; then fail "train takes data that are not there."; fi
[ "$(grep -c '^Error: ' "$place/said")" = 1 ] || fail "an error is no sentence but '$(cat "$place/said")'"
# A user of a package has no Makefile.
if inside "$root" "$program" benchmark --device cuda >"$place/said" 2>&1; then fail "a bare Debian has CUDA's libraries."; fi
grep -q '; install PyTorch .* in LD_LIBRARY_PATH, or give --device cpu\.$' "$place/said" ||
  fail "the remedy for CUDA is not a package's: '$(cat "$place/said")'"

step "the walk in the bare Debian, demo included"
prepare "$root.data"
chown -R 4321:4321 "$root.data"
inside "$root" /bin/sh -c 'cd /data && exec sh walk "$@"' sh "$program" $demo >"$place/said" 2>&1 ||
  fail "the walk ended in the bare Debian: $(tail -n 3 "$place/said" "$root.data/warnings" 2>/dev/null | tr '\n' ' ')"
step "the same with the build tree's program"
mkdir "$place/built"
prepare "$place/built"
(cd "$place/built" && env -i sh walk "$binary" $demo) >"$place/said" 2>&1 ||
  fail "the walk ended with $binary: $(tail -n 3 "$place/said" "$place/built/warnings" 2>/dev/null | tr '\n' ' ')"
diff "$place/built/table" "$root.data/table" >&2 || fail "the demo's table above differs from the build tree's."
results "$place/built" >"$place/expected"
results "$root.data" >"$place/found"
diff "$place/expected" "$place/found" >&2 || fail "the files above differ from the build tree's."
[ "$(head -c 132 "$root.data/series.dcm" | tail -c 4)" = DICM ] || fail "predict wrote no DICOM segmentation."
cat "$root.data/table"
say "$(wc -l <"$place/found") files are the build tree's to the byte"
rm -rf "$root" "$root.data"

step "installing $deb by dpkg"
root="$place/debian"
fresh "$root"
writable "$root"
cp "dist/$deb" "$root/data/"
chroot "$root" dpkg -i "/data/$deb" >"$place/said" 2>&1 || fail "dpkg does not install $deb: $(tail -n 2 "$place/said")"
[ "$(inside "$root" dualnorm --version)" = "$said" ] || fail "the program of $deb gives another version than the archive's."
inside "$root" dualnorm phantom --output /data/phantom --size 32x32x4 --cases 2 --sites 2 --quiet >/dev/null ||
  fail "phantom fails in the program of $deb."
chroot "$root" dpkg --verify dualnorm >"$place/said" || fail "dpkg finds changed files of $deb: $(head -n 1 "$place/said")"
[ -e "$root/usr/share/bash-completion/completions/dualnorm" ] || fail "$deb holds no completions."
chroot "$root" dpkg -r dualnorm >"$place/said" 2>&1 || fail "dpkg does not remove the package: $(tail -n 1 "$place/said")"
[ ! -e "$root/usr/lib/dualnorm" ] && [ ! -e "$root/usr/bin/dualnorm" ] || fail "dpkg leaves files of the package behind."
rm -rf "$root" "$root.data"

step "unpacking $name.oci.tar by umoci"
mkdir "$place/layout"
tar -C "$place/layout" -xf "dist/$name.oci.tar"
umoci unpack --image "$place/layout:$version" "$place/bundle" >"$place/said" 2>&1 || fail "umoci does not read the image: $(tail -n 1 "$place/said")"
root="$place/bundle/rootfs"
grep -q '"/opt/dualnorm/bin/dualnorm"' "$place/bundle/config.json" || fail "the image starts another program."
mkdir "$root.data" "$root/proc" "$root/data"
chown 4321:4321 "$root.data"
# The image has no env of its own, and needs none.
contained() {
  unshare --mount --pid --fork bash -c "$enter"'exec env -i /usr/sbin/chroot --userspec=4321:4321 "$root" "$@"' bash "$root" \
    /opt/dualnorm/bin/dualnorm "$@"
}
[ "$(contained --version)" = "$said" ] || fail "the program of the image gives another version than the archive's."
contained phantom --output /data/phantom --size 32x32x4 --cases 2 --sites 2 --quiet >/dev/null || fail "phantom fails in the image."
rm -rf "$place/layout" "$place/bundle"

step "packing again, and installing to a path with a blank"
PREFIX="$place/a prefix" DUALNORM_DIST="$place/again" DUALNORM_SCRATCH="$scratch" Tools/package.sh tar install "$binary" >"$place/log" 2>&1 ||
  fail "it cannot be packed again: $(tail -n 1 "$place/log")"
cmp "dist/$name.tar.zst" "$place/again/$name.tar.zst" || fail "the same commit and program give another archive."
[ "$(env -i "$place/a prefix/bin/dualnorm" --version)" = "$said" ] || fail "the program of make install gives another version."
[ -z "$(find "$place/a prefix/lib" -maxdepth 1 -name '*.so*')" ] || fail "make install puts libraries where all programs find them."
step "all packages do what the build tree does"
