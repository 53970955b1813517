package logship

import (
	"context"
	"fmt"
	"path/filepath"

	"kreislauf/logship/bulk"
	"kreislauf/logship/config"
)

// Replay sends the dead letters of one target of the configuration again. Mend first why the target refused them. It may run
// beside the shipper. alarm is told what the replay waits for. When dry is true nothing is sent, and the result says what would
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
		return bulk.NewDeadLetters(filepath.Join(string(c.StateDir), t.Name), int64(t.DeadLetterBytes)).Replay(ctx, conf, dry)
	}
	return bulk.Replay{}, fmt.Errorf("there is no target %q", target)
}
