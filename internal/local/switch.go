package local

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// searchedFile holds which Elasticsearch the data folder was used with last.
const searchedFile = "searched"

// tellSwitch says at the start that funnel, traces and searches begin empty, because another Elasticsearch than last time is asked: the
// data stay where they were and look lost. It remembers which one it is now.
func (p *Platform) tellSwitch(t *table) error {
	path := filepath.Join(p.Data, searchedFile)
	before, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		before = []byte(p.usedBefore())
	case err != nil:
		return fmt.Errorf("read which Elasticsearch was used last: %w", err)
	}
	last, now := strings.TrimSpace(string(before)), p.searched()
	if last == now {
		return nil
	}
	if last != "" {
		t.say("note: the last run of this data folder used the Elasticsearch %s, this one uses %s: funnel, traces, searches and dashboards show nothing\n"+
			"      of what happened before. Nothing is deleted; a start like the last one shows it again. Orders, accounts and invoices are in MongoDB and stay.",
			searchedWords(last), searchedWords(now))
		if !p.external["kafka"] && (last == profileReal) != p.Real {
			t.say("      Kafka changes too: what a service had not consumed yet waits in the other one.")
		}
	}
	if err := os.WriteFile(path, []byte(now+"\n"), 0o600); err != nil {
		return fmt.Errorf("remember which Elasticsearch is used: %w", err)
	}
	return nil
}

// searched names the Elasticsearch of this start: the profile, or the address that was given.
func (p *Platform) searched() string {
	if !p.external["elasticsearch"] {
		return p.profile()
	}
	if u, err := url.Parse(p.esURL); err == nil {
		return u.Scheme + "://" + u.Host
	}
	return "given"
}

// usedBefore guesses from the folders of older versions; empty when there was no run.
func (p *Platform) usedBefore() string {
	there := func(folder ...string) bool {
		_, err := os.Stat(filepath.Join(append([]string{p.Data}, folder...)...))
		return err == nil
	}
	used := map[string]bool{profileEmbedded: there("elasticsearch"), profileReal: there("real", "opensearch")}
	switch now := p.searched(); {
	case used[now] || !used[profileEmbedded] && !used[profileReal]:
		return ""
	case used[profileEmbedded]:
		return profileEmbedded
	default:
		return profileReal
	}
}

func searchedWords(which string) string {
	switch which {
	case profileEmbedded:
		return "of this program"
	case profileReal:
		return "of -real (OpenSearch)"
	default:
		return "at " + which
	}
}
