package logship

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"kreislauf/logship/bulk"
	"kreislauf/logship/config"
	"kreislauf/logship/enrich"
)

// Replay sends the dead letters of one target of the configuration again, each mended as a line is that is read now. What else made
// the target refuse them has to be mended first. It may run beside the shipper. alarm is told what the replay waits for. When dry is true nothing is sent, and the result says what would
// be.
func Replay(ctx context.Context, c *config.Config, target string, dry bool, alarm func(what, detail string)) (bulk.Replay, error) {
	for i := range c.Targets {
		t := &c.Targets[i]
		if t.Name != target {
			continue
		}
		conf, err := clientConfig(t)
		if err != nil {
			return bulk.Replay{}, err
		}
		conf.Alarm, conf.CheckTemplates = alarm, false
		return bulk.NewDeadLetters(filepath.Join(string(c.StateDir), t.Name), int64(t.DeadLetterBytes)).Replay(ctx, conf, dry, mender(time.Local))
	}
	return bulk.Replay{}, fmt.Errorf("there is no target %q", target)
}

// mender returns what mends a dead letter. Times without a zone are read in zone.
func mender(zone *time.Location) func(*bulk.DeadLetter, string) (string, bool) {
	b := enrich.NewBuilder(enrich.Options{Zone: zone})
	return func(letter *bulk.DeadLetter, document string) (string, bool) {
		mended, ok := b.Mend([]byte(document), letter.Time)
		return string(mended), ok
	}
}
