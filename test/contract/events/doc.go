// Package events holds today's events against those that releases wrote: testdata/<commit>.json has real events of each type, as a
// release's own services wrote them, and the orders that they tell of, as its database kept them.
//
// Both directions are tested, because both versions run at once while one is rolled out: what the release wrote is read by today's
// consumers, and what today's services write has every member that the release's readers know. So a member is never removed, renamed
// or given another type; new ones only come.
//
// `make record-events RELEASE=<commit>` adds a release. It does not test what a member means.
package events
