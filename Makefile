# Tare's two commands: `make demo` and `make test`. `make help` lists all.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test check build root host test-host bench bench-wheels clean

# The checkout brings its own Node (workspace `toolchain`); npm itself runs on the system's.
WITH_NODE := PATH="$(CURDIR)/node_modules/.bin:$$PATH"
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo --preserve-env=CI,TARE_CONFORMANCE,TARE_ROOT)
SOURCES := $(shell find src -name '*.ts' ! -name '*.test.ts' -o -type d)
INSTALLED := node_modules/.package-lock.json
PROGRAM := dist/tare.cjs
STEPS ?= all

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 21

demo: $(PROGRAM) host ## set up, build the example image and run it
	@$(SUDO) ./bin/tare base $$(sed -n 's/^FROM //p' examples/hello/Dockerfile)
	@$(SUDO) ./bin/tare build -t ai_example examples/hello
	@$(SUDO) ./bin/tare run --rm ai_example
	@echo 'Next: change examples/hello/app.py and run `make demo` again, or see `./bin/tare --help`.'

test: $(INSTALLED) test-host ## set up and run all checks and tests; options: STEPS="lint unit"
	@mkdir -p .cache
	@$(SUDO) env $(WITH_NODE) node scripts/check.ts $(STEPS)

check: $(INSTALLED) ## format, lint, types, unused code, docs, unit tests
	@$(WITH_NODE) node scripts/check.ts quick

build: $(INSTALLED) ## dist/: the program and the library
	@$(WITH_NODE) npm run --silent build

bench: $(PROGRAM) test-host ## compare with Docker and buildah; options: ARGS="--help"
	@$(SUDO) env $(WITH_NODE) node bench/run.ts $(ARGS)

bench-wheels: $(PROGRAM) test-host ## compare how Python projects are built and shipped; options: ARGS="--help"
	@$(SUDO) env $(WITH_NODE) node bench/wheels/run.ts $(ARGS)

root:
	@[ "$$(id -u)" = 0 ] || command -v sudo >/dev/null || { echo 'root is needed: run this as root or install sudo' >&2; exit 1; }

host: root $(PROGRAM) # Debian packages that running containers needs
	@$(SUDO) ./bin/tare system install --yes

test-host: root # what tests compare with, besides the packages of `host`
	@sh scripts/setup-host.sh $$(sed 's/#.*//' scripts/test-packages.txt)

clean: ## remove what was built and installed here
	rm -rf dist node_modules .cache

$(INSTALLED): package-lock.json
	@sh scripts/setup-npm.sh
	@touch $@

$(PROGRAM): $(INSTALLED) package.json scripts/build.ts $(SOURCES)
	@echo 'Building dist/'
	@$(WITH_NODE) node scripts/build.ts --no-lib
	@touch $@
