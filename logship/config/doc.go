// Package config owns the configuration of logship: its shape, its defaults, the reader of logship.yaml and the
// masked form that is logged.
//
// Invariants: the struct tags of Config are the only list of keys; the reader, the defaults, the reference table in
// README.md (held by a test) and Dump come from them. A configuration that was read without an error is complete:
// every default is filled in, every path is absolute, every secret file is read. All mistakes are reported at once,
// each with file, line, key and what is allowed. Sizes are bytes.
//
// Not guaranteed: that files, folders or targets exist, except the files of secrets and certificates. It does not
// watch for changes.
package config
