package enrich

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"kreislauf/logship/record"
	"kreislauf/logship/syslog"
)

// entry is what syslog or the journal says about a text: fields of its document.
type entry struct {
	fields []byte // ,"name":value one after the other
	names  []entryField
	time   []byte // RFC 3339; empty when it is not known
	text   []byte
}

// entryField is where a field stands in the fields of an entry.
type entryField struct {
	name       string
	start, end int
}

func (e *entry) reset() {
	e.fields, e.names, e.time, e.text = e.fields[:0], e.names[:0], e.time[:0], e.text[:0]
}

// set adds a field with a text; an empty one is left out.
func (e *entry) set(name, value string) {
	if value != "" {
		start := len(e.fields)
		e.fields = appendField(e.fields, name, value)
		e.names = append(e.names, entryField{name, start, len(e.fields)})
	}
}

// setRaw adds a field with a JSON value.
func (e *entry) setRaw(name string, value []byte) {
	start := len(e.fields)
	e.fields = append(append(append(append(e.fields, `,"`...), name...), `":`...), value...)
	e.names = append(e.names, entryField{name, start, len(e.fields)})
}

// setNumber adds a field with a number; a text that is none is left out.
func (e *entry) setNumber(name, value string) {
	if n, err := strconv.ParseUint(value, 10, 32); err == nil {
		e.setRaw(name, strconv.AppendUint(nil, n, 10))
	}
}

// setPriority adds what a priority says.
func (e *entry) setPriority(priority int) {
	e.set("log.level", syslog.Severity(priority))
	e.setNumber("log.syslog.severity.code", strconv.Itoa(priority&7))
}

// setFacility adds the facility of a priority.
func (e *entry) setFacility(priority int) {
	e.setNumber("log.syslog.facility.code", strconv.Itoa(priority>>3))
	e.set("log.syslog.facility.name", syslog.Facility(priority))
}

// appendTo appends the fields but for those of which has says that the document has them.
func (e *entry) appendTo(dst []byte, has func(name string) bool) []byte {
	for _, f := range e.names {
		if !has(f.name) {
			dst = append(dst, e.fields[f.start:f.end]...)
		}
	}
	return dst
}

// hasField reports whether the document of the line that was scanned has a field, as it was written or after it was mended.
func (b *Builder) hasField(line []byte, name string) bool {
	if key, ok := record.KeyOf([]byte(name)); ok {
		return b.line.Has(key)
	}
	if slices.ContainsFunc(b.mend.changes, func(c change) bool { return c.path == name }) {
		return true
	}
	return slices.ContainsFunc(b.line.Members(), func(m record.Span) bool { return string(line[m.Start:m.End]) == name })
}

// appendEntry appends the document of a message of syslog or an entry of the journal. A text that is a JSON object is read as the line
// of a service; what it says itself counts.
func (b *Builder) appendEntry(dst []byte, o *Origin, in Input, line []byte) (out []byte, m Mark, ok bool) {
	e := &b.entry
	e.reset()
	b.mend.changes = b.mend.changes[:0] // hasField looks at those of this line
	if o.source.Kind == Journal {
		if in.Truncated || !e.readJournal(line, o.source.Service == "") {
			tag := "invalid_json"
			if in.Truncated {
				tag = "truncated"
			}
			dst, m = b.wrap(dst, o, in, line, tag)
			return dst, m, true
		}
	} else {
		b.readSyslog(o, line)
	}
	in.entry = e
	if len(e.time) > 0 {
		in.Time = e.time
	}
	text := bytes.TrimSpace(e.text)
	if len(text) > 0 && text[0] == '{' && !in.Truncated {
		dst, m = b.appendJSON(dst, o, in, text)
		return dst, m, true
	}
	dst, m = b.wrap(dst, o, in, bytes.TrimRight(e.text, " \t\r\n"), textTag(in, ""))
	return dst, m, true
}

// readSyslog reads a message of syslog.
func (b *Builder) readSyslog(o *Origin, line []byte) {
	e, now := &b.entry, time.UnixMilli(b.nowMS)
	if o.source.Received {
		if came, sender, message, ok := ParseReceived(line); ok {
			line, now = message, came
			e.time = came.UTC().AppendFormat(e.time, time.RFC3339Nano)
			e.set("log.source.address", sender)
		}
	}
	m := b.syslog.Parse(line, now)
	e.text = append(e.text, m.Text...)
	if !m.Time.IsZero() && m.Time.Year() > 0 && m.Time.Year() < 10000 {
		e.time = m.Time.UTC().AppendFormat(e.time[:0], time.RFC3339Nano)
	}
	if m.Priority >= 0 {
		e.setNumber("log.syslog.priority", strconv.Itoa(m.Priority))
		e.setPriority(m.Priority)
		e.setFacility(m.Priority)
	}
	e.set("log.syslog.hostname", m.Host)
	e.set("host.name", m.Host)
	e.set("log.syslog.appname", m.App)
	e.set("process.name", m.App)
	if o.source.Service == "" {
		e.set("service_name", m.App)
	}
	e.set("log.syslog.procid", m.PID)
	e.setNumber("process.pid", m.PID)
	e.set("log.syslog.msgid", m.ID)
	if m.Version > 0 {
		e.set("log.syslog.version", strconv.Itoa(m.Version))
	}
	if m.Data != nil {
		if data, err := json.Marshal(m.Data); err == nil { // texts only: it cannot fail
			e.setRaw("log.syslog.structured_data", data)
		}
	}
}

