#!/bin/sh
# Records what a release promises: real events of each type (test/contract/events) and its OpenAPI documents (test/openapi/released).
# usage: sh test/contract/record.sh <commit>
set -eu
release=$(git rev-parse --short=7 "$1^{commit}")
dir=$(mktemp -d)
trap 'git worktree remove --force "$dir/tree"; rm -rf "$dir"' EXIT
git worktree add --quiet --detach "$dir/tree" "$release"
# A release from before there was a recorder is run with today's.
[ -f "$dir/tree/test/embedded/record.go" ] || cp test/embedded/*.go "$dir/tree/test/embedded/"
mkdir "$dir/written"
(cd "$dir/tree" && CONTRACT_EVENTS="$dir/written" go test -count=1 ./test/journey ./test/openapi ./services/...)
go test ./test/contract/events -count=1 -run 'TestRecord$' -record "$dir/written" -release "$release"
for document in services/components.yaml $(cd "$dir/tree" && ls services/*/openapi.yaml); do
	to="test/openapi/released/testdata/$release/${document#services/}"
	mkdir -p "$(dirname "$to")"
	cp "$dir/tree/$document" "$to"
done
echo "recorded $release: look at the difference, and commit it"
