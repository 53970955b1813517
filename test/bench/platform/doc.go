// Command platform measures what an order costs the whole platform: CPU seconds by process, memory, bytes written to the disk, and how
// long customers wait. It starts `kreislauf up` of a build itself, in a temporary folder on free ports, and sends orders through nginx.
// With -base it builds another commit as well and measures both with this same client, in turn: base, this, base, this.
//
// Scenarios, each on its own with -only:
//
//	idle    nothing is asked: memory and CPU
//	open    quote, order, read at given rates, whatever the answers take
//	closed  the same by a few customers who each wait for their answers
//	burst   only the order, of one quote, as fast as they are accepted; how far matching falls behind
//	grow    many orders; what one more costs, and the memory, as they become more (not by default: -grow 50000)
//
// How it measures:
//   - In scenario open each visit has an intended start. Its quote is measured from there, order and read from the answer before, so a
//     platform that stalls is charged for everybody who would have come meanwhile (no coordinated omission). Nothing limits how many
//     visits are under way.
//   - CPU of an order is what all processes of the platform used from before the first order until all orders were matched and all
//     their log lines were stored, divided by the orders: "whole". "accepting" stops at the last answer. This client is not in it.
//     What the platform uses anyway (scenario idle) is: at a few orders a second it is much of the figure, at 110/s hardly any.
//     The kernel counts in steps of 10 ms a process, so the figures of a few dozen orders are coarse.
//   - When an order was matched is read from its history afterwards, a page of 100 orders a request.
//   - A probe beside it writes and syncs 4 KiB again and again. A second in which one such sync takes longer than -stall counts as one
//     in which the disk stalled; "disk well" figures leave out the requests that touch such a second.
//   - "other CPU" is what the machine did outside the platform and this client: above 0.1 cores, repeat the measurement.
//
// Not guaranteed: figures that can be compared between machines. The ratio of two builds in one run can.
package main
