#!/bin/sh
# Gives the golden invoices of the payment service to the validators: phive, veraPDF and Mustang; factur-x too where python3 has it, and where
# it has sepaxml the files for the bank to their schemas.
# It needs Java 17 and Maven, which fetches the validators once. Any finding fails.
set -eu
cd "$(dirname "$0")"
if ! command -v mvn >/dev/null || ! command -v java >/dev/null; then
  echo "check-invoices: it needs Java 17 or newer and Maven; make deps REAL=1 installs them" >&2
  exit 1
fi
folder=../../services/payment/testdata/invoices
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
documents=$(ls $folder/*.pdf | wc -l)
files=$(ls $folder/*.pdf $folder/*.xml | wc -l)
judge() { # profile, program
  mvn -q -B -P"$1" dependency:build-classpath -Dmdep.outputFile="$out/$1.path" >&2
  java -cp "$(cat "$out/$1.path")" "$2.java" $folder >"$out/$1" 2>"$out/$1.err" || { cat "$out/$1.err" >&2; exit 1; }
  [ "$(tail -n 1 "$out/$1")" = "looked at $files" ] || { echo "check-invoices: $2 did not look at all $files files" >&2; exit 1; }
  sed '$d' "$out/$1" >>"$out/findings"
}
: >"$out/findings"
judge rules Rules
judge mustang Mustang
judges=3
if python3 -c 'import facturx' 2>/dev/null; then
  judges=4
  python3 factur-x.py $folder >>"$out/findings"
fi
bank=
if python3 -c 'import sepaxml, lxml' 2>/dev/null; then
  python3 sepa.py ../../services/payment/bank/testdata >>"$out/findings"
  bank=", $(ls ../../services/payment/bank/testdata/*.xml | wc -l) files for the bank"
fi
cat "$out/findings"
n=$(wc -l <"$out/findings")
echo "check-invoices: $documents documents, $judges judges$bank, $n findings"
[ "$n" -eq 0 ]
