# The two commands: `make run` starts everything, `make test` proves it. `make help` lists the rest.

SHELL := bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# Outside the checkout: a fresh clone on the same machine builds warm, and nothing that walks the tree meets build products.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/appstrate/target

DEBUG := $(CARGO_TARGET_DIR)/debug
RELEASE := $(CARGO_TARGET_DIR)/release

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: tools
tools: # Checks for what a build needs (a Rust toolchain and a C compiler), installs the compiler if it can.
	@scripts/tools.sh

.PHONY: build
build: tools ## Build the server, the tool host and the demo (dev profile).
	cargo build --workspace --bins

.PHONY: run
run: build ## Start the server with a demo organization and a finished demo run.
	@exec "$(DEBUG)/demo"

.PHONY: fmt
fmt: ## Format the sources.
	cargo fmt --all

.PHONY: check
check: tools ## Check format, lints, layers, sizes and the fast tests (SQLite).
	cargo fmt --all --check
	cargo xtask check-layers
	cargo xtask check-size
	cargo clippy --workspace --all-targets -- --deny warnings
	scripts/test.sh --fast

.PHONY: test
test: ## Run every test, on SQLite and on a private PostgreSQL and Redis.
	scripts/test.sh

.PHONY: fuzz
fuzz: tools ## Fuzz the parsers and policies, each for SECONDS_EACH (30).
	scripts/fuzz.sh $(or $(SECONDS_EACH),30)

# The builds are apart, so that no feature of the bench's own crates leaks into what is measured. BENCH holds its options.
.PHONY: bench
bench: tools ## Measure the release build against the bars of the design, on SQLite and PostgreSQL.
	cargo build --release --bins --package server --package toolhost
	cargo build --release --bins --package bench
	@scripts/services.sh "$(RELEASE)/bench" $(BENCH)
