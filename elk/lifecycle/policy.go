package lifecycle

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// Policy is what is carried out of a lifecycle policy.
type Policy struct {
	// Rollover are the conditions of POST {stream}/_rollover that OpenSearch knows: max_age, max_docs, max_size.
	Rollover map[string]any
	// DeleteAfter counts from the rollover of a backing index.
	DeleteAfter time.Duration
}

// Load reads a policy of the folder ilm. What it cannot carry out is an error; set_priority means nothing here.
func Load(files fs.FS, name string) (Policy, error) {
	raw, err := fs.ReadFile(files, "ilm/"+name+".json")
	if err != nil {
		return Policy{}, fmt.Errorf("read lifecycle policy: %w", err)
	}
	p, err := parse(raw)
	if err != nil {
		return Policy{}, fmt.Errorf("lifecycle policy %s: %w", name, err)
	}
	return p, nil
}

func parse(raw []byte) (Policy, error) {
	var file struct {
		Policy struct {
			Phases map[string]struct {
				MinAge  string                    `json:"min_age"`
				Actions map[string]map[string]any `json:"actions"`
			} `json:"phases"`
		} `json:"policy"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return Policy{}, err
	}
	p := Policy{Rollover: map[string]any{}, DeleteAfter: -1}
	for phase, content := range file.Policy.Phases {
		for action, settings := range content.Actions {
			switch phase + "." + action {
			case "hot.set_priority":
			case "hot.rollover":
				for condition, value := range settings {
					switch condition {
					case "max_age", "max_docs", "max_size":
						p.Rollover[condition] = value
					case "max_primary_shard_size": // the same: the templates ask for one primary shard
						p.Rollover["max_size"] = value
					default:
						return Policy{}, fmt.Errorf("rollover condition %s is not carried out; use max_age, max_docs, max_size or max_primary_shard_size", condition)
					}
				}
			case "delete.delete":
				age, err := parseAge(content.MinAge)
				if err != nil {
					return Policy{}, fmt.Errorf("min_age of the phase delete: %w", err)
				}
				p.DeleteAfter = age
			default:
				return Policy{}, fmt.Errorf("action %s of phase %s is not carried out; use hot.rollover and delete.delete", action, phase)
			}
		}
	}
	if len(p.Rollover) == 0 || p.DeleteAfter < 0 {
		return Policy{}, errors.New("it needs the actions hot.rollover and delete.delete")
	}
	return p, nil
}

// parseAge reads a time value such as 30d; time.ParseDuration knows no days.
func parseAge(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%q is no time value such as 30d or 12h", text)
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	age, err := time.ParseDuration(text)
	if err != nil || age < 0 {
		return 0, fmt.Errorf("%q is no time value such as 30d or 12h", text)
	}
	return age, nil
}
