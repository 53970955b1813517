package bulk

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// verdict is what to do with a document after an attempt.
type verdict uint8

const (
	stored    verdict = iota
	duplicate         // was there already
	again             // send it again soon
	hold              // send it again, but somebody has to repair the setup first
	reject            // will never be taken: dead-letter file
)

// itemAnswer is one element of items in a bulk answer.
type itemAnswer struct {
	Status       int    `json:"status"`
	FailureStore string `json:"failure_store"`
	Error        *struct {
		Type   string `json:"type"`
		Reason string `json:"reason"`
	} `json:"error"`
}

func (a *itemAnswer) reason() string {
	if a.Error == nil {
		return fmt.Sprintf("status %d", a.Status)
	}
	return fmt.Sprintf("status %d %s: %s", a.Status, a.Error.Type, a.Error.Reason)
}

// itemVerdict decides about one document by its own status.
func itemVerdict(status int) verdict {
	switch {
	case status >= 200 && status < 300:
		return stored
	case status == 409:
		return duplicate
	case status == 429 || status >= 500 || status < 200:
		return again
	case status == 401 || status == 403 || status == 404:
		return hold
	}
	return reject
}

// storedItem is the answer to one stored document as it is with filter_path.
const storedItem = `{"create":{"status":201}}`

// allStored reports whether the answer says, without being decoded, that all n documents were stored and none of
// them went to the failure store.
func allStored(body []byte, n int) bool {
	head := body[:min(len(body), 256)]
	if !bytes.Contains(head, []byte(`"errors":false`)) {
		return false
	}
	if _, list, ok := bytes.Cut(head, []byte(`"items":[`)); ok && onlyStored(body[len(head)-len(list):], n) {
		return true
	}
	return bytes.Count(body, []byte(`"status":20`)) == n && !bytes.Contains(body, []byte(`"failure_store":"used"`))
}

// onlyStored reports whether list is n answers of the shortest form and its end.
func onlyStored(list []byte, n int) bool {
	for ; n > 0; n-- {
		rest, ok := bytes.CutPrefix(list, []byte(storedItem))
		if !ok || len(rest) == 0 || n > 1 && rest[0] != ',' || n == 1 && rest[0] != ']' {
			return false
		}
		list = rest[1:]
	}
	return true
}

// items decodes the answer to n documents. An answer that is not about exactly n documents is an error: then
// nothing is known about any of them.
func items(body []byte, n int) ([]itemAnswer, error) {
	var decoded struct {
		Items []map[string]itemAnswer `json:"items"`
	}
	if err := json.Unmarshal(body, &decoded); err != nil {
		return nil, fmt.Errorf("decode bulk answer: %w", err)
	}
	if len(decoded.Items) != n {
		return nil, fmt.Errorf("bulk answer has %d items for %d documents", len(decoded.Items), n)
	}
	out := make([]itemAnswer, n)
	for i, m := range decoded.Items {
		a, ok := m["create"]
		if !ok || len(m) != 1 {
			return nil, fmt.Errorf("bulk answer item %d is not about a create", i)
		}
		out[i] = a
	}
	return out, nil
}

// brief is the start of an answer for a log line.
func brief(body []byte) string {
	const limit = 300
	if len(body) > limit {
		body = body[:limit]
	}
	return string(bytes.ToValidUTF8(body, []byte("?")))
}
