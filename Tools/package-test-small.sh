#!/usr/bin/env bash
# A smaller form of package-test.sh, for every commit: packs the debug build, and runs it from a path with a blank, by another
# account, without HOME, where it can write to one folder alone. Its phantom and weights must be the build tree's to the byte.
#
#   Tools/package-test-small.sh [BINARY]
#
# Needs root, and the manual pages of make man.
set -euo pipefail
export LC_ALL=C
umask 022
cd "$(dirname "$0")/.."
binary=$(readlink -f "${1:-.build/debug/dualnorm}")

say() { echo "package-test: $*"; }
fail() { echo "package-test: $*" >&2; exit 1; }

[ "$(id -u)" -eq 0 ] || fail "it needs root, for another account; run: sudo make test-package-small"
# Containers of some services have no such rights.
unshare --mount true 2>/dev/null || { say "left out, since no view of the system can be made here (unshare)."; exit 0; }
[ -x "$binary" ] || fail "$binary is no program; run swift build first."

place=$(mktemp -d /tmp/package-test.XXXXXX)  # where another account may come
chmod 755 "$place"
trap 'rm -rf --one-file-system "$place"' EXIT
DUALNORM_DIST="$place/dist" ZSTD_LEVEL=1 Tools/package.sh tar "$binary" || fail "it cannot be packed; the message is above."
mkdir "$place/a place" "$place/built" "$place/found"
chown 4321:4321 "$place/found"
zstd -dc "$place"/dist/*.tar.zst | tar -C "$place/a place" -x
rm -rf "$place/dist"
program=$(ls "$place"/a\ place/*/bin/dualnorm)

# A view of the system that nobody writes to, but for one folder.
inside() { # folder, words
  unshare --mount bash -ec 'mount --bind "$0" "$0"; mount -o remount,bind,ro /; cd "$0"; exec setpriv --reuid 4321 --regid 4321 \
    --clear-groups env -i OMP_WAIT_POLICY=passive "$@"' "$@"
}
said=$(inside "$place/found" "$program" --version) || fail "the unpacked program does not start."
say "it says: $said"
if inside "$place/found" touch "$place/written" 2>/dev/null; then fail "the account can write outside its folder."; fi
[[ "$said" = "dualnorm "*" (commit "*", LibTorch "*")" && "$said" != *unknown* ]] || fail "--version lacks the commit or LibTorch."

walk() { # words before the program's arguments
  "$@" phantom --output data --size 32x32x4 --cases 2 --sites 2 --quiet >/dev/null &&
    "$@" train --data data --output run --width 4 --iterations 4,2 --batch-size 2 --validate-every 2 --threads 1 --quiet
}
walk inside "$place/found" "$program" || fail "the walk ended in the package."
(cd "$place/built" && walk env -i OMP_WAIT_POLICY=passive "$binary") || fail "the walk ended with $binary."
results() { (cd "$1" && find data run/model.safetensors -type f -print0 | sort -z | xargs -0 sha256sum); }
diff <(results "$place/built") <(results "$place/found") >&2 || fail "the files above differ from the build tree's."
say "$(results "$place/found" | wc -l) files are the build tree's to the byte"
