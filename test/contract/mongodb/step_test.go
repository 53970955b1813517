package mongodb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// commandsOf expands one line into the commands that it stands for.
func commandsOf(line string) ([]string, error) {
	word, rest, _ := strings.Cut(line, " ")
	if word == ">" {
		return []string{rest}, nil
	}
	collection := ""
	if word == "find" || word == "agg" {
		collection, rest, _ = strings.Cut(rest, " ")
	}
	args, err := jsonValues(rest)
	if err != nil {
		return nil, err
	}
	arg := func(i int, otherwise string) string {
		if i < len(args) {
			return args[i]
		}
		return otherwise
	}
	switch word {
	case "find":
		return []string{fmt.Sprintf(`{"find":%q,"filter":%s,"projection":%s,"sort":%s}`, collection, arg(0, "{}"), arg(1, `{"_id":1}`), arg(2, `{"_id":1}`))}, nil
	case "agg":
		return []string{fmt.Sprintf(`{"aggregate":%q,"pipeline":%s,"cursor":{}}`, collection, arg(0, "[]"))}, nil
	case "apply":
		statement := fmt.Sprintf(`"q":{"_id":1},"u":%s`, arg(1, "{}"))
		if options := strings.TrimSpace(strings.Trim(arg(2, "{}"), "{}")); options != "" {
			statement = fmt.Sprintf(`"u":%s,%s`, arg(1, "{}"), arg(2, "{}")[1:len(arg(2, "{}"))-1])
			if !strings.Contains(statement, `"q":`) {
				statement = `"q":{"_id":1},` + statement
			}
		}
		return []string{
			`{"delete":"apply","deletes":[{"q":{},"limit":0}]}`,
			fmt.Sprintf(`{"insert":"apply","documents":[%s]}`, arg(0, `{"_id":1}`)),
			fmt.Sprintf(`{"update":"apply","updates":[{%s}]}`, statement),
			`{"find":"apply"}`,
		}, nil
	default:
		return nil, fmt.Errorf("unknown step %q", word)
	}
}

// shown tells which of a step's commands have their answers recorded.
func shown(line string) int {
	switch word, _, _ := strings.Cut(line, " "); word {
	case "apply":
		return 2 // the first ones prepare
	default:
		return 0
	}
}

func jsonValues(s string) ([]string, error) {
	dec := json.NewDecoder(bytes.NewReader([]byte(s)))
	var out []string
	for dec.More() {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, fmt.Errorf("%s: %w", s, err)
		}
		out = append(out, string(raw))
	}
	return out, nil
}
