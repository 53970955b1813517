package config

import (
	"net/netip"
	"regexp"
	"time"
)

// Config is everything that logship can be told. The tags say for each key: its name, its default, what is allowed
// in words where the type does not say it, and the bounds of numbers.
type Config struct {
	Instance       string         `key:"instance" shown:"host name" allowed:"text"`
	Env            string         `key:"env" default:"local" allowed:"text"`
	Customer       string         `key:"customer" allowed:"text"`
	StateDir       Path           `key:"state_dir" required:"true" allowed:"folder"`
	HTTP           string         `key:"http" allowed:"host:port"`
	Log            Log            `key:"log"`
	PollInterval   time.Duration  `key:"poll_interval" default:"5s" min:"10ms" max:"10m"`
	MaxProcs       int            `key:"max_procs" default:"1" min:"1" max:"64"`
	Inputs         []Input        `key:"inputs" required:"true"`
	Geo            Geo            `key:"geo"`
	UserAgent      bool           `key:"user_agent" default:"true"`
	TrustedProxies []netip.Prefix `key:"trusted_proxies" shown:"private networks" allowed:"addresses, networks"`
	Routes         []Route        `key:"routes"`
	Targets        []Target       `key:"targets" required:"true"`
}

// Log is how logship itself logs.
type Log struct {
	Level string `key:"level" default:"info" oneof:"debug, info, warn, error"`
}

// Input is a set of files and how their lines are read.
type Input struct {
	Type    Type     `key:"type" required:"true" oneof:"service, nginx_access, nginx_combined, nginx_error, container, text, syslog, journal"`
	Paths   []Glob   `key:"paths" allowed:"patterns with *, **, ?, [a-z], {a,b}"`
	Receive []string `key:"receive" allowed:"stdin, journalctl, udp://, tcp:// with host:port, unix://, unixgram:// with a path"`
	// ReceivedBytes bounds what was received and is not delivered yet.
	ReceivedBytes Size              `key:"received_bytes" shown:"256MiB" min:"16MiB" max:"1024GiB"`
	Exclude       []Glob            `key:"exclude" allowed:"patterns"`
	Folders       Folders           `key:"folders" allowed:"<env>, <customer>, <service>, *, separated by /"`
	Dataset       string            `key:"dataset" allowed:"text"`
	Fields        map[string]string `key:"fields" allowed:"env, customer, service_name, labels.<name>"`
	Multiline     *Multiline        `key:"multiline"`
	Keys          map[string]string `key:"keys" allowed:"names of the line: names of fields"`
	Time          InputTime         `key:"time"`
}

// InputTime says where the time stands in the JSON lines of an input, and how it is written. Both are found out when they are empty.
type InputTime struct {
	Key    string `key:"key" allowed:"name of a member"`
	Format string `key:"format" allowed:"rfc3339, unix, unix_ms, unix_us, unix_ns, or 2006-01-02 15:04:05 in the wanted form"`
}

// Type says what the lines of an input are.
type Type string

// The types of inputs.
const (
	Service       Type = "service"        // JSON lines of a service
	NginxAccess   Type = "nginx_access"   // JSON lines of the nginx access log
	NginxCombined Type = "nginx_combined" // the access log format that nginx calls combined
	NginxError    Type = "nginx_error"    // the error log of nginx
	Container     Type = "container"      // lines of a container runtime, CRI or Docker
	Text          Type = "text"           // anything else
	Syslog        Type = "syslog"         // messages of syslog, RFC 3164 or 5424
	Journal       Type = "journal"        // the journal of systemd, as journalctl -o json writes it
)

// Multiline says which lines belong together. A line starts an event when it matches Start or, with Continue, when
// it does not match Continue.
type Multiline struct {
	Preset   string         `key:"preset" oneof:"java, python, go"`
	Start    *regexp.Regexp `key:"start" allowed:"regular expression (RE2)"`
	Continue *regexp.Regexp `key:"continue" allowed:"regular expression (RE2)"`
	MaxBytes Size           `key:"max_bytes" default:"1MiB" min:"1KiB" max:"1MiB"`
	Timeout  time.Duration  `key:"timeout" default:"2s" min:"100ms" max:"10m"`
}

// Geo says where the databases for the places of clients are.
type Geo struct {
	CityDir     Path `key:"city_dir" allowed:"folder"`
	CountryFile Path `key:"country_file" allowed:"file"`
}

// Route says where lines go that match all of Match. The last part of a stream that a line names itself stays.
type Route struct {
	Match     map[string]Patterns `key:"match" required:"true" allowed:"keys of the line with patterns with * and ?"`
	Type      string              `key:"type" allowed:"text with {key}"`
	Dataset   string              `key:"dataset" allowed:"text with {key}"`
	Namespace string              `key:"namespace" allowed:"text with {key}"`
}

// Patterns match when one of them matches.
type Patterns []string

// Target is an Elasticsearch or OpenSearch that gets every line.
type Target struct {
	Name            string        `key:"name" default:"main" allowed:"a-z, 0-9, -, _"`
	URLs            []string      `key:"urls" required:"true" allowed:"http:// or https:// addresses"`
	Gzip            int           `key:"gzip" default:"0" min:"0" max:"9"`
	APIKey          Secret        `key:"api_key" allowed:"text, ${VARIABLE}"`
	APIKeyFile      Path          `key:"api_key_file" allowed:"file"`
	Username        string        `key:"username" allowed:"text"`
	Password        Secret        `key:"password" allowed:"text, ${VARIABLE}"`
	PasswordFile    Path          `key:"password_file" allowed:"file"`
	TLS             TLS           `key:"tls"`
	BatchBytes      Size          `key:"batch_bytes" default:"4MiB" min:"16KiB" max:"64MiB"`
	FlushInterval   time.Duration `key:"flush_interval" default:"100ms" min:"1ms" max:"1m"`
	CheckTemplates  bool          `key:"check_templates" default:"true"`
	DeadLetterBytes Size          `key:"dead_letter_bytes" default:"1GiB" min:"1MiB" max:"1024GiB"`
	HeldBytes       Size          `key:"held_bytes" default:"1GiB" min:"0B" max:"1024GiB"`
	MaxOpenFiles    int           `key:"max_open_files" default:"1024" min:"16" max:"1000000"`
	Reconcile       time.Duration `key:"reconcile" default:"1m" min:"0s" max:"1h"`
	ReportInterval  time.Duration `key:"report_interval" default:"10s" min:"0s" max:"1h"`
}

// TLS is how a target is trusted.
type TLS struct {
	CAFile             Path   `key:"ca_file" allowed:"file"`
	CertFile           Path   `key:"cert_file" allowed:"file"`
	KeyFile            Path   `key:"key_file" allowed:"file"`
	ServerName         string `key:"server_name" allowed:"host name"`
	InsecureSkipVerify bool   `key:"insecure_skip_verify" default:"false"`
}

// Size is a number of bytes, written as 64KiB, 4MiB or 1048576.
type Size int64

// Path is the path of a file or folder. Relative ones are relative to the folder of the configuration file.
type Path string

// Glob is a pattern of paths, relative like Path.
type Glob string

// Secret is a text that is never shown.
type Secret string

// String keeps a secret out of logs.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString keeps a secret out of %#v.
func (s Secret) GoString() string { return s.String() }

// Folders says what the last folders of a path mean: "env", "customer", "service", or "" for nothing.
type Folders []string
