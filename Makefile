# flyball. `make` lists what there is; everything needs Go and nothing else,
# and says what it leaves out where something more is missing.

GO      ?= go
BINARY  := bin/flyball
MAX_MB  := 18
FUZZ_S  ?= 10s
SOAK_S  ?= -1s
SEEDS   ?= 20
RIVALS  := cd bench/rivals && $(GO) test -count=1 -run '^TestBench$$' -timeout 60m -args
LINT    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# BENCH_FLAGS='-policies flyball -scenarios 70 -first 1' narrows or moves make
# bench-quick; -hold fails it where flyball misses a bar.

# The race detector needs a C compiler; without one the tests run all the same.
RACE := $(shell command -v "$$($(GO) env CC)" >/dev/null 2>&1 && echo -race)

.DEFAULT_GOAL := help
.PHONY: help build test test-short test-main test-bench test-e2e vet fmt-check behaviours behaviours-check lint demo bench bench-quick bench-gateway bench-cache fuzz soak

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/flyball, stripped, and hold it to its size
	CGO_ENABLED=0 $(GO) build -trimpath -tags grpcnotrace -ldflags='-s -w' -o $(BINARY) ./cmd/flyball
	@bytes=$$(wc -c < $(BINARY)); echo "$(BINARY): $$bytes bytes"; \
	if [ $$bytes -gt $$(($(MAX_MB) * 1000000)) ]; then \
		echo "$(BINARY) is over $(MAX_MB) MB: find the package that brought it in with $(GO) list -deps" >&2; exit 1; fi

test: fmt-check vet test-main test-bench test-e2e behaviours-check ## everything that must pass: format, vet, tests, promises

test-short: vet ## the main module's tests without the race detector and the long ones
	$(GO) test -short ./...

test-main:
ifeq ($(RACE),)
	@echo "skipped: the race detector, which needs a C compiler ($$($(GO) env CC) is not there)"
endif
	@telemetry/contrib/fetch-promtool bin
	PATH="$(CURDIR)/bin:$$PATH" $(GO) test $(RACE) -timeout 15m ./...

test-bench:
	@if [ -f bench/go.mod ]; then cd bench && $(GO) vet ./... && $(GO) test ./...; \
	else echo "skipped: bench, which has no module here"; fi

test-e2e:
	@if [ -x e2e/run ]; then e2e/run; else echo "skipped: e2e, which is not here yet"; fi

vet:
	$(GO) vet ./...

fmt-check:
	@found=$$(gofmt -l .); if [ -n "$$found" ]; then echo "not formatted (run gofmt -w .):"; echo "$$found"; exit 1; fi

behaviours: ## write docs/behaviours.md and count the promises that have a test
	$(GO) run ./internal/behaviours

behaviours-check:
	$(GO) run ./internal/behaviours -check

lint: ## golangci-lint: the installed one, or built through Go (a minute or two the first time)
	@if command -v golangci-lint >/dev/null; then lint=golangci-lint; else lint="$(GO) run $(LINT)"; fi; \
	for module in . e2e bench; do \
		if [ -f $$module/go.mod ]; then (cd $$module && $$lint run ./...) || exit 1; fi; done

demo: ## one load on a simulated account, with flyball and without
	$(GO) run ./cmd/flyball demo

bench: ## flyball beside its rivals in virtual time: prints and writes docs/benchmarks.md (SEEDS=20)
	@$(RIVALS) -seeds $(SEEDS) -write ../../docs $(BENCH_FLAGS)

bench-quick: ## the same with three seeds, printed only
	@$(RIVALS) -seeds 3 $(BENCH_FLAGS)

bench-gateway: ## the gateway beside a bare reverse proxy
	@if [ -x bench/run ]; then bench/run; else echo "bench/run is not here yet" >&2; exit 1; fi

soak: ## random schedules in virtual time until one fails or it is stopped; SOAK_S=10m bounds it
	@$(GO) test -count=1 -timeout 0 -run '^TestSoak$$' -soak $(SOAK_S)

bench-cache: ## a hit beside a bare handler's, nginx's and Varnish's, of those installed
	@if [ -x bench/run ]; then bench/run cache; else echo "bench/run is not here yet" >&2; exit 1; fi

fuzz: ## each fuzz test for FUZZ_S (10s)
	@grep -rHoE --include='*_test.go' --exclude-dir=node_modules '^func Fuzz[A-Za-z0-9_]*' . \
	| grep -vE '^\./(e2e|bench)/' | sed -E 's|/[^/]*:func | |' | sort -u \
	| while read -r room name; do \
		echo "$(GO) test -fuzz $$name $$room"; \
		$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZ_S) "$$room" < /dev/null || exit 1; done
