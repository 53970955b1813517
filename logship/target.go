package logship

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"kreislauf/logship/bulk"
	"kreislauf/logship/config"
	"kreislauf/logship/tail"
)

// clientConfig says how to reach a target. It reads the certificates that the configuration names.
func clientConfig(t *config.Target) (bulk.Config, error) {
	out := bulk.Config{
		URLs: t.URLs, Username: t.Username, Password: string(t.Password), APIKey: string(t.APIKey),
		Gzip: t.Gzip, MaxBytes: int(t.BatchBytes) + tail.MaxLine, CheckTemplates: t.CheckTemplates,
	}
	if t.TLS == (config.TLS{}) {
		return out, nil
	}
	out.TLS = &tls.Config{
		ServerName: t.TLS.ServerName, InsecureSkipVerify: t.TLS.InsecureSkipVerify, //nolint:gosec // the operator asked for it
	}
	if t.TLS.CAFile != "" {
		pem, err := os.ReadFile(string(t.TLS.CAFile))
		if err != nil {
			return out, fmt.Errorf("ca_file of target %s: %w", t.Name, err)
		}
		out.TLS.RootCAs = x509.NewCertPool()
		if !out.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return out, fmt.Errorf("ca_file of target %s: %s holds no PEM certificate", t.Name, t.TLS.CAFile)
		}
	}
	if t.TLS.CertFile != "" || t.TLS.KeyFile != "" {
		pair, err := tls.LoadX509KeyPair(string(t.TLS.CertFile), string(t.TLS.KeyFile))
		if err != nil {
			return out, fmt.Errorf("cert_file and key_file of target %s: %w", t.Name, err)
		}
		out.TLS.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}

// takeOver upgrades an old state folder. It once had no folders for targets; its files then belong to the first target and are
// moved to the folder of that one. The checkpoint goes last, so that the next start completes a move that was interrupted.
func takeOver(dir, target string) error {
	to := filepath.Join(dir, target)
	for _, name := range []string{"dead-letter.ndjson", "checkpoint.journal"} {
		from := filepath.Join(dir, name)
		if _, err := os.Stat(from); errors.Is(err, os.ErrNotExist) {
			continue
		}
		if _, err := os.Stat(filepath.Join(to, name)); err == nil {
			return fmt.Errorf("take over state folder: both %s and %s are there; move one away", from, filepath.Join(to, name))
		}
		if err := os.MkdirAll(to, 0o700); err != nil {
			return fmt.Errorf("take over state folder: %w", err)
		}
		if err := os.Rename(from, filepath.Join(to, name)); err != nil {
			return fmt.Errorf("take over state folder: %w", err)
		}
	}
	return nil
}
