package logship_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kreislauf/logship/config"
)

// authority signs certificates. Its own is in the file ca.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	ca   config.Path
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.cert = template
	a.cert, a.key, a.ca, _ = a.sign(template)
	return a
}

// sign makes a key and a certificate for it, and writes both. An authority without a key signs itself.
func (a *authority) sign(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey, config.Path, config.Path) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	signer := a.key
	if signer == nil {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key, a.file("cert.pem", "CERTIFICATE", der), a.file("key.pem", "PRIVATE KEY", keyDER)
}

func (a *authority) file(name, kind string, der []byte) config.Path {
	a.t.Helper()
	path := filepath.Join(a.t.TempDir(), name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return config.Path(path)
}

// issue signs a certificate for a server or a client of that name.
func (a *authority) issue(name string, use x509.ExtKeyUsage) (cert, key config.Path) {
	_, _, cert, key = a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{use},
	})
	return cert, key
}

// serveTLS puts a TLS server for the name es.internal before the sink. It wants a certificate of clients, when given.
func (b *bench) serveTLS(a, clients *authority) (url string) {
	b.t.Helper()
	cert, key := a.issue("es.internal", x509.ExtKeyUsageServerAuth)
	pair, err := tls.LoadX509KeyPair(string(cert), string(key))
	if err != nil {
		b.t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(b.sink)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are the point
	if clients != nil {
		server.TLS.ClientCAs, server.TLS.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		server.TLS.ClientCAs.AddCert(clients.cert)
	}
	server.StartTLS()
	b.t.Cleanup(server.Close)
	return server.URL
}

func TestDeliversOverTLS(t *testing.T) {
	b := newBench(t)
	servers, clients := newAuthority(t), newAuthority(t)
	cert, key := clients.issue("shipper", x509.ExtKeyUsageClientAuth)
	target := &b.opt.Targets[0]
	target.URLs = []string{b.serveTLS(servers, clients)}
	target.TLS = config.TLS{CAFile: servers.ca, CertFile: cert, KeyFile: key, ServerName: "es.internal"}
	target.APIKey = "aWQ6a2V5"
	var authorization, peer string
	b.look = func(r *http.Request, _ []byte) {
		authorization, peer = r.Header.Get("Authorization"), r.TLS.PeerCertificates[0].Subject.CommonName
	}
	b.write(b.file, 0, 500)
	_, stop := b.run()
	b.wait(500)
	stop()
	b.complete(500, nil)
	if authorization != "APIKey aWQ6a2V5" || peer != "shipper" {
		t.Errorf("Authorization %q, client certificate of %q", authorization, peer)
	}
}

// TestHeldWithoutTrust: what a certificate is wrong for waits with an alarm and arrives after the repair.
func TestHeldWithoutTrust(t *testing.T) {
	t.Parallel()
	servers, clients, other := newAuthority(t), newAuthority(t), newAuthority(t)
	cert, key := clients.issue("shipper", x509.ExtKeyUsageClientAuth)
	wrongCert, wrongKey := other.issue("shipper", x509.ExtKeyUsageClientAuth)
	good := config.TLS{CAFile: servers.ca, CertFile: cert, KeyFile: key, ServerName: "es.internal"}
	for name, c := range map[string]struct {
		damage func(*config.TLS)
		reason string // in the alarm; a refused client may see only its connection end (TLS 1.3)
	}{
		"wrong authority":     {func(c *config.TLS) { c.CAFile = other.ca }, "certificate signed by unknown authority"},
		"authority not given": {func(c *config.TLS) { c.CAFile = "" }, "certificate signed by unknown authority"},
		"wrong server name": {
			func(c *config.TLS) { c.ServerName = "other.internal" },
			"certificate is valid for es.internal, not other.internal",
		},
		"no client certificate":       {func(c *config.TLS) { c.CertFile, c.KeyFile = "", "" }, "bulk request without answer"},
		"client of another authority": {func(c *config.TLS) { c.CertFile, c.KeyFile = wrongCert, wrongKey }, "bulk request without answer"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			alarms := &noise{}
			b.opt.Logger = zerolog.New(alarms)
			target := &b.opt.Targets[0]
			target.URLs, target.TLS = []string{b.serveTLS(servers, clients)}, good
			c.damage(&target.TLS)
			b.write(b.file, 0, 200)
			s, stop := b.run()
			b.until("the alarm", func() bool { return alarms.has(c.reason) })
			stop()
			if st := s.Status(); st.Delivered != 0 || st.Rejected != 0 || st.AbandonedBytes != 0 || b.count() != 0 {
				t.Errorf("status %+v, %d documents in the sink", st, b.count())
			}
			if !alarms.has("bulk request without answer") {
				t.Error("no alarm")
			}
			target.TLS = good
			b.run()
			b.wait(200)
			b.complete(200, nil)
		})
	}
}
