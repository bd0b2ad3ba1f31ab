#!/usr/bin/env bash
# Tests the two programs of Examples, which use the library from a package of their own: builds them with what the debug build
# of the library has, then runs them on small data. Needs the debug build of `dualnorm`, which it leaves as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

fail() {
  echo "examples-test: $*" >&2
  exit 1
}

# In the folder of the library's build: their own would compile the whole library again.
for product in Segment TrainOnArrays; do
  swift build --package-path Examples --scratch-path .build --product "$product" >"$place/build" 2>&1 || fail "$(cat "$place/build")"
done
built=.build/debug

# Discs of noise, which a few steps tell from the rest.
found=$("$built/TrainOnArrays") || fail "TrainOnArrays ended with status $?: $found"
for pass in first final; do
  awk -v pass="$pass" '$1 == pass && $2 == "pass:" && $3 == "Dice" && $4 > 0.7 && $4 <= 1 { good = 1 } END { exit !good }' \
    <<<"$found" || fail "TrainOnArrays: no Dice above 0.7 of the $pass pass in '$found'"
done

# A volume, and the scores that the command gives its mask.
dualnorm() { OMP_WAIT_POLICY=passive "$built/dualnorm" "$@" --quiet >"$place/output" || fail "dualnorm $1 ended with status $?"; }
dualnorm phantom --output "$place/data" --size 32x32x4 --cases 3 --sites 2
dualnorm train --data "$place/data" --output "$place/run" --width 4 --iterations 60,20 --batch-size 4 --learning-rate 0.02 \
  --augmentation none --validate-every 20 --precision float32 --threads 1
scan="$place/data/Site-A/Case00"
found=$("$built/Segment" "$place/run" "$scan.nii.gz" "${scan}_segmentation.nii.gz" "$place/mask.nii.gz") ||
  fail "Segment ended with status $?: $found"
dualnorm predict --model "$place/run" --input "$scan.nii.gz" --output "$place/expected.nii.gz"
cmp -s "$place/mask.nii.gz" "$place/expected.nii.gz" || fail "Segment writes another mask than dualnorm predict"
dualnorm score --prediction "$place/expected.nii.gz" --reference "${scan}_segmentation.nii.gz" --output "$place/scores.csv"
for label in 1 2; do
  dice=$(awk -F, -v label="$label" 'NR == 1 { for (i = 1; i <= NF; i++) place[$i] = i }
    NR > 1 && $place["label"] == label { printf "%.6f", $place["dice"] }' "$place/scores.csv")
  awk -v name="label $label" -v dice="$dice" 'index($0, name " Dice ") == 1 { found = $4 - dice < 1e-6 && dice - $4 < 1e-6 }
    END { exit !found }' <<<"$found" || fail "Segment: '$found' does not have Dice $dice of label $label"
done
"$built/Segment" "$place/run" "$place/none.nii.gz" "$place/none.nii.gz" "$place/out.nii.gz" 2>"$place/errors" &&
  fail "Segment takes a file that is not there"
grep -q "^Error: $place/none.nii.gz: " "$place/errors" || fail "Segment says '$(cat "$place/errors")' of a file that is not there"
echo "examples-test: both programs give what they should"
