# The modules, each tested and linted in its own folder.
MODULES := . internal/textoracle internal/podsecurity internal/vaulttest examples/webhook
# Also linted; its tests need what "make e2e" builds.
LINTED  := $(MODULES) internal/e2e
TOOLS   := $(CURDIR)/internal/tools/go.mod

# The race detector needs cgo, and so a C compiler; without one, tests run
# without it.
RACE := $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

FUZZTIME := 60s

.PHONY: all lint test fuzz kapi bin/webhook e2e bench-cluster

all: lint test

lint:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not gofmt-ed: $$unformatted"; exit 1; fi
	@set -e; for m in $(LINTED); do echo "lint $$m"; cd $(CURDIR)/$$m; \
		go vet ./...; go tool -modfile=$(TOOLS) staticcheck ./...; done

test:
	@set -e; for m in $(MODULES); do cd $(CURDIR)/$$m; go test $(RACE) ./...; done

# The API server with its etcd inside. Kubernetes takes minutes to compile, so it
# is always built with these flags: others would compile all of it again.
K8S_VERSION := v1.35.4
KAPI_VERSION := k8s.io/component-base/version
kapi:
	cd internal/kapi && CGO_ENABLED=0 go build -trimpath -o $(CURDIR)/bin/kapi -ldflags "-s -w \
		-X $(KAPI_VERSION).gitVersion=$(K8S_VERSION) -X $(KAPI_VERSION).gitMajor=1 -X $(KAPI_VERSION).gitMinor=35" .

bin/webhook:
	cd examples/webhook && CGO_ENABLED=0 go build -trimpath -o $(CURDIR)/bin/webhook .

# What is embedded in a real API server, and the webhook as real processes.
e2e: kapi bin/webhook
	cd internal/e2e && go test $(RACE) -count=1 ./...

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
