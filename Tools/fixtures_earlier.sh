#!/bin/bash
# Makes Tests/Fixtures/earlier: files that a version before windows wrote, and what it made of them.
#
#     Tools/fixtures_earlier.sh DUALNORM
#
# DUALNORM is the path of a release binary of commit f571fc7. Networks have width 1, so that all files take 400 KB.
set -euo pipefail
dualnorm=$(realpath "$1")
folder=$(cd "$(dirname "$0")/.." && pwd)/Tests/Fixtures/earlier
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
network="--width 1 --reduction 1 --precision float32 --threads 1 --augmentation none --batch-size 4 --quiet"

"$dualnorm" phantom --output data --sites 2 --cases 3 --size 32x32x4 --classes 1 --quiet

# A finished run, the held-out cases in both passes, and one of them as predict has it.
"$dualnorm" train --data data --output run $network --learning-rate 0.02 --iterations 150,100 --averaging 0.9 \
  --validate-every 50 --dual-blocks inc,down1 --hold-out 0.3
"$dualnorm" evaluate --model run --data data --output evaluation --threads 1 --quiet
"$dualnorm" predict --model run --input data/Site-B/Case02.nii.gz --output mask.nii.gz --threads 1 --quiet

# A run from the weights of the first, stopped by Ctrl-C in its plain stage, and the end of its copy. A low rate keeps
# its numbers near those of other processors. Few weights are trained, since their moments take space.
rows() { { cat stopped/log.csv 2>/dev/null || true; } | wc -l; }
"$dualnorm" train --data data --output stopped $network --init run --learning-rate 0.002 --seed 3 --iterations 40,6 \
  --validate-every 10 --dual-blocks inc,down1 --no-deep-supervision \
  --freeze-except norm --freeze-except up4.block.conv_0.weight --freeze-except outc &
process=$!
while kill -0 $process 2>/dev/null && [ "$(rows)" -lt 24 ]; do sleep 0.01; done
kill -INT $process 2>/dev/null || true
status=0; wait $process || status=$?
[ $status = 130 ] || { echo "fixtures: the run was not stopped (exit code $status); run this again." >&2; exit 1; }
cp -r stopped ended
"$dualnorm" train --resume ended --quiet

# Options of every kind. The run that they start is thrown away.
"$dualnorm" phantom --output labels --sites 2 --cases 4 --size 32x32x4 --classes 3 --quiet
"$dualnorm" train --data labels --output options $network --recipe published --learning-rate 0.02 --iterations 1,1 \
  --norm in --dual-blocks mid,up1 --mask hard --mask-source uniform --local-statistics measured --context 1 \
  --window -100,900.5 --spacing 5,5.5 --size 48,32 --whitening volume --validation-fraction 0.3 --hold-out 0.25 \
  --schedule cosine --weight-decay 0.01 --loss batch-dice --deep-supervision --foreground-share 0.25 --averaging 0.5 \
  --augmentation rotation,gamma --zoom 1.5 --validate-every 1 --exclude-labels 3 --merge-labels 1,2 \
  --freeze-except outc --seed 12 --memory 0.5

# An experiment of two methods and two folds, and its table.
"$dualnorm" experiment cross-validate --data data --methods bn,dual --folds 2 --seeds 1 --output experiment $network \
  --learning-rate 0.02 --iterations 60,40 --validate-every 50 --seed 3
"$dualnorm" experiment table experiment > table.txt

# Files that no test reads are left out. Paths become those of a folder that is not there, /earlier.
rm -rf "$folder"; mkdir -p "$folder"
mkdir kept; cp -r data kept/data
for run in run stopped; do
  mkdir -p kept/$run/checkpoints
  cp $run/{config.yaml,model.json,splits.json,facts.json} kept/$run
done
cp run/model.safetensors kept/run
cp stopped/log.csv kept/stopped
cp stopped/checkpoints/{last,plain-best}.safetensors kept/stopped/checkpoints
rmdir kept/run/checkpoints
mkdir kept/evaluation
cp -r evaluation/{predictions,first-pass,scores.csv} kept/evaluation
cp mask.nii.gz kept/evaluation/predict.nii.gz
mkdir kept/ended; cp ended/log.csv kept/ended
cp options/config.yaml kept/options.yaml
mkdir kept/experiment
cp experiment/{experiment.yaml,training.yaml,splits_final.json,facts.json,summary.md} table.txt kept/experiment
(cd experiment && find cells -name results.csv -o -name model.json) | while read -r file; do
  mkdir -p "kept/experiment/$(dirname "$file")"; cp "experiment/$file" "kept/experiment/$file"
done
grep -rlI "$work" kept | while read -r file; do sed -i "s|$work|/earlier|g" "$file"; done

# Each tensor's first number at the end, and the root of its mean square.
python3 - ended/model.safetensors kept/ended/weights.csv <<'PYTHON'
import array, json, struct, sys

with open(sys.argv[1], "rb") as file:
    data = file.read()
size = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + size])
with open(sys.argv[2], "w") as table:
    table.write("name,first,root_mean_square\n")
    for name in sorted(header.keys() - {"__metadata__"}):
        if header[name]["dtype"] == "F32":
            start, end = header[name]["data_offsets"]
            values = array.array("f", data[8 + size + start:8 + size + end])
            mean = (sum(value * value for value in values) / len(values)) ** 0.5
            table.write(f"{name},{values[0]:.7g},{mean:.7g}\n")
PYTHON
cp -r kept/. "$folder"
du -sb "$folder"
