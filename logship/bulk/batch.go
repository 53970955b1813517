package bulk

// Item is one document of a batch. Offsets are into the buffer of the batch.
type Item struct {
	// Start is where the action line begins, Doc where the document begins; it ends, with its line feed, where the
	// next item begins.
	Start, Doc uint32
	// Raw is the length of the unchanged line at the start of the document, without its closing brace; 0 when the
	// line was wrapped.
	Raw uint32
	// File is an index into Files of the batch; Offset is where the line begins in that file, in bytes.
	File   uint32
	Offset int64
	// Tally is an index into Tallies of the batch plus one; 0 when nobody counts the document.
	Tally uint16

	unclear bool // an attempt before has no known result
}

// Tally counts what became of the documents of one data stream and one span of time.
type Tally struct {
	// Stream is the number of the data stream, Span that of the span of time.
	Stream uint16
	Span   int64
	// Stored were indexed by a request that was answered. Unclear were there already (409) when they were sent
	// again after an attempt without an answer, so they are of that attempt or older.
	Stored, Unclear int64
}

// Batch is a bulk body under construction or on its way. The maker fills Buf, Items, Files and Tallies and does not
// touch them while Deliver runs.
type Batch struct {
	Buf   []byte
	Items []Item
	// Files are the paths that items refer to, for the dead-letter store.
	Files []string
	// Streams are the names of the data streams that documents so far went to; it only grows from batch to batch.
	Streams []string
	Tallies []Tally

	resend  []byte         // scratch for bodies that are not one piece of Buf
	order   []int          // scratch for the numbers of the items
	shorter map[int][]byte // items that were shortened because the server did not take them whole
}

// all returns the numbers of all items.
func (b *Batch) all() []int {
	b.order = b.order[:0]
	for i := range b.Items {
		b.order = append(b.order, i)
	}
	return b.order
}

// Reset empties the batch and keeps its memory, unless huge lines made it grow far beyond limit.
func (b *Batch) Reset(limit int) {
	if cap(b.Buf) > 2*limit {
		b.Buf = nil
	}
	if cap(b.resend) > 2*limit {
		b.resend = nil
	}
	b.Buf, b.Items, b.Files, b.Tallies, b.shorter = b.Buf[:0], b.Items[:0], b.Files[:0], b.Tallies[:0], nil
}

// original returns the two lines of item i as they were made.
func (b *Batch) original(i int) []byte {
	end := len(b.Buf)
	if i+1 < len(b.Items) {
		end = int(b.Items[i+1].Start)
	}
	return b.Buf[b.Items[i].Start:end]
}

// bytes returns the two lines of item i as they are sent.
func (b *Batch) bytes(i int) []byte {
	if short := b.shorter[i]; short != nil {
		return short
	}
	return b.original(i)
}

// piece returns the items as they are in Buf, nil when they are not neighbours there or some were shortened.
func (b *Batch) piece(items []int) []byte {
	first, last := items[0], items[len(items)-1]
	if last-first != len(items)-1 || b.shorter != nil {
		return nil
	}
	return b.Buf[b.Items[first].Start : int(b.Items[last].Start)+len(b.original(last))]
}

// body returns the request body of the items: a piece of Buf, or a copy.
func (b *Batch) body(items []int) []byte {
	if piece := b.piece(items); piece != nil {
		return piece
	}
	b.resend = b.resend[:0]
	for _, i := range items {
		b.resend = append(b.resend, b.bytes(i)...)
	}
	return b.resend
}

// prefix returns how many of the items fit into limit bytes, at least one.
func (b *Batch) prefix(items []int, limit int) int {
	if piece := b.piece(items); piece != nil && len(piece) <= limit {
		return len(items)
	}
	total := 0
	for n, i := range items {
		total += len(b.bytes(i))
		if total > limit && n > 0 {
			return n
		}
	}
	return len(items)
}

// settle counts what became of item i.
func (b *Batch) settle(i int, v verdict) {
	item := &b.Items[i]
	if item.Tally == 0 {
		return
	}
	switch tally := &b.Tallies[item.Tally-1]; {
	case v == stored:
		tally.Stored++
	case v == duplicate && item.unclear:
		tally.Unclear++
	}
}
