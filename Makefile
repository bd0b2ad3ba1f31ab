# make demo: see it work. make test: all tests. Both get LibTorch and ITK first.
.PHONY: demo build test test-fast test-export fuzz sanitize bench bench-files bench-env compare compare-env test-env \
  load-test deps deps-cuda lint reference docs man package deb image install test-package test-package-small fixtures \
  fixtures-like fixtures-segmentations fixtures-nnunet clean

# The folder of the reference network in PyTorch, which benchmarks and fixtures run.
REFERENCE = Tools/reference
SWIFT_BUILD = swift build -c release
# The tests and the programs they run. `swift build --build-tests` may also compile all programs of other packages, such as
# protoc and its 293 files.
TEST_BUILD = swift build --product dualnorm && swift build --product command-server && swift build --product DualNormPackageTests

demo: build
	.build/release/dualnorm demo

build: deps
	$(SWIFT_BUILD) --product dualnorm

test: deps test-env
	Tools/deps-test.sh
	$(TEST_BUILD)
	Tools/cuda-test.sh
	Tools/examples-test.sh
	@python3 Tools/test.py

# Two tests in three, in half a minute: without commands, trainings, real data and mutated files.
SLOW = CommandTests\.|TrainerTests|NormTrainingTests|TrainerFaultTests|TrainingPaceTests|Mutation|RealData|DICOMHostile
test-fast: deps
	$(TEST_BUILD)
	@python3 Tools/test.py --skip '$(SLOW)'

# Exports against PyTorch and MONAI. SCHEMA is a copy of MONAI's schema of metadata, which it fetches otherwise.
test-export: build bench-env
	@$(BENCH_PYTHON) Tools/export_test.py .build/release/dualnorm $(REFERENCE) $(SCHEMA)

# 200 requests at once to a server: good, slow, damaged and huge ones.
LOAD = .build/load
load-test: build
	@rm -rf $(LOAD) && mkdir -p $(LOAD)
	.build/release/dualnorm phantom --output $(LOAD)/data --size 96x96x16 --cases 2 --sites 2 --quiet
	.build/release/dualnorm train --data $(LOAD)/data --output $(LOAD)/run --width 4 --iterations 10,10 --batch-size 4 --validate-every 10 --quiet
	@python3 Tools/serve_load.py .build/release/dualnorm $(LOAD)/run $(LOAD)/data

# Sanitizers over our C++ below Torch and MedicalImaging, which their tests exercise: addresses and leaks, then undefined behaviour.
# LibTorch and ITK are not instrumented. Swift has no undefined-behaviour sanitizer on Linux, so the C++ alone has it.
SANITIZED = --filter 'TorchTests|MedicalImagingTests'
UNDEFINED = -Xcxx -fsanitize=undefined -Xcxx -fno-sanitize=vptr,function -Xswiftc -Xclang-linker -Xswiftc -fsanitize=undefined
sanitize: deps
	LSAN_OPTIONS=suppressions=$(CURDIR)/Tools/lsan.supp \
	  swift test --sanitize=address --scratch-path .build-asan $(SANITIZED)
	UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:suppressions=$(CURDIR)/Tools/ubsan.supp \
	  swift test --scratch-path .build-ubsan $(UNDEFINED) $(SANITIZED)

# Every reader on changed files, each input within 5 processor seconds and bounded memory; a child process ends where one crashes.
SECONDS = 60
fuzz: deps
	swift build --product fuzz
	.build/debug/fuzz Tests/Fixtures $(SECONDS) $(SEED)

# Times dualnorm against the reference network in PyTorch.
bench: build bench-env
	@$(BENCH_PYTHON) Tools/bench.py .build/release/dualnorm $(REFERENCE) $(BENCH)

# Times whole commands, from file to file, against PyTorch, SciPy, MedPy and MONAI.
bench-files: build bench-env
	@$(BENCH_PYTHON) Tools/bench_files.py .build/release/dualnorm $(REFERENCE) $(BENCH)

# A Python environment of pinned packages (PyTorch and others) for benchmarks and fixtures.
BENCH_ENV = $(HOME)/.cache/dualnorm/bench
BENCH_PYTHON = "$(BENCH_ENV)/bin/python"
bench-env:
	@python3 Tools/environment.py "$(BENCH_ENV)" \
	  $(addprefix Tools/environments/,bench.txt bench-medpy.txt safetensors.txt fixtures.txt onnx.txt export.txt)

# Trains nnU-Net, MONAI's DynUNet and dualnorm for the same processor time. COMPARE has options of Tools/compare/run.py.
# All of it takes days; Ctrl-C and the same command go on. The page needs a budget of five minutes at least.
COMPARE_FOLDER = .build/compare
compare: build compare-env
	@$(COMPARE_PYTHON) Tools/compare/run.py --binary .build/release/dualnorm --output $(COMPARE_FOLDER) $(COMPARE)
	@$(COMPARE_PYTHON) Tools/compare/page.py $(COMPARE_FOLDER)

