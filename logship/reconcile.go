package logship

import (
	"context"
	"fmt"
	"time"

	"kreislauf/logship/ledger"
)

// reconcile compares the documents that were acknowledged with those that are indexed, until ctx ends.
func (p *pipeline) reconcile(ctx context.Context) {
	ticker := time.NewTicker(max(p.ledger.Span()/4, 20*time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if p.client.Stats().Degraded {
			continue
		}
		var due []ledger.Account
		var streams []string
		p.pump.locked(func() {
			due, streams = p.ledger.Due(p.clock(), p.batcher.OldestSpan()), p.batcher.Streams()
		})
		for _, account := range due {
			p.compare(ctx, account, streams[account.Stream-1])
			if ctx.Err() != nil {
				return
			}
		}
	}
}

// compare asks the target how many documents of one account it has.
func (p *pipeline) compare(ctx context.Context, account ledger.Account, stream string) {
	from, to := p.ledger.Bounds(account)
	indexed, err := p.client.Count(ctx, stream, p.opt.Instance, from, to)
	if ctx.Err() != nil {
		return
	}
	p.pump.locked(func() { p.settle(account, stream, indexed, err) })
}

// settle books what the target answered.
func (p *pipeline) settle(account ledger.Account, stream string, indexed int64, err error) {
	if err != nil {
		p.ledger.Failed()
		p.alarms.Raise("written and indexed documents not compared", err.Error())
		return
	}
	if d, differs := p.ledger.Settle(account, stream, indexed, time.Now()); differs {
		p.alarms.Raise("WRITTEN AND INDEXED DOCUMENTS DIFFER", fmt.Sprintf("%s, event.created from %s: %d written, %d indexed",
			d.Stream, d.From.Format(time.RFC3339Nano), d.Written, d.Indexed))
	}
}
