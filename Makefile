# promote: every task of this repository. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# hack/go prints the path of a Go that is new enough for go.mod, and gets one when the machine has none.
GO = $$($(CURDIR)/hack/go)
LAB = $$($(CURDIR)/hack/lab)
LINT = $(GO) tool -modfile=hack/lint/go.mod golangci-lint

.PHONY: help demo try test guide kill-test soak check lint generate lab-up lab-down bench bench-build bench-deploy bench-start bench-verdict record release-dry-run clean unit fmt vet fuzz bench-canary bench-scale vuln export-templates

help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Play the whole promotion of the example service on real parts; KUBECONFIG=… REGISTRY=… use a cluster you have
	@[ -n "$${KUBECONFIG:-}" ] || $(LAB) up
	@$(LAB) demo

SERVICE ?=
try: ## Take a service of your own through the lab to production: SERVICE=its folder (docs/getting-started.md)
	@[ -n "$(SERVICE)" ] || { echo "try: name the folder of a service, as in make try SERVICE=../greeter; docs/getting-started.md has what must be in it"; exit 1; }
	@$(LAB) up
	@$(LAB) try $(SERVICE)

OUTAGE = ^TestDeploySurvivesAKilledAPIServer$$
GUIDE = ^TestTheGettingStartedPageLeadsToProduction$$
test: lab-up ## All tests: the fast ones, then everything on the lab; only the walk through the guide is `make guide`
	@# What takes the API server away goes first, without any other test on the lab: beside the demo it would wait for the demo's end, and
	@# all others for it. It waits most of the time, and `make check`, which needs no lab, has the cores.
	@failed=0; \
	{ cd lab && $(GO) test -tags lab -count=1 -timeout 10m -run '$(OUTAGE)' ./e2e; } & outage=$$!; \
	$(MAKE) check || failed=$$?; \
	wait $$outage || failed=$$?; \
	exit $$failed
	@# The tests wait for pods, leases and servers most of the time, so more of them run at once than there are cores.
	@# GitHub's parser of workflows is an npm package, which make check does without.
	@cd lab/templates && $(GO) test -tags lab -count=1 ./...
	@cd lab && $(GO) test -tags lab -count=1 -p 3 -parallel 6 -timeout 30m -skip '$(OUTAGE)|$(GUIDE)' ./...

guide: lab-up ## Do what docs/getting-started.md says, in an empty folder: its service goes to production; five minutes
	@cd lab && $(GO) test -tags lab -count=1 -timeout 30m -v -run '$(GUIDE)' ./e2e/pages

kill-test: lab-up ## Kill, cancel, hang and lock out the deploy action at every request it sends; twenty deployments under load; half an hour
	@cd lab && PROMOTE_KILL_EVERY=1 $(GO) test -tags lab -count=1 -parallel 24 -timeout 90m -v -run 'TestDeployConvergesAfterAKill|TestDeployOutlives|TestDeployStopsInOrder|TestDeployRidesOut|TestDeployThatIsCancelled|TestDeploysInARow' ./e2e

SOAK ?= 50
SEED ?= 1
soak: lab-up ## Send SOAK (50) canaries of random fates over one service under load; SEED plays the same ones again; a quarter of an hour
	@cd lab && PROMOTE_SOAK=$(SOAK) PROMOTE_SOAK_SEED=$(SEED) $(GO) test -tags lab -count=1 -timeout 60m -v -run TestSoak ./e2e

check: fmt vet unit lint ## The fast loop: format, vet, unit tests, lint; needs no cluster

FUZZTIME ?= 30s
fuzz: ## Run every fuzz target for FUZZTIME (30s) each
	@hack/fuzz $(FUZZTIME)

fmt:
	@files=$$("$$($(GO) env GOROOT)/bin/gofmt" -l $$(git ls-files -co --exclude-standard '*.go')) && [ -z "$$files" ] || { echo "gofmt would change:"; echo "$$files"; exit 1; }

vet:
	@$(GO) vet ./...
	@cd lab && $(GO) vet -tags lab ./...
	@cd lab/templates && $(GO) vet -tags lab ./...
	@cd lab/terraform && $(GO) vet ./...
	@cd examples/checkout && $(GO) vet ./... && $(GO) vet -tags integration ./... && $(GO) vet -tags e2e ./...

unit:
	@$(GO) test ./...
	@cd lab && $(GO) test ./...
	@# Without -count=1 Go would not see that what they look at, outside of their modules, has changed.
	@cd lab/templates && $(GO) test -count=1 ./...
	@cd lab/terraform && $(GO) test -count=1 ./...
	@cd examples/checkout && $(GO) test ./...

lint: ## Static analysis with golangci-lint
	@$(LINT) run ./...
	@cd lab && $(GO) tool -modfile=../hack/lint/go.mod golangci-lint run --build-tags lab ./...

generate: ## Write what is generated: the tables of the actions' READMEs, the list of licences, the fields of Kubernetes' own kinds
	@$(GO) run ./internal/actiondoc
	@$(GO) run ./internal/licensedoc
	@$(GO) test ./pkg/manifest -run TestTheTableOfFieldsIsThatOfTheLibrary -update >/dev/null

