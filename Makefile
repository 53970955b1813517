# kreislauf: two commands do everything. `make up` runs the platform, `make test` passes the tests. `make help` lists the rest.
SHELL := /bin/bash
.DELETE_ON_ERROR:
BIN := bin/kreislauf
GO_FILES := $(shell find . -name '*.go' -not -path './web/*' -not -path './k8s/test/*' 2>/dev/null) go.mod go.sum
EMBEDDED := $(shell find elk nginx internal cmd services -type f \( -name '*.json' -o -name '*.ndjson' -o -name '*.csv' -o -name '*.tmpl' -o -name '*.xml' -o -name '*.sha256' -o -name 'openapi.yaml' -o -name 'components.yaml' \) -not -path '*/testdata/*' 2>/dev/null)
WEB_FILES := $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/test-results/*' -not -path '*/playwright-report/*' 2>/dev/null)
# REAL=1 runs the real Kafka and OpenSearch instead of the embedded ones: make up REAL=1, make smoke REAL=1.
REAL_FLAG := $(if $(REAL),-real)
# said prints what runs and how long it took.
said = @printf '%s …\n' "$(1)"; s=$$(date +%s); $(2); r=$$?; printf '  %s: %s after %s s\n' "$(1)" "$$([ $$r = 0 ] && echo done || echo FAILED)" "$$(( $$(date +%s) - s ))"; exit $$r

# compiled counts the packages that go build -v names, a line every 5 seconds, and passes on everything else: the first build takes minutes.
compiled = { n=0; next=5; while IFS= read -r line; do case "$$line" in *[!A-Za-z0-9._/~-]*) echo "$$line";; \
	*) n=$$((n+1)); if [ $$SECONDS -ge $$next ]; then next=$$((SECONDS+5)); echo "  … $$n packages compiled, now $$line"; fi;; esac; done; }

.PHONY: help quick up build web deps tour smoke test test-go test-k8s test-web check race gen arch bench-platform bench-observability bench-logship drills drill-kill drill-hang test-real bench-kafkad clean conformance record record-kafka record-redis record-conformance bench-backends drills-backends bench-engine drills-engine

up: $(BIN) web/dist/index.html deps ## run the platform; ARGS="-compact" and other flags of kreislauf up
	$(BIN) up $(REAL_FLAG) $(ARGS)

help: ## this list
	@show() { echo "$$1"; grep -E '^[a-z][a-z0-9-]*:.* ## ' Makefile | grep -E $$3 "^($$2)" | sed -E 's/^([^:]*):.* ## /  \1\t/' | expand -t 24; }; \
	show 'run and build' 'up:|build:|web:|deps:|clean:|help:'; \
	show 'check and test' 'up:|build:|web:|deps:|clean:|help:|drill|bench|record' -v; \
	show 'drills: kills, outages, full disks' 'drill'; \
	show 'benchmarks' 'bench'; \
	show 'record what real servers answer' 'record'

build: $(BIN) ## bin/kreislauf

$(BIN): $(GO_FILES) $(EMBEDDED)
	$(call said,build bin/kreislauf,set -o pipefail; go build -v -o $(BIN) ./cmd/kreislauf 2>&1 | $(compiled))

deps: $(BIN) ## install nginx and redis-server where missing, fetch geo data; REAL=1: Java, Maven, and the jars of Kafka and OpenSearch too
	@$(BIN) deps $(REAL_FLAG)

web: web/dist/index.html ## the customer's page, in web/dist

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	$(call said,install web tool chain,cd web && npm ci --no-audit --no-fund --loglevel=error)

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_FILES)
	$(call said,build web app,cd web && npm run --silent build && touch dist/index.html)

tour: $(BIN) web/dist/index.html deps ## the tour of the README, by itself: its commands have to print what stands beneath them; ARGS=-slow waits for the alert too
	go run ./test/tour -bin $(BIN) -web web/dist $(ARGS)

smoke: $(BIN) web/dist/index.html deps ## everything up on free ports in a temporary folder, one order, its trace
	go run ./test/smoke -bin $(BIN) -web web/dist $(REAL_FLAG) $(SMOKE_ARGS)

test: test-go test-foreign test-released test-k8s test-web smoke test-real ## all tests

test-real: ## the smoke test with the real Kafka and OpenSearch, on machines that have Java and Maven
	@if command -v mvn >/dev/null && [ "$$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')" -ge 17 ] 2>/dev/null; then $(MAKE) smoke REAL=1; \
	else echo "smoke REAL=1: SKIPPED, it needs Java 17 or newer and Maven; make deps REAL=1 installs them"; fi

test-go: deps ## the tests of all Go packages
	$(call said,Go tests,go test ./...)

.PHONY: test-foreign
test-foreign: ## a service in Python joins by the contracts alone; says so where it is skipped
	$(call said,service in another language,set -o pipefail; go test -count=1 -v ./test/foreign | grep -E '^(---|ok|FAIL)|SKIPPED|_test.go')

# The modules below read files beside theirs, which go test does not see when it decides whether an earlier result still holds: hence -count=1.
.PHONY: test-released
test-released: ## today's OpenAPI documents break no client of a release
	$(call said,documents of releases,cd test/openapi/released && go test -count=1 ./...)

test-k8s: ## what the Helm charts render
	$(call said,chart tests,cd k8s/test && go test -count=1 ./...)

test-web: $(BIN) web/dist/index.html ## types, unit tests and size of the page, and the page in a browser against a running platform
	@$(BIN) deps -chromium
	$(call said,web types and unit tests,cd web && npm run --silent check)
	$(call said,web size gate,cd web && npm run --silent size)
	go run ./test/smoke -bin $(BIN) -web web/dist -limit 30m -then "cd web && KREISLAUF_POSTCODE=50667 npm run --silent e2e"

quick: ## less than a minute: format, vet and tests of what has changed, and what was forgotten (BASE=commit to choose)
	@go run ./test/quick $(if $(BASE),-base $(BASE))

check: gen ## what a change must pass before it is pushed
	go vet ./...
	@test -z "$$(go tool gofumpt -l $$(git ls-files '*.go' | grep -v '^k8s/test/'))" || { go tool gofumpt -l $$(git ls-files '*.go' | grep -v '^k8s/test/'); echo "run: go tool gofumpt -w <files>"; exit 1; }
	go tool staticcheck ./...
	$(MAKE) arch test race

gen: ## generated files are up to date
	go test ./k8s -count=1

arch: ## import rules, package docs
	go test . -count=1

race: ## race detector on the packages that changed since the last push (BASE=commit to choose)
	@pkgs=$$(git diff --name-only $${BASE:-$$(git merge-base HEAD origin/main 2>/dev/null || git rev-list --max-parents=0 HEAD | tail -n 1)} -- '*.go' | grep -v '^k8s/test/' | xargs -r -n1 dirname | sort -u | while read -r d; do [ -d "$$d" ] && [ ! -f "$$d/go.mod" ] && echo "./$$d"; done); \
	if [ -n "$$pkgs" ]; then go test -race $$pkgs; else echo "no package changed"; fi

.PHONY: record-mongodb
record-mongodb: ## those of the MongoDB server at CONTRACT_MONGODB_URI
	@[ -n "$$CONTRACT_MONGODB_URI" ] || { echo "set CONTRACT_MONGODB_URI to the address of a MongoDB server"; exit 1; }
	go test ./test/contract/mongodb -count=1 -record

.PHONY: fuzz-api
fuzz-api: ## generated requests to every operation as everybody, for as long as ARGS="-seconds 300 -seed 7" says
	go test -count=1 -timeout 0 -v ./test/openapi -run 'TestGeneratedRequests$$' -args $(or $(ARGS),-seconds 300)

.PHONY: record-release
record-release: ## what RELEASE=commit promises: its events and OpenAPI documents, see docs/releases.md
	@[ -n "$(RELEASE)" ] || { echo "say which: make record-release RELEASE=<commit>"; exit 1; }
	sh test/contract/record.sh $(RELEASE)

.PHONY: check-invoices
check-invoices: ## the golden invoices against phive, Mustang, veraPDF and factur-x; needs Java and Maven
	@sh test/invoices/check.sh

drill-kill: $(BIN) web/dist/index.html deps ## kill every process of the running platform in turn and order again; in the end all databases agree
	go run ./test/smoke -bin $(BIN) -web web/dist -kill-each

drill-hang: $(BIN) web/dist/index.html deps ## stop (SIGSTOP) every kind of process while customers order; ARGS="-only redis,order-2" runs some
	go run ./test/drills/hang -bin $(BIN) -web web/dist $(ARGS)

drills: $(BIN) ## logship through outages, kills, rotations and bad lines: nothing lost, nothing shown twice; ARGS="-only outage" and other flags
	go run ./test/drills/logship -bin $(BIN) $(ARGS)

record: record-kafka record-redis $(if $(CONTRACT_MONGODB_URI),record-mongodb) ## ask the real servers again and rewrite the golden files of the contract suites

record-kafka: ## those of Kafka; needs Java and Maven
	CONTRACT_RECORD=1 go test -count=1 -timeout 10m ./test/contract/kafka

record-redis: ## those of Redis; needs redis-server
	CONTRACT_RECORD=1 go test -count=1 ./test/contract/redis

bench-backends: $(BIN) ## speed and memory of the embedded MongoDB and Kafka; BENCH_MONGODB_URI and BENCH_KAFKA_BROKERS name real ones to compare with
	go run ./test/bench/backends -bin $(BIN) $(ARGS)

drills-backends: $(BIN) ## the embedded MongoDB, Kafka and Redis through kill -9, a full disk, bad bytes and races; ARGS="kill-mongod claims" runs some
	go run ./test/drills/backends -bin $(BIN) $(ARGS)

bench-kafkad: $(BIN) ## memory of the embedded Kafka with all topics full, before and after restarts
	go run ./test/bench/kafkad -bin $(BIN)

bench-platform: $(BIN) web/dist/index.html deps ## what an order costs: CPU by process, memory, disk, latency; BASE=commit compares with that build; ARGS="-compact -grow 50000 -json file"
	go run ./test/bench/platform -bin $(BIN) -web web/dist $(REAL_FLAG) $(if $(BASE),-base $(BASE)) $(ARGS)

bench-observability: ## CPU that log line, server span and two client spans add to a request
	go run ./test/bench/observability

drills-engine: $(BIN) ## the embedded Elasticsearch through kill -9, damage, a full disk: nothing lost; ARGS="-only kill" and other flags
	go run ./test/drills/engine -bin $(BIN) $(ARGS)

bench-engine: $(BIN) ## ingestion, disk, memory and queries of the embedded Elasticsearch; ACCESS_LOG and BENCH_OPENSEARCH_URL, ARGS="-docs 100000"
	go run ./test/bench/engine -bin $(BIN) $(ARGS)

bench-logship: $(BIN) deps ## what shipping a line costs: floor, logship, peers; ACCESS_LOG names the input, ARGS="-quick" and other flags
	go run ./test/bench/logship -bin $(BIN) $(ARGS)

clean: ## remove what was built
	rm -rf bin web/dist web/node_modules

conformance: ## the recorded answers of OpenSearch against the engine, or against CONFORMANCE_URL
	@go run ./test/conformance/replay

record-conformance: ## those of the OpenSearch at CONFORMANCE_URL, for make conformance
	@go run ./test/conformance/replay -record test/conformance/testdata
