// Package charts renders the Helm charts in ../apps and ../daemonsets with Helm's own engine and checks what comes out.
//
// Every document is decoded strictly with the types of k8s.io/api: an unknown or repeated field is an error. The tests
// then state what each workload must have; the names of services and variables are compared with the Go sources of the
// platform. It is a module of its own, so that the product does not depend on Helm and Kubernetes. No cluster is needed.
//
// testdata holds links to what is read outside of this module: go test looks only inside a module whether a result that
// it has kept is still true.
//
// What it does not check: the values of fields, which only a cluster validates; ../README.md tells what was tried there.
package charts
