// Package statistics owns what happened in the business, as events for funnels and KPI rules: those that apps post, and those that
// services emit.
//
// Owns: database kreislauf_statistics, collection events (one document a posted event, with its outbox); the event lines in its log,
// which become events-kreislauf-<env>.
// Consumes: every topic, its own included. Emits: statistics.recorded (topic kreislauf.statistics.v1, key = event id).
// Invariants: POST /api/statistics/v1/events is public and stable: members are only ever added; the type of a posted event holds no
// dot, so an app cannot fake a service's event; an event without a known X-Api-Key is marked as a stranger's; an application's ids are its own; a
// line may be written twice, and carries event.id so that it is shown once. Keys are kept as hashes.
// Limits: an address without a key 1,200 events a minute, an application what its row says; each instance counts for itself.
package statistics
