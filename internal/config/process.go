package config

import (
	"os"
	"regexp"
)

// Process is what every process of the platform is told.
type Process struct {
	Service         string // "order"; given by the program, not by a variable
	Env             string // data stream namespace
	Customer        string // tenant
	Instance        string // "order-2"
	PlatformVersion string // of the set of services
	ServiceVersion  string // of this service; empty for what is none
	HTTPAddr        string // public listener
	InternalAddr    string // health and metrics
	LogDir          string // empty: standard output
	OTLPEndpoint    string // empty: no collector
}

var (
	envPattern      = regexp.MustCompile(`[a-z0-9_]{1,32}`)
	customerPattern = regexp.MustCompile(`[a-z0-9][a-z0-9_-]{0,31}`)
	instancePattern = regexp.MustCompile(`[a-z0-9][a-z0-9.-]{0,127}`)
)

// ReadProcess reads the settings that all processes share.
func ReadProcess(r *Reader, service string) Process {
	instance := service + "-1"
	if host, err := os.Hostname(); err == nil && os.Getenv("KUBERNETES_SERVICE_HOST") != "" {
		instance = host
	}
	return Process{
		Service:         service,
		Env:             r.Match("KREISLAUF_ENV", "local", envPattern, "1 to 32 of a-z, 0-9 and _ (it names data streams, so no -)"),
		Customer:        r.Match("KREISLAUF_CUSTOMER", "kreislauf", customerPattern, "1 to 32 of a-z, 0-9, _ and -"),
		Instance:        r.Match("KREISLAUF_INSTANCE", instance, instancePattern, "a host-name-like word such as order-2"),
		PlatformVersion: r.String("KREISLAUF_PLATFORM_VERSION", "dev"),
		ServiceVersion:  r.String("KREISLAUF_SERVICE_VERSION", ""),
		HTTPAddr:        r.Addr("KREISLAUF_HTTP_ADDR", "127.0.0.1:0"),
		InternalAddr:    r.Addr("KREISLAUF_INTERNAL_ADDR", "127.0.0.1:0"),
		LogDir:          r.String("KREISLAUF_LOG_DIR", ""),
		OTLPEndpoint:    r.OptionalURL("OTEL_EXPORTER_OTLP_ENDPOINT", "http", "https"),
	}
}
