#!/usr/bin/env bash
# plz-to-bundesland 0.1.2 (PyPI): whole towns are given to the neighbouring state.
#
# Guessed: a package whose only job is "postcode to Bundesland" knows the state of a town, and says Unknown when it does not.
# Seen:    Witzenhausen (37213), Bad Sooden-Allendorf (37242) and Eschwege (37269), all in Hessen, are given to Niedersachsen;
#          Hann. Münden (34346), in Niedersachsen, to Hessen; Lindau at Lake Constance (88131), in Bayern, to Baden-Württemberg. Göttingen
#          (37073), Kassel (34117) and Ravensburg (88212) around them are right. The table is made of ranges, and where a range crosses
#          the border no answer says that it is a guess.
# Matters: the state decides on public holidays and on the law of a delivery; a check with big cities finds nothing.
#
# Versions: plz-to-bundesland 0.1.2.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv venv
venv/bin/pip install --quiet plz-to-bundesland==0.1.2
seen=$(venv/bin/python - <<'EOF'
from plz_to_bundesland import get_bundesland

for postcode, town, state in (
    ("37073", "Göttingen", "Niedersachsen"),
    ("34117", "Kassel", "Hessen"),
    ("88212", "Ravensburg", "Baden-Württemberg"),
    ("37213", "Witzenhausen", "Hessen"),
    ("37242", "Bad Sooden-Allendorf", "Hessen"),
    ("37269", "Eschwege", "Hessen"),
    ("34346", "Hann. Münden", "Niedersachsen"),
    ("88131", "Lindau", "Bayern"),
):
    said = get_bundesland(postcode)
    print(f"{postcode} {town}: {said}" + ("" if said == state else f", in truth {state}"))
EOF
)

expected='37073 Göttingen: Niedersachsen
34117 Kassel: Hessen
88212 Ravensburg: Baden-Württemberg
37213 Witzenhausen: Niedersachsen, in truth Hessen
37242 Bad Sooden-Allendorf: Niedersachsen, in truth Hessen
37269 Eschwege: Niedersachsen, in truth Hessen
34346 Hann. Münden: Hessen, in truth Niedersachsen
88131 Lindau: Baden-Württemberg, in truth Bayern'
echo "version: $(venv/bin/pip list --format=freeze | grep plz)"
echo "guessed: each town in its state"
echo "seen:    ${seen//$'\n'/$'\n'         }"
[ "$seen" = "$expected" ] || { echo "CHANGED: this finding no longer holds" >&2; exit 1; }