// AppendReceived appends the line in which a message of syslog is kept that came at a time from a sender: both, and the message, whose
// line feeds are escaped.
func AppendReceived(dst []byte, came time.Time, sender string, message []byte) []byte {
	dst = append(came.UTC().AppendFormat(dst, time.RFC3339Nano), ' ')
	if sender == "" {
		sender = "-"
	}
	dst = append(append(dst, sender...), ' ')
	for _, c := range message {
		switch c {
		case '\n':
			dst = append(dst, `\n`...)
		case '\\':
			dst = append(dst, `\\`...)
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '\n')
}

// ParseReceived reads a line of AppendReceived without its line feed. The sender is empty when it is not known.
func ParseReceived(line []byte) (came time.Time, sender string, message []byte, ok bool) {
	stamp, rest, _ := bytes.Cut(line, []byte{' '})
	from, escaped, found := bytes.Cut(rest, []byte{' '})
	came, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err != nil || !found {
		return came, "", nil, false
	}
	if sender = string(from); sender == "-" {
		sender = ""
	}
	if !bytes.ContainsRune(escaped, '\\') {
		return came, sender, escaped, true
	}
	message = make([]byte, 0, len(escaped))
	for i := 0; i < len(escaped); i++ {
		c := escaped[i]
		if c == '\\' && i+1 < len(escaped) {
			if i++; escaped[i] == 'n' {
				c = '\n'
			}
		}
		message = append(message, c)
	}
	return came, sender, message, true
}

// journalTexts says which fields of a document the fields of a journal's entry are (systemd.journal-fields(7)).
var journalTexts = [...]struct{ field, name string }{
	{"_HOSTNAME", "host.name"},
	{"_MACHINE_ID", "host.id"},
	{"_BOOT_ID", "host.boot.id"},
	{"SYSLOG_IDENTIFIER", "log.syslog.appname"},
	{"_EXE", "process.executable"},
	{"_UID", "user.id"},
	{"_SYSTEMD_UNIT", "systemd.unit"},
	{"_SYSTEMD_USER_UNIT", "systemd.user_unit"},
	{"_SYSTEMD_SLICE", "systemd.slice"},
	{"_TRANSPORT", "systemd.transport"},
	{"MESSAGE_ID", "log.syslog.msgid"},
	{"CODE_FILE", "log.origin.file.name"},
	{"CODE_FUNC", "log.origin.function"},
	{"ERRNO", "error.code"},
}

// ownName is what journald allows as the name of a field that a program chooses.
var ownName = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)

// maxOwnFields bounds the fields of an entry that its program chose.
const maxOwnFields = 50

// readJournal reads an entry of the journal as `journalctl -o json` writes it: values are texts, arrays of numbers where they are no
// text, arrays of these where a field has several values, and null where they were too long. named says that the program names the
// service. It reports false for a line that is no entry.
func (e *entry) readJournal(line []byte, named bool) bool {
	var all map[string]json.RawMessage
	if json.Unmarshal(line, &all) != nil || all["__REALTIME_TIMESTAMP"] == nil {
		return false
	}
	get := func(name string) string { return string(journalValue(all[name])) }
	if us, err := strconv.ParseInt(get("__REALTIME_TIMESTAMP"), 10, 64); err == nil && us > 0 && us < 250_000_000_000_000_000 {
		e.time = time.UnixMicro(us).UTC().AppendFormat(e.time, time.RFC3339Nano)
	}
	e.text = append(e.text, journalValue(all["MESSAGE"])...)
	if n, err := strconv.ParseUint(get("PRIORITY"), 10, 8); err == nil && n < 8 {
		e.setPriority(int(n))
	}
	if n, err := strconv.ParseUint(get("SYSLOG_FACILITY"), 10, 8); err == nil && n < 24 {
		e.setFacility(int(n) << 3)
	}
	for _, t := range journalTexts {
		e.set(t.name, get(t.field))
	}
	app := get("SYSLOG_IDENTIFIER")
	name := get("_COMM")
	if name == "" {
		name = app
	}
	e.set("process.name", name)
	pid := get("_PID")
	if pid == "" {
		pid = get("SYSLOG_PID")
	}
	e.setNumber("process.pid", pid)
	e.setNumber("log.origin.file.line", get("CODE_LINE"))
	if named {
		if app == "" {
			app = strings.TrimSuffix(get("_SYSTEMD_UNIT"), ".service")
		}
		e.set("service_name", app)
	}
	e.ownFields(all)
	return true
}

// ownFields adds what the program itself chose to say, as labels.
func (e *entry) ownFields(all map[string]json.RawMessage) {
	var own []string
	for name := range all {
		switch {
		case strings.HasPrefix(name, "_"), strings.HasPrefix(name, "SYSLOG_"), strings.HasPrefix(name, "CODE_"):
		case name == "MESSAGE", name == "PRIORITY", name == "MESSAGE_ID", name == "ERRNO":
		case ownName.MatchString(name):
			own = append(own, name)
		}
	}
	slices.Sort(own)
	for _, name := range own[:min(len(own), maxOwnFields)] {
		e.set("labels."+strings.ToLower(name), string(journalValue(all[name])))
	}
}

// journalValue returns the bytes of a value; of several values the first.
func journalValue(raw json.RawMessage) []byte {
	if len(raw) == 0 || raw[0] == 'n' {
		return nil
	}
	if raw[0] != '[' {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			return raw
		}
		return []byte(text)
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil || len(list) == 0 {
		return nil
	}
	if first := list[0]; first[0] == '"' || first[0] == '[' {
		return journalValue(first)
	}
	out := make([]byte, 0, len(list))
	for _, n := range list {
		c, err := strconv.ParseUint(string(n), 10, 8)
		if err != nil {
			return raw
		}
		out = append(out, byte(c))
	}
	return out
}
