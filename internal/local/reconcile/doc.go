// Package reconcile proves that the databases of the services agree: what was ordered, was taken by whom, was billed, credited and paid, and
// what customers were told of it. It reads and changes nothing.
//
// It compares the databases as the rules of the services would have made them, not the code with itself: amounts are worked out again from
// the orders, numbers are counted, bookings are added up. What could not be read is never taken for good.
//
// The databases are read one after the other while the platform works, so a step can be seen at one end and not at the other. Each
// difference therefore has the moment of its newest part: a young one is under way (Report.UnderWay), an older one is a difference.
//
// Not there yet: databases larger than memory (an order needs about 3 kB), mails about orders that are older than the events that are kept
// (a week): a platform that was updated from a version without mailing has none of them, and that is reported.
package reconcile