# nnU-Net and what it needs, beside the packages of the benchmarks.
COMPARE_ENV = $(HOME)/.cache/dualnorm/compare
COMPARE_PYTHON = "$(COMPARE_ENV)/bin/python"
compare-env:
	@python3 Tools/environment.py "$(COMPARE_ENV)" $(addprefix Tools/environments/,bench.txt fixtures.txt compare.txt)

# What tests hold files, pages and the server against: readers of TensorBoard, safetensors, ONNX and Triton, MONAI Label's client,
# a browser, pdftotext, Orthanc.
TEST_ENV = $(HOME)/.cache/dualnorm/tests
TEST_PACKAGES = tensorboard.txt safetensors.txt onnx.txt triton.txt monailabel.txt
test-env:
	@python3 Tools/environment.py "$(TEST_ENV)" $(addprefix Tools/environments/,$(TEST_PACKAGES))
	@Tools/deps.sh --tests

deps:
	@Tools/deps.sh

# LibTorch's CUDA libraries, for machines with a GPU.
deps-cuda:
	@Tools/deps.sh --cuda

lint:
	swift format lint --strict -r Sources Tests Package.swift
	python3 Tools/prose.py

# Writes docs/reference.md anew, out of what the program says of itself.
reference: deps
	$(TEST_BUILD)
	DUALNORM_WRITE_REFERENCE=1 swift test --skip-build --filter ReferenceTests

# Pages of the libraries' comments; python3 -m http.server -d docs-html shows them to a browser, under /documentation.
# The plugin that makes them must not stay in Package.resolved, where every other build would fetch it.
LIBRARIES = DualNorm Torch MedicalImaging
docs: deps
	@mkdir -p .build-docs; cp Package.resolved .build-docs/other.resolved 2>/dev/null || true
	@trap 'mv -f .build-docs/other.resolved Package.resolved 2>/dev/null || rm -f Package.resolved' EXIT; \
	DUALNORM_DOCS=1 swift package --scratch-path .build-docs --allow-writing-to-directory docs-html generate-documentation \
	  $(LIBRARIES:%=--target %) --enable-experimental-combined-documentation --output-path docs-html

# Manual pages, for: man -M .build/man dualnorm.train. The verb that is no one's to type has none.
MANUAL = .build/plugins/GenerateManual/outputs/Program
man: deps
	swift package --allow-writing-to-package-directory generate-manual --configuration debug --multi-page
	@rm -rf .build/man && mkdir -p .build/man/man1
	@for page in $(MANUAL)/*.1; do sed 's/^$$/.Pp/' $$page > .build/man/man1/$${page##*/}; done  # mdoc has no blank lines
	@rm -f .build/man/man1/dualnorm.experiment.run-cell.1

# The release build with all libraries inside, in dist: an archive, a Debian package, an OCI image. install copies the same
# files below PREFIX.
PREFIX = /usr/local
package: build man
	@Tools/package.sh tar
deb image: build man
	@Tools/package.sh $@
install: build man
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" Tools/package.sh install

# Needs root, debootstrap and umoci.
test-package: build man
	@Tools/package.sh tar deb image
	@Tools/package-test.sh

# A part of it, with the debug build that the tests have made.
test-package-small: man
	@Tools/package-test-small.sh

# Makes the fixtures of the tests anew. DCMTK's programs (Debian's package dcmtk) must be on the path.
fixtures: bench-env
	$(BENCH_PYTHON) Tools/fixtures.py $(REFERENCE)
	$(BENCH_PYTHON) Tools/fixtures_scores.py
	$(BENCH_PYTHON) Tools/fixtures_statistics.py
	$(BENCH_PYTHON) Tools/fixtures_weights.py
	$(BENCH_PYTHON) Tools/fixtures_imaging.py
	$(BENCH_PYTHON) Tools/fixtures_headers.py
	$(BENCH_PYTHON) Tools/fixtures_channels.py
	$(BENCH_PYTHON) Tools/fixtures_images.py
	$(BENCH_PYTHON) Tools/fixtures_commands.py $(REFERENCE)
	$(BENCH_PYTHON) Tools/fixtures_prepare.py
	$(BENCH_PYTHON) Tools/fixtures_dicom.py

# Makes the scores of other tools anew. Tools/fixtures_like.py names the versions that python3 must have. MEDPY_0_4 is the
# path of binary.py of MedPy 0.4.0.
fixtures-like:
	python3 Tools/fixtures_like.py $(MEDPY_0_4)

# Makes the DICOM segmentations anew. The script names the versions that python3 must have.
fixtures-segmentations:
	python3 Tools/fixtures_segmentations.py

# Trains the tiny models of nnU-Net anew. The script names the versions that python3 must have.
fixtures-nnunet:
	python3 Tools/fixtures_nnunet.py .build/nnunet

clean:
	rm -rf .build .build-docs docs-html demo dist
