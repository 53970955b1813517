package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"
)

// parseLine reads one line of an access log: a JSON object of this platform's nginx, or the combined format.
func parseLine(line string) (record, error) {
	if strings.HasPrefix(strings.TrimLeft(line, " \t"), "{") {
		return parseJSON(line)
	}
	return parseCombined(line)
}

// parseJSON reads the members of the platform's access line (docs/architecture.md) that make a request.
func parseJSON(line string) (record, error) {
	var l struct {
		Msec    *float64 `json:"msec"` // seconds since 1970
		Remote  string   `json:"remote_addr"`
		Method  string   `json:"http.request.method"`
		Target  string   `json:"url.original"`
		Agent   string   `json:"user_agent.original"`
		Referer string   `json:"http.request.referrer"`
	}
	if err := json.Unmarshal([]byte(line), &l); err != nil {
		return record{}, fmt.Errorf("JSON: %w", err)
	}
	if l.Msec == nil || !(*l.Msec >= 0 && *l.Msec < 1e11) {
		return record{}, errors.New("msec: no time in seconds since 1970")
	}
	method, target, err := splitRequest(l.Method + " " + l.Target)
	if err != nil {
		return record{}, fmt.Errorf("http.request.method, url.original: %w", err)
	}
	r := record{at: time.UnixMilli(int64(math.Round(*l.Msec * 1000))).UTC(), method: method, target: target, referer: l.Referer, agent: l.Agent}
	if a, err := netip.ParseAddr(l.Remote); err == nil {
		r.from = a.WithZone("").Unmap()
	}
	return r, nil
}
