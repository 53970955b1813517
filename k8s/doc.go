// Package k8s holds the Helm charts: apps (nginx, services, alerter, embedded backends) and daemonsets (logship).
//
// It has no code. Its test keeps the files that the charts take from elsewhere in this repository equal to their
// source: the nginx configuration that the package nginx renders, and the demo network of partners. What the charts
// render is tested by the module in k8s/test, so that this module does not depend on Helm and Kubernetes.
package k8s
