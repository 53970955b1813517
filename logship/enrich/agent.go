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
	// maxAgent is how much of a user agent is parsed, in bytes.
	maxAgent = 512
	// maxAgentName is the longest name or version that is taken for one, in bytes.
	maxAgentName = 64
)

// Agents recognises user agents: name, version, system, device. It belongs to one goroutine.
type Agents struct {
	known cache[string]
}

// NewAgents returns an empty Agents.
func NewAgents() *Agents { return &Agents{known: newCache[string](agentCacheHalf)} }

// appendAgent appends the fields of a user agent. text is the inside of a JSON string, with its escapes.
func (a *Agents) appendAgent(dst, text []byte) []byte {
	if none(text) {
		return dst
	}
	return append(dst, a.known.get(text[:min(len(text), maxAgent)], renderAgent)...)
}

// renderAgent parses a user agent and renders its fields: `,"user_agent.name":"..."` and so on. The result is empty when nothing
// was recognised.
func renderAgent(text string) string {
	if strings.IndexByte(text, '\\') >= 0 {
		if plain, err := strconv.Unquote(`"` + text + `"`); err == nil {
			text = plain
		}
	}
	ua := useragent.Parse(text)
	if ua.Bot {
		ua.Device = "Spider" // what the parser of Elasticsearch calls it
	}
	if ua.OSVersion != "" && (ua.OSVersion[0] < '0' || ua.OSVersion[0] > '9') {
		ua.OSVersion = "" // the library also takes words such as x86_64 for a version
	}
	var dst []byte
	for _, f := range [...]struct{ name, value string }{
		{"user_agent.name", ua.Name},
		{"user_agent.version", ua.Version},
		{"user_agent.os.name", ua.OS},
		{"user_agent.os.version", ua.OSVersion},
		{"user_agent.device.name", ua.Device},
	} {
		if f.value != "" && len(f.value) <= maxAgentName && strings.IndexFunc(f.value, notInName) < 0 {
			dst = appendField(dst, f.name, f.value)
		}
	}
	return string(dst)
}

// notInName reports whether a character does not occur in the names of browsers, systems and devices. A value that has one is
// not a name: it is a piece of the user agent that the library did not understand.
func notInName(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" ._-+/", r)
}
