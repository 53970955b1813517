package config

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const key64 = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

func TestReadProcessDefaults(t *testing.T) {
	r := New(FromMap(nil))
	got := ReadProcess(r, "order")
	want := Process{
		Service: "order", Env: "local", Customer: "kreislauf", Instance: "order-1", PlatformVersion: "dev",
		HTTPAddr: "127.0.0.1:0", InternalAddr: "127.0.0.1:0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	if err := r.Err(); err != nil {
		t.Errorf("defaults must be valid: %v", err)
	}
}

func TestReadProcessFromEnvironment(t *testing.T) {
	r := New(FromMap(map[string]string{
		"KREISLAUF_ENV": "prod_2", "KREISLAUF_CUSTOMER": "stadt-x", "KREISLAUF_INSTANCE": "order-7.example", "KREISLAUF_PLATFORM_VERSION": "2026.11",
		"KREISLAUF_HTTP_ADDR": "[::1]:80", "KREISLAUF_INTERNAL_ADDR": "127.0.0.1:81", "KREISLAUF_LOG_DIR": "/var/log/k",
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
	}))
	want := Process{
		Service: "order", Env: "prod_2", Customer: "stadt-x", Instance: "order-7.example", PlatformVersion: "2026.11",
		HTTPAddr: "[::1]:80", InternalAddr: "127.0.0.1:81", LogDir: "/var/log/k", OTLPEndpoint: "http://collector:4318",
	}
	if diff := cmp.Diff(want, ReadProcess(r, "order")); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
}

func TestBadValues(t *testing.T) {
	word := regexp.MustCompile(`[a-z]{1,3}`)
	for _, tc := range []struct {
		name, value string
		read        func(*Reader)
		want        string // part of the error
	}{
		{"match too long", "abcd", func(r *Reader) { r.Match("X", "a", word, "1 to 3 letters") }, `X: "abcd" is not allowed; use 1 to 3 letters`},
		{"match in the middle", "1ab", func(r *Reader) { r.Match("X", "a", word, "letters") }, "X:"},
		{"match newline at the end", "ab\n", func(r *Reader) { r.Match("X", "a", word, "letters") }, "X:"},
		{"address without port", "localhost", func(r *Reader) { r.Addr("X", "") }, "use host:port"},
		{"address missing", "", func(r *Reader) { r.Addr("X", "") }, "use host:port"},
		{"one bad address of two", "a:1,b", func(r *Reader) { r.Addrs("X") }, "host:port[,host:port]"},
		{"no addresses", "", func(r *Reader) { r.Addrs("X") }, "host:port[,host:port]"},
		{"other scheme", "ftp://a", func(r *Reader) { r.URL("X", "", "http", "https") }, "use http:// or https://host:port"},
		{"no host", "http:///path", func(r *Reader) { r.URL("X", "", "http") }, "X:"},
		{"no URL", "http://%zz", func(r *Reader) { r.URL("X", "", "http") }, "X:"},
		{"optional but wrong", "nonsense", func(r *Reader) { r.OptionalURL("X", "http") }, "X:"},
		{"short key", key64[:62], func(r *Reader) { r.Key("X") }, "openssl rand -hex 32"},
		{"key of other letters", "zz" + key64[2:], func(r *Reader) { r.Key("X") }, "64 hexadecimal digits"},
		{"missing key", "", func(r *Reader) { r.Key("X") }, "64 hexadecimal digits"},
		{"duration without unit", "30", func(r *Reader) { r.Duration("X", time.Second) }, "30s"},
		{"negative duration", "-1s", func(r *Reader) { r.Duration("X", time.Second) }, "X:"},
		{"bool", "yes", func(r *Reader) { r.Bool("X", false) }, "use true or false"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := New(FromMap(map[string]string{"X": tc.value}))
			tc.read(r)
			if err := r.Err(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestGoodValues(t *testing.T) {
	r := New(FromMap(map[string]string{
		"ADDRS": "a:1, b:2", "URL": "mongodb://u:p@h:1/x", "KEY": key64, "WAIT": "250ms", "ON": "true", "OFF": "false", "EMPTY": "",
	}))
	type all struct {
		Addrs     []string
		URL, None string
		KeyLen    int
		Wait, Def time.Duration
		On, Off   bool
		Empty     string
	}
	got := all{
		r.Addrs("ADDRS"), r.URL("URL", "", "mongodb"), r.OptionalURL("NONE", "http"), len(r.Key("KEY")), r.Duration("WAIT", time.Second),
		r.Duration("DEF", time.Minute), r.Bool("ON", false), r.Bool("OFF", true), r.String("EMPTY", "default"),
	}
	want := all{[]string{"a:1", "b:2"}, "mongodb://u:p@h:1/x", "", 32, 250 * time.Millisecond, time.Minute, true, false, "default"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	r := New(FromMap(map[string]string{"KREISLAUF_ENV": "with-dash", "KREISLAUF_CUSTOMER": "../etc", "KREISLAUF_HTTP_ADDR": "80"}))
	ReadProcess(r, "order")
	err := r.Err()
	if err == nil {
		t.Fatal("three mistakes were accepted")
	}
	for _, name := range []string{"KREISLAUF_ENV", "KREISLAUF_CUSTOMER", "KREISLAUF_HTTP_ADDR"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in %v", name, err)
		}
	}
	joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err)
	if !ok || len(joined.Unwrap()) != 3 {
		t.Errorf("want three errors, got %v", err)
	}
}

func TestDumpMasksSecrets(t *testing.T) {
	r := New(FromMap(map[string]string{
		"PASSWORD": "hunter2", "KEY": key64, "BAD_KEY": "hunter2", "URI": "mongodb://user:hunter2@db:1", "BAD_URI": "hunter2", "NAME": "order",
	}))
	r.Secret("PASSWORD")
	r.Secret("NO_PASSWORD")
	r.Key("KEY")
	r.Key("BAD_KEY")
	r.URL("URI", "", "mongodb")
	r.URL("BAD_URI", "", "mongodb")
	r.OptionalURL("NO_URI", "http")
	r.String("NAME", "")
	want := []string{
		"BAD_KEY=********", "BAD_URI=(not shown)", "KEY=********", "NAME=order", "NO_PASSWORD=", "NO_URI=", "PASSWORD=********",
		"URI=mongodb://user:xxxxx@db:1",
	}
	if diff := cmp.Diff(want, r.Dump()); diff != "" {
		t.Errorf("dump (-want +got):\n%s", diff)
	}
	if text := r.Err().Error(); strings.Contains(text, "hunter2") || strings.Contains(text, key64) {
		t.Errorf("an error shows a secret: %s", text)
	}
}
