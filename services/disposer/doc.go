// Package disposer owns the disposal partners: master data, rates, certificates, drivers and vehicles.
//
// Owns: database kreislauf_disposer, collections partners (one document a partner, with its outbox and audit trail) and audit.
// Consumes: nothing. Emits: disposer.partner-changed (topic kreislauf.disposer.v1, key = partner id), the whole state after each change.
// Invariants: an active partner has a notice after §53 KrWG or a permit after §54 that has not ended; on the day after its end the
// partner becomes inactive by itself, and only the back office makes it active again. Whoever changes a partner names the version that it
// has read, so nobody overwrites what it has not seen. Each change by a person is in the audit trail.
//
// The file of master data is imported at each start. A partner whose entry in the file is the one that was imported last stays as it is,
// whatever people have changed since; an entry that has changed replaces the whole partner. A partner that is in no file any more stays.
//
// Many partners at once come from an ERP (docs/erp.md), one request each; check=true says whether one is right before any is stored.
//
// Not there yet: taking away the accounts of a driver or partner that is gone; a rate for a tonne above the included weight for each waste.
package disposer
