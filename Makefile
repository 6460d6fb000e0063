# Fugong 复工通: everything a developer types. `make help` lists it; the work itself is in tools/.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup run test check bench lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: ## Virtual environment, locked packages, system libraries, translations
	@bash tools/setup.sh

run: ## Run the product with demo data: web and worker (PORT=8000 HOST=127.0.0.1)
	@HOST='$(HOST)' PORT='$(PORT)' bash tools/run.sh

test: ## Run the whole test suite (ARGS='-k name' for a part)
	@bash tools/test.sh $(ARGS)

check: ## Style, types, layers, templates, translations, locks, security (AUDIT=1: known vulnerabilities too)
	@AUDIT='$(AUDIT)' bash tools/check.sh

bench: ## Run the benchmarks as JSON lines (ONLY=name for one)
	@bash tools/setup.sh dev >&2
	@.venv/bin/python -m bench $(ONLY)

lock: ## Make requirements*.txt anew from requirements*.in (ARGS=--upgrade to take newer versions)
	@bash tools/lock.sh $(ARGS)

clean: ## Remove the virtual environment and caches; never var/
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	@find . -name __pycache__ -type d -not -path './var/*' -not -path './.git/*' -prune -exec rm -rf {} +
	@find workflow -name '*.mo' -delete
