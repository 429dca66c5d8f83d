# The modules whose tests need nothing but Go, and those that need an API server.
# internal/kapi is Kubernetes itself, and neither linted nor tested.
MODULES     := . internal/textoracle internal/envfile internal/podsecurity internal/vaulttest internal/gitops internal/helm examples/fetch examples/webhook
E2E_MODULES := internal/e2e examples/operator
NODE_MODULE := internal/node
TOOLS       := $(CURDIR)/internal/tools/go.mod

# The race detector needs cgo, and so a C compiler; without one, tests run
# without it.
RACE := $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

STATIC := CGO_ENABLED=0 go build -trimpath -ldflags "-s -w"

FUZZTIME := 60s

# The newest k8s.io/api and apimachinery that the tests run with, besides those
# of go.mod. Upgrade it when `go list -m k8s.io/api@latest` has another.
NEWEST_K8S := v0.37.2

.PHONY: all picture release release-dry-run lint test soak api compat fuzz kapi kubelet bin/fetch bin/webhook bin/node e2e e2e-api e2e-newest node try-node bench bench-cluster bench-node

all: lint test compat e2e

lint:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not gofmt-ed: $$unformatted"; exit 1; fi
	@set -e; for m in $(MODULES) internal/apicheck $(E2E_MODULES) $(NODE_MODULE); do echo "lint $$m"; cd $(CURDIR)/$$m; \
		go mod verify; go vet ./...; go tool -modfile=$(TOOLS) staticcheck ./...; done
	@set -e; for m in $(MODULES) $(NODE_MODULE); do echo "gosec $$m"; cd $(CURDIR)/$$m; \
		go tool -modfile=$(TOOLS) gosec -quiet $$(go list -f '{{.Dir}}' ./...); done

test:
	@set -e; for m in $(filter-out internal/helm,$(MODULES)); do cd $(CURDIR)/$$m; go test $(RACE) ./...; done
	cd internal/helm && go test ./...  # as lint compiles Helm: with the race detector it takes minutes more
	go test -run '^TestBudget' ./injector  # these two without the race detector, which needs memory itself
	cd examples/webhook && go test -run '^TestBound_Memory' .
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
# is always built with these flags: others would compile all of it again. It is of the
# version in its go.mod, or of another one that exists: make kapi K8S_VERSION=v1.36.3
KAPI_OWN    := $(shell sed -n 's|^[[:space:]]*k8s.io/kubernetes \(v[0-9.]*\)$$|\1|p' internal/kapi/go.mod)
K8S_VERSION := $(KAPI_OWN)
KAPI_OTHER  := $(if $(filter-out $(KAPI_OWN),$(K8S_VERSION)),$(CURDIR)/bin/kapi-$(K8S_VERSION))
KAPI_VERSION := k8s.io/component-base/version
KAPI_BUILD := CGO_ENABLED=0 go build -trimpath -ldflags "-s -w \
	-X $(KAPI_VERSION).gitVersion=$(K8S_VERSION) -X $(KAPI_VERSION).gitMajor=1 -X $(KAPI_VERSION).gitMinor=$(word 2,$(subst ., ,$(K8S_VERSION)))" \
	$(if $(KAPI_OTHER),-modfile=$(KAPI_OTHER)/go.mod -mod=mod)
kapi:
	$(if $(KAPI_OTHER),internal/kapi/modfile.sh $(K8S_VERSION) $(KAPI_OTHER))
	cd internal/kapi && $(KAPI_BUILD) -o $(CURDIR)/bin/kapi .

kubelet:
	cd internal/kapi && $(KAPI_BUILD) -o $(CURDIR)/bin/node/kubelet k8s.io/kubernetes/cmd/kubelet

bin/webhook:
	cd examples/webhook && CGO_ENABLED=0 go build -trimpath -o $(CURDIR)/bin/webhook .

bin/fetch:
	cd examples/fetch && $(STATIC) -o $(CURDIR)/bin/fetch .

# What embeds the library, in a real API server, and on a real node where one can run.
e2e: e2e-api
	@$(MAKE) try-node

# Only in an API server, which may be of another version: make e2e-api K8S_VERSION=v1.36.3
e2e-api: kapi bin/webhook
	@set -e; for m in $(E2E_MODULES); do cd $(CURDIR)/$$m; go test $(RACE) -count=1 -timeout 30m ./...; done

e2e-newest:
	$(MAKE) e2e-api K8S_VERSION=$(NEWEST_K8S:v0.%=v1.%)

# The programs of the node: containerd and runc, the kubelet, and what the tests make.
bin/node: kubelet bin/fetch
	$(NODE_MODULE)/debian.sh $(CURDIR)/bin/node/debian
	cd $(NODE_MODULE) && $(STATIC) -o $(CURDIR)/bin/node/ ./supervisor ./cni ./guest ./csidriver
	cd internal/vaulttest && $(STATIC) -o $(CURDIR)/bin/node/ ./agent

# Pods on a real node: a kubelet with containerd and runc. It needs root on Linux.
node: kapi bin/node bin/webhook
	cd $(NODE_MODULE) && go test -count=1 -timeout 25m ./...

# A platform may lack what a node needs (root, control groups, mounts, Debian's mirror), and that is
# no failure, unless NODE=required says that it must run here.
NODE := where-possible
try-node:
	@cd $(NODE_MODULE) && $(STATIC) -o $(CURDIR)/bin/node/ ./supervisor
	@if $(NODE_MODULE)/debian.sh $(CURDIR)/bin/node/debian && bin/node/supervisor -probe bin/node; then $(MAKE) node; \
	elif [ "$(NODE)" = required ]; then echo "The tests on a real node must run here, and cannot." >&2; exit 1; \
	else echo "The tests on a real node DID NOT RUN, for the reason above."; fi

# Measures reviews beside json.Valid and the usual way, and writes the tables of
# docs/performance.md and the README's chart.
bench:
	@mkdir -p bin
	go test -run '^$$' -bench '^BenchmarkCompare$$' -benchtime 21x -count 3 ./injector > bin/bench.txt
	go run ./internal/bench -tables docs/performance.md -chart docs/review.svg < bin/bench.txt

# Draws the README's picture of a Pod before and after injection.
picture:
	go run ./internal/picture

# Measures how long the creation of Pods takes, and writes that into
# docs/performance.md.
bench-cluster: kapi bin/webhook
	cd internal/e2e && go test -run '^$$' -bench Cluster -benchtime 1x -timeout 30m . -performance $(CURDIR)/docs/performance.md

# Measures how long Pods take until they run on the real node, and writes that into
# docs/node.md.
bench-node: kapi bin/node
	cd $(NODE_MODULE) && go test -run '^$$' -bench Node -benchtime 1x -timeout 60m . -write $(CURDIR)/docs/node.md

# Runs every fuzz target of every module for FUZZTIME.
fuzz:
	@set -e; for m in $(MODULES); do cd $(CURDIR)/$$m; \
		for pkg in $$(go list ./...); do \
			for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
				echo "$$pkg $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg; \
			done; \
		done; \
	done

# What the release workflow builds, in dist/: make release VERSION=v0.1.0.
release:
	internal/release/build.sh "$(VERSION)"

release-dry-run:
	internal/release/build.sh dry-run