GOVULNDB ?= https://vuln.go.dev
vuln: ## Look for known vulnerabilities in what is linked (asks vuln.go.dev; GOVULNDB=file:///… is a copy)
	@$(GO) tool -modfile=hack/vuln/go.mod govulncheck -db $(GOVULNDB) ./...

TO ?=
export-templates: ## Write the workflows to copy as an organization's own templates: TO=the folder workflow-templates of its repository .github
	@$(GO) run ./internal/orgtemplates -to "$(TO)"

lab-up: ## Start the lab: a real Kubernetes, registry, BuildKit and Prometheus on this machine (root or sudo)
	@$(LAB) up

lab-down: ## Stop the lab and leave nothing behind but the build cache
	@$(LAB) down

bench: bench-deploy bench-build bench-start bench-verdict bench-canary bench-scale ## All benchmarks: against peers in the same run as ratios, and of single functions
	@$(GO) test -run '^$$' -bench . -benchmem ./...

record: lab-up ## Make the failures that waiting is tested with happen again in the lab, and record them
	@cd lab && $(GO) run ./record

VERSION ?= v0.0.0-dry.run
RELEASES ?= https://github.com/org/promote/releases/download
release-dry-run: ## Make all files of a release below dist/, as the release workflow does, and check them; VERSION=v1.2.3 PLATFORMS=linux_amd64,…
	@rm -rf dist
	@$(GO) run ./internal/ship -version $(VERSION) -url $(RELEASES)/$(VERSION) -to dist $(if $(PLATFORMS),-platforms $(PLATFORMS))
	@cd dist && sha256sum --quiet --check checksums.txt
	@hack/try-release dist $(VERSION)
	@echo "dist/ holds $(VERSION):"; cd dist && ls -sh

# ko and crane are built from their Go modules, in a module of their own.
bench-build: ## Build a small Go service with promote, ko, and go with crane, in one run: medians and ratios
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/build ./actions/build
	@ko=$$(cd hack/bench && $(GO) tool -n ko); crane=$$(cd hack/bench && $(GO) tool -n crane); \
	cd lab && $(GO) run ./benchbuild -source ../examples/checkout -action ../bin/build -ko "$$ko" -crane "$$crane"

# kubectl and helm are built from their Go modules too.
bench-deploy: lab-up ## Deploy a service with promote, kubectl and helm, in one run: medians, ratios, goals met or missed
	@mkdir -p bin; CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/deploy ./actions/deploy
	@cd hack/bench && $(GO) build -o ../../bin/ ./kubectl helm.sh/helm/v4/cmd/helm
	@cd lab && $(GO) run ./benchdeploy -action ../bin/deploy -kubectl ../bin/kubectl -helm ../bin/helm $(BENCH)

bench-start: ## Tell how large the four programs are and how long they take to start, alone and through install.sh
	@$(GO) run ./internal/benchstart $(BENCH_START)

# kwok is built from its Go module, in a module of its own; its stages, which say what becomes of a node and of a pod, lie in that module.
bench-scale: lab-up ## Run 100 canaries at once on simulated pods: requests to the API server, memory of a process; half an hour
	@mkdir -p bin; CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/canary ./actions/canary
	@cd hack/bench/kwok && $(GO) build -o ../../../bin/ sigs.k8s.io/kwok/cmd/kwok
	@stages=$$(cd hack/bench/kwok && $(GO) list -m -f '{{.Dir}}' sigs.k8s.io/kwok)/kustomize/stage; \
	cd lab && $(GO) run ./benchscale -action ../bin/canary -kwok ../bin/kwok -stages "$$stages" -json ../bin/scale.json $(BENCH_SCALE)

bench-verdict: ## Simulate canaries under promote's verdict and those of Argo, Flagger and Kayenta; a minute and a half on two free cores, no cluster
	@cd lab && $(GO) run ./benchverdict $(BENCH_VERDICT)

# Argo Rollouts' and Flagger's controllers are built from modules of their own: each pins another Kubernetes.
RUNS ?= 5
bench-canary: lab-up ## Let a candidate go bad under promote, Argo Rollouts and Flagger, RUNS (5) times each, also with the orchestrator killed; 45 minutes
	@mkdir -p bin; CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/canary ./actions/canary
	@echo "building Argo Rollouts and Flagger; the first time takes minutes" >&2
	@cd hack/bench/argo && $(GO) build -o ../../../bin/ github.com/argoproj/argo-rollouts/cmd/rollouts-controller
	@cd hack/bench/flagger && $(GO) build -o ../../../bin/ github.com/fluxcd/flagger/cmd/flagger
	@argo=$$(cd hack/bench/argo && $(GO) list -m -f '{{.Dir}}' github.com/argoproj/argo-rollouts); \
	flagger=$$(cd hack/bench/flagger && $(GO) list -m -f '{{.Dir}}' github.com/fluxcd/flagger); \
	cd lab && $(GO) run ./benchcanary -runs $(RUNS) -json ../bin/bench-canary.json -canary ../bin/canary -argo ../bin/rollouts-controller -flagger ../bin/flagger \
		-argo-crds "$$argo/manifests/crds" -flagger-crds "$$flagger/artifacts/flagger/crd.yaml" $(BENCH_CANARY)

clean: ## Remove what was built here
	@rm -rf bin dist
