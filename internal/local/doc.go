// Package local owns the platform on one machine: which processes run, on which addresses, with which settings; their start in order,
// supervision and stop; run.json, which tells other commands where they are; and what a machine needs for it (Deps, Doctor).
//
//	plan -> backends -> provision Elasticsearch -> service instances -> nginx, logship, alerter -> stop in reverse
//
// Owns: the data folder (one platform at a time, held by a lock) and the cache folder (what can be fetched again).
// Invariants: every address, password and instance follows from the options, the table of services and secrets.json; a backend whose
// address is in the environment is never started or stopped; a service is told its own secrets only.
// Not guaranteed: anything about other machines; in production Kubernetes does what this package does.
package local
