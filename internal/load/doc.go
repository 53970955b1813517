// Package load owns the traffic that shows what the platform does under use: Run makes customers with the demand mix of German
// container hire, Replay sends a recorded access log through the entry again.
//
// Both are open-loop sources. Arrivals are scheduled ahead of time (a Poisson process of visits, or the times of the log) and never
// wait for answers, so a slow platform sees the same arrivals as a fast one and gets a queue. When more than MaxInFlight are under
// way, the source does not start another one but counts it as skipped and says so.
//
// Invariants:
//   - Latency runs from the scheduled start, not from the moment of sending: what a late source or a full queue costs is in the
//     figures. Within a visit, the first step is due at the arrival and each later one at the end of the step before it. Failed
//     steps are in the figures too.
//   - Every intended order ends in exactly one of two counts: placed (with a distinct id) or failed. A failed order is moreover
//     unknown when one of its tries may have reached a service and was never answered for certain.
//   - A repeated try carries the same Idempotency-Key (events: the same id), so retries never place an order twice.
//   - The same seed gives the same arrivals, addresses, wastes, sizes and postcodes. Ids, e-mail addresses and keys hold the start
//     time as well, so that a second run with the same seed is new to the platform.
//
// Percentiles come from histograms with fixed buckets of 1 µs up to 64 µs and of at most 1/32 of the value above it. The upper edge
// is reported, so a figure is never too low and at most 3.2 % too high; the maximum is exact. Progress lines count from the start.
//
// With Options.Invite, Run also plays those who work on orders: a dispatcher of each active partner, who answers offers and takes the steps
// of the work up to the weighing, and the back office with the bank. They are closed-loop, as people are: they look twice a pace at what is to
// be done, and do one thing after the other; their latencies run from the moment of sending. What becomes of an order (drawLife) follows from
// the seed and its visit, in whatever order the work is done; it is worked on beside that of other runs, and only this run's is counted.
//
// Not guaranteed: that the addresses belong to German networks (they are random public IPv4 addresses), or that the client address
// arrives: the entry believes X-Forwarded-For only from a trusted peer, and elsewhere limits the whole source as one client.
package load
