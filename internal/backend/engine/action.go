package engine

import "bytes"

// plainAction reads the action line that clients write most: {"create":{"_id":"x"}} or {"index":{"_index":"i","_id":"x"}},
// with no spaces and nothing that needs escaping. It returns nil for any other line, which is then read as JSON.
func plainAction(line []byte, index string) *bulkItem {
	it := &bulkItem{index: index}
	var ok bool
	if it.action, line, ok = plainString(line, `{"`); !ok || it.action != "create" && it.action != "index" {
		return nil
	}
	line, ok = bytes.CutPrefix(line, []byte(`:{`))
	if !ok {
		return nil
	}
	if name, rest, found := plainString(line, `"_index":"`); found {
		it.index = name
		if line, ok = bytes.CutPrefix(rest, []byte(`,`)); !ok {
			return nil
		}
	}
	if it.id, line, ok = plainString(line, `"_id":"`); !ok || it.id == "" || it.index == "" || string(line) != "}}" {
		return nil
	}
	return it
}

// plainString reads what stands between a prefix and the next quote; ok is false if that is not plain text.
func plainString(line []byte, prefix string) (s string, rest []byte, ok bool) {
	line, ok = bytes.CutPrefix(line, []byte(prefix))
	if !ok {
		return "", nil, false
	}
	for i, c := range line {
		switch {
		case c == '"':
			return string(line[:i]), line[i+1:], true
		case c == '\\' || c < 0x20 || c >= 0x7f:
			return "", nil, false
		}
	}
	return "", nil, false
}
