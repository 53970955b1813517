package funnel

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"time"

	"kreislauf/elk/strict"
)

// Definition is one funnel as written in elk/funnels/<name>.json.
type Definition struct {
	Name        string
	Description string
	Index       string        // data stream or pattern; {env} becomes the environment
	Key         string        // field that names the visit
	Link        string        // field that stands in for Key where an event lacks it; empty = none
	Window      time.Duration // from the first step to the last
	Value       string        // field in cents that is summed; empty = none
	Examples    int           // how many visits a drop-off names; 0 = 5
	Ends        []string      // event.actions after which who waits is lost; none of a step
	Steps       []Step        // at least two, each action once
}

// Step is one step: the events with this event.action.
type Step struct {
	Name   string
	Action string
	Waits  bool // who is here waits for somebody else: the visit is open, however long, until the next step or an end
}

// Load reads funnels/<name>.json of fsys.
func Load(fsys fs.FS, name string) (Definition, error) {
	file := "funnels/" + name + ".json"
	raw, err := fs.ReadFile(fsys, file)
	if err != nil {
		return Definition{}, fmt.Errorf("read funnel: %w", err)
	}
	d, err := parse(file, raw)
	if err == nil && d.Name != name {
		err = &strict.Error{File: file, Key: "name", Problem: fmt.Sprintf("%q must be the file's name, %q", d.Name, name)}
	}
	return d, err
}

func parse(file string, raw []byte) (Definition, error) {
	var (
		d     Definition
		steps []json.RawMessage
	)
	err := strict.Object(file, "", raw, map[string]strict.Member{
		"name": {Into: &d.Name}, "description": {Into: &d.Description, Optional: true}, "index": {Into: &d.Index},
		"key": {Into: &d.Key}, "link": {Into: &d.Link, Optional: true}, "window": {Into: &d.Window},
		"value": {Into: &d.Value, Optional: true}, "examples": {Into: &d.Examples, Optional: true}, "ends": {Into: &d.Ends, Optional: true}, "steps": {Into: &steps},
	})
	if err != nil {
		return Definition{}, err
	}
	seen := map[string]bool{}
	for i, raw := range steps {
		var s Step
		key := fmt.Sprintf("steps[%d]", i)
		err := strict.Object(file, key, raw, map[string]strict.Member{
			"name": {Into: &s.Name}, "action": {Into: &s.Action}, "waits": {Into: &s.Waits, Optional: true},
		})
		if err != nil {
			return Definition{}, err
		}
		if s.Name == "" || s.Action == "" || seen[s.Action] {
			return Definition{}, &strict.Error{File: file, Key: key, Problem: "name and action must not be empty, and an action belongs to one step"}
		}
		seen[s.Action] = true
		d.Steps = append(d.Steps, s)
	}
	for _, end := range d.Ends {
		if end == "" || seen[end] {
			return Definition{}, &strict.Error{File: file, Key: "ends", Problem: fmt.Sprintf("%q must be an action, and none of a step", end)}
		}
	}
	switch {
	case len(d.Steps) < 2:
		return Definition{}, &strict.Error{File: file, Key: "steps", Problem: "a funnel has at least two steps"}
	case d.Steps[len(d.Steps)-1].Waits:
		return Definition{}, &strict.Error{File: file, Key: "steps", Problem: "nobody waits at the last step"}
	case d.Window <= 0:
		return Definition{}, &strict.Error{File: file, Key: "window", Problem: "must be longer than 0s"}
	case d.Index == "" || d.Key == "":
		return Definition{}, &strict.Error{File: file, Key: "", Problem: "index and key must not be empty"}
	case d.Examples < 0:
		return Definition{}, &strict.Error{File: file, Key: "examples", Problem: "must not be negative"}
	case d.Examples == 0:
		d.Examples = 5
	}
	return d, nil
}
