// Package foreign shows that a service in another language joins by the contracts alone: tally.py, in Python, counts orders by postcode.
// It has what docs/architecture.md says of events and lines, docs/format/dead-letters.md of dead letters, and nothing else of the project.
//
// The test runs it against the embedded broker, ships its lines with logship and looks for them in the engine. It needs python3 and
// a network from which pip installs kafka-python; without them it is skipped and says so (`make test-foreign` counts).
package foreign
