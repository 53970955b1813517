package logship

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kreislauf/logship/config"
	"kreislauf/logship/enrich"
	"kreislauf/logship/tail"
)

// sampleBytes is how much of a file Propose looks at, in bytes.
const sampleBytes = 1 << 20

// Propose returns a configuration for the file at path, as YAML with comments: which type of input its lines are, what their members
// stand for, where their time is. It looks at the beginning of sample. Address and state folder are placeholders.
func Propose(path string, sample io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(sample, sampleBytes))
	if err != nil {
		return "", fmt.Errorf("read sample: %w", err)
	}
	data = bytes.TrimPrefix(data, []byte(tail.ByteOrderMark))
	if end := bytes.LastIndexByte(data, '\n'); end >= 0 {
		data = data[:end] // what follows may be half a line
	}
	p := enrich.Propose(bytes.Split(data, []byte{'\n'}), time.Now())
	if p.Lines == 0 {
		return "", fmt.Errorf("%s has no line to look at", path)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "# Proposed by `kreislauf logship init`: %d of %d lines have this form.\n", p.Fits, p.Lines)
	out.WriteString("state_dir: /var/lib/logship\ninputs:\n")
	fmt.Fprintf(&out, "  - type: %s\n    paths: [%s]\n", config.Type(p.Type), strconv.Quote(path))
	if len(p.Keys) > 0 {
		out.WriteString("    keys:\n")
		for _, name := range slices.Sorted(maps.Keys(p.Keys)) {
			fmt.Fprintf(&out, "      %s: %s\n", strconv.Quote(name), strconv.Quote(p.Keys[name]))
		}
	}
	if p.TimeKey != "" {
		fmt.Fprintf(&out, "    time: {key: %s}\n", strconv.Quote(p.TimeKey))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Known)) {
		fmt.Fprintf(&out, "    # %s is known as %s\n", oneLine(name), p.Known[name])
	}
	for _, name := range p.Others {
		fmt.Fprintf(&out, "    # %s stays as it is\n", oneLine(name))
	}
	out.WriteString("targets:\n  - urls: [\"http://127.0.0.1:9200\"]\n")
	return out.String(), nil
}

// oneLine makes a name fit for a comment.
func oneLine(name string) string {
	return strings.Trim(strconv.Quote(name), `"`)
}
