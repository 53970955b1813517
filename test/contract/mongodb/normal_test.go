package mongodb

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// recent is the time from which on a date in an answer means "now": no case uses a later one.
var recent = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// normal renders an answer as one line: the fields of the answer and of its cursor by name, what differs from run to run replaced.
func normal(raw bson.Raw) (string, error) {
	var d bson.D
	if err := bson.Unmarshal(raw, &d); err != nil {
		return "", err
	}
	d = slices.DeleteFunc(d, func(e bson.E) bool { return e.Key == "$clusterTime" || e.Key == "operationTime" })
	byKey := func(a, b bson.E) int { return strings.Compare(a.Key, b.Key) }
	slices.SortFunc(d, byKey)
	for _, e := range d {
		if cursor, ok := e.Value.(bson.D); ok && e.Key == "cursor" {
			slices.SortFunc(cursor, byKey)
			for i := range cursor {
				if id, ok := cursor[i].Value.(int64); ok && cursor[i].Key == "id" && id != 0 {
					cursor[i].Value = int64(1)
				}
			}
		}
	}
	out, err := bson.MarshalExtJSON(replaced(d), true, false)
	if err != nil {
		return "", err
	}
	text := regexp.MustCompile(`\{"\$number(Int|Double)":"([^"]*)"\}`).ReplaceAllString(string(out), "$2")
	return text, nil
}

func replaced(v any) any {
	switch v := v.(type) {
	case bson.D:
		out := bson.D{}
		for _, e := range v {
			if locale, ok := e.Value.(bson.D); ok && e.Key == "collation" && len(locale) == 1 && locale[0].Value == "simple" {
				continue // what every index has; only newer engines show it
			}
			out = append(out, bson.E{Key: e.Key, Value: replaced(e.Value)})
		}
		return out
	case bson.A:
		out := bson.A{}
		for _, e := range v {
			out = append(out, replaced(e))
		}
		return out
	case bson.ObjectID:
		if v.Timestamp().After(recent) {
			return "(new id)"
		}
	case bson.DateTime:
		if v.Time().After(recent) {
			return "(now)"
		}
	case bson.Timestamp:
		if int64(v.T) > recent.Unix() {
			return "(now as timestamp)"
		}
	case bson.Binary:
		if v.Subtype == bson.TypeBinaryUUID {
			return "(uuid)"
		}
	case string:
		return regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).ReplaceAllString(v, "(uuid)")
	}
	return v
}
