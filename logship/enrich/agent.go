package enrich

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/mileusna/useragent"
)

const (
	// agentCacheHalf is the number of user agents in one of the two halves of the cache.
	agentCacheHalf = 4 << 10
	// maxAgent is how much of a user agent is looked at, in bytes.
	maxAgent = 512
	// maxAgentName is the longest name or version that is believed, in bytes.
	maxAgentName = 64
)

// Agents says what a user agent is. It belongs to one goroutine.
type Agents struct {
	known cache[string]
}

// NewAgents returns an empty Agents.
func NewAgents() *Agents { return &Agents{known: newCache[string](agentCacheHalf)} }

// appendAgent appends what is known of a user agent as it stands in a JSON string.
func (a *Agents) appendAgent(dst, text []byte) []byte {
	if none(text) {
		return dst
	}
	return append(dst, a.known.get(text[:min(len(text), maxAgent)], renderAgent)...)
}

// renderAgent parses a user agent: `,"user_agent.name":"..."` and so on, empty when it says nothing.
func renderAgent(text string) string {
	if strings.IndexByte(text, '\\') >= 0 {
		if plain, err := strconv.Unquote(`"` + text + `"`); err == nil {
			text = plain
		}
	}
	ua := useragent.Parse(text)
	if ua.Bot {
		ua.Device = "Spider" // the word of the parsers that Elastic uses
	}
	if ua.OSVersion != "" && (ua.OSVersion[0] < '0' || ua.OSVersion[0] > '9') {
		ua.OSVersion = "" // x86_64 is none
	}
	var dst []byte
	for _, f := range [...]struct{ name, value string }{
		{"user_agent.name", ua.Name},
		{"user_agent.version", ua.Version},
		{"user_agent.os.name", ua.OS},
		{"user_agent.os.version", ua.OSVersion},
		{"user_agent.device.name", ua.Device},
	} {
		if f.value != "" && len(f.value) <= maxAgentName && strings.IndexFunc(f.value, odd) < 0 {
			dst = appendField(dst, f.name, f.value)
		}
	}
	return string(dst)
}

// odd reports whether a name with this letter is no name but a text that the parser could not take apart.
func odd(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" ._-+/", r)
}
