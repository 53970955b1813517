// Package kreislauf names the layers of the project; the packages below it do the work.
//
//	cmd, test            anything may be imported
//	services/<name>      one package a service; imports internal and its own subpackages, never another service
//	logship nginx elk    the pipeline and the entry; import internal and their own tree
//	internal             the kit in layers, each importing those before it: vocabulary (events, money, problems), process basics
//	                     (settings, logging, telemetry), clients (stores, broker, HTTP, sessions), aggregates, process
//	internal/local       the platform on one machine; imports everything but cmd and test
//	internal/backend     embedded servers of the real protocols; import nothing else of the project
//	web k8s              the customer's page; Helm charts
//
// It also owns the versions of the platform and its services (VersionsOf): functions of the sources' content alone.
//
// The test in this folder enforces the import rules, the fences around drivers and a package comment everywhere.
package kreislauf
