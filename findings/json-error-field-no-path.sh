#!/usr/bin/env bash
# Go's encoding/json: UnmarshalTypeError.Field is no path into the JSON that was read.
#
# Guessed: "the full path from root node to the field" (its comment) leads to the value that did not fit, so that an API can tell its client
#          which one it was, for example as a JSON pointer.
# Seen:    the index in an array and the key of a map are left out ("lines.quantity" for the second of two lines), which the comment does
#          not say, and the name of an embedded Go struct, which the JSON does not have, is put in ("Address.city" for {"city": 1}),
#          which it does say in three words: "include embedded struct". The same program built with GOEXPERIMENT=jsonv2 has the index
#          and the key and not the struct. Offset tells which value it was, but is its end in one and its beginning in the other.
# Matters: an error that points at "/Address/city" or "/lines/quantity" points nowhere, and a form shows it beside no field. Embedding a
#          struct, which leaves the JSON as it is, changes the errors of an API, and so does the experiment.
#
# Versions: the standard library of the go command in use (tried with go1.26.8).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off

cat >main.go <<'EOF'
package main

import (
	"encoding/json"
	"errors"
	"fmt"
)

type Address struct {
	City string `json:"city"`
}

type Line struct {
	Quantity int `json:"quantity"`
}

type Order struct {
	Address
	Customer struct {
		Name string `json:"name"`
	} `json:"customer"`
	Lines  []Line          `json:"lines"`
	Extras map[string]Line `json:"extras"`
}

func main() {
	for _, in := range []string{
		`{"customer":{"name":1}}`,
		`{"lines":[{"quantity":1},{"quantity":"2"}]}`,
		`{"extras":{"gift":{"quantity":"2"}}}`,
		`{"city":1}`,
	} {
		var t *json.UnmarshalTypeError
		if !errors.As(json.Unmarshal([]byte(in), new(Order)), &t) {
			panic(in)
		}
		fmt.Printf("%s: %s, behind %s\n", in, t.Field, in[:t.Offset])
	}
}
EOF
go mod init probe 2>/dev/null
seen=$(GOEXPERIMENT=nojsonv2 go run .)
seen_v2=$(GOEXPERIMENT=jsonv2 go run .)

expected='{"customer":{"name":1}}: customer.name, behind {"customer":{"name":1
{"lines":[{"quantity":1},{"quantity":"2"}]}: lines.quantity, behind {"lines":[{"quantity":1},{"quantity":"2"
{"extras":{"gift":{"quantity":"2"}}}: extras.quantity, behind {"extras":{"gift":{"quantity":"2"
{"city":1}: Address.city, behind {"city":1'
expected_v2='{"customer":{"name":1}}: customer.name, behind {"customer":{"name":
{"lines":[{"quantity":1},{"quantity":"2"}]}: lines.1.quantity, behind {"lines":[{"quantity":1},{"quantity":
{"extras":{"gift":{"quantity":"2"}}}: extras.gift.quantity, behind {"extras":{"gift":{"quantity":
{"city":1}: city, behind {"city":'
echo "version: $(go env GOVERSION)"
echo "guessed: customer.name, lines.1.quantity, extras.gift.quantity, city"
echo "seen:    ${seen//$'\n'/$'\n'         }"
echo "         with GOEXPERIMENT=jsonv2:"
echo "         ${seen_v2//$'\n'/$'\n'         }"
[ "$seen" = "$expected" ] && [ "$seen_v2" = "$expected_v2" ] || { echo "CHANGED: this finding no longer holds" >&2; exit 1; }
