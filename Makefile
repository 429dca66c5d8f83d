# The modules whose tests need nothing but Go, and those that need an API server.
# internal/kapi is Kubernetes itself, and neither linted nor tested.
MODULES     := . internal/textoracle internal/envfile internal/podsecurity internal/vaulttest internal/bench examples/fetch examples/webhook
E2E_MODULES := internal/e2e examples/operator
TOOLS       := $(CURDIR)/internal/tools/go.mod

# The race detector needs cgo, and so a C compiler; without one, tests run
# without it.
RACE := $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

FUZZTIME := 60s

# The newest k8s.io/api and apimachinery that the tests run with, besides those
# of go.mod. Upgrade it when `go list -m k8s.io/api@latest` has another.
NEWEST_K8S := v0.37.2

.PHONY: all lint test soak api compat fuzz kapi bin/fetch bin/webhook e2e bench bench-cluster

all: lint test compat e2e

lint:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not gofmt-ed: $$unformatted"; exit 1; fi
	@set -e; for m in $(MODULES) internal/apicheck $(E2E_MODULES); do echo "lint $$m"; cd $(CURDIR)/$$m; \
		go mod verify; go vet ./...; go tool -modfile=$(TOOLS) staticcheck ./...; done
	@set -e; for m in $(MODULES); do echo "gosec $$m"; cd $(CURDIR)/$$m; \
		go tool -modfile=$(TOOLS) gosec -quiet $$(go list -f '{{.Dir}}' ./...); done

test:
	@set -e; for m in $(MODULES); do cd $(CURDIR)/$$m; go test $(RACE) ./...; done
	go test -run '^TestBudget' ./injector
	cd internal/apicheck && go test -count=1 ./...  # go test does not see that other modules changed

# The property tests over many more random Pods.
soak:
	go test $(RACE) -timeout 30m ./injector -soak

# Writes internal/apicheck/api.txt; for a release: make api API=-release.
API := -update
api:
	cd internal/apicheck && go test -count=1 -run '^TestAPI$$' . $(API)

# Runs the library's tests with the newest Kubernetes, and with the oldest Go that
# go.mod allows, which the go command downloads.
compat:
	@set -e; dir=$$(mktemp -d); trap 'rm -rf $$dir' EXIT; cp go.mod go.sum $$dir; \
		export GOFLAGS="$$(go env GOFLAGS) -modfile=$$dir/go.mod -mod=mod"; \
		go get k8s.io/api@$(NEWEST_K8S) k8s.io/apimachinery@$(NEWEST_K8S); go test ./...
	GOTOOLCHAIN=go$$(go list -m -f '{{.GoVersion}}') go test ./...

# The API server with its etcd inside. Kubernetes takes minutes to compile, so it
# is always built with these flags: others would compile all of it again.
K8S_VERSION := v1.35.4
KAPI_VERSION := k8s.io/component-base/version
kapi:
	cd internal/kapi && CGO_ENABLED=0 go build -trimpath -o $(CURDIR)/bin/kapi -ldflags "-s -w \
		-X $(KAPI_VERSION).gitVersion=$(K8S_VERSION) -X $(KAPI_VERSION).gitMajor=1 -X $(KAPI_VERSION).gitMinor=35" .

bin/webhook:
	cd examples/webhook && CGO_ENABLED=0 go build -trimpath -o $(CURDIR)/bin/webhook .

bin/fetch:
	cd examples/fetch && CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o $(CURDIR)/bin/fetch .

# What embeds the library, in a real API server.
e2e: kapi bin/webhook
	@set -e; for m in $(E2E_MODULES); do cd $(CURDIR)/$$m; go test $(RACE) -count=1 ./...; done

# Measures reviews beside the usual way and the floor, compares them with
# benchstat, and writes the README's table and chart.
BENCH := ^Benchmark(Review|ReviewByDiff|ReviewAgain|Valid)$$/^pod=(1x15|10x50)$$/^manager=(k8s|vault|aws)$$/^secrets=(3|100)$$
bench:
	@mkdir -p bin
	go test -run '^$$' -bench '$(BENCH)' -benchtime 0.2s -count 6 ./injector > bin/bench.txt
	go test -run '^$$' -bench '^Benchmark(Review|Valid)Nothing$$' -benchtime 0.2s -count 6 ./injector >> bin/bench.txt
	cd internal/bench && go tool benchstat -col .name -filter '.name:(ReviewByDiff OR Review)' $(CURDIR)/bin/bench.txt
	cd internal/bench && go run . -readme $(CURDIR)/README.md -chart $(CURDIR)/docs/review.svg < $(CURDIR)/bin/bench.txt

# Measures how long the creation of Pods takes, and writes that into README.md.
bench-cluster: kapi bin/webhook
	cd internal/e2e && go test -run '^$$' -bench Cluster -benchtime 1x -timeout 30m . -readme $(CURDIR)/README.md

# Runs every fuzz target of every module for FUZZTIME.
fuzz:
	@set -e; for m in $(MODULES); do cd $(CURDIR)/$$m; \
		for pkg in $$(go list ./...); do \
			for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
				echo "$$pkg $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg; \
			done; \
		done; \
	done
