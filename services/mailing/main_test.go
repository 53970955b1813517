package mailing_test

import (
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain has the certificate of test servers trusted, as a mail server's of a company would be; Go reads the variable once.
func TestMain(m *testing.M) {
	server := httptest.NewTLSServer(nil)
	file, err := os.CreateTemp("", "ca-*.pem")
	if err == nil {
		err = pem.Encode(file, &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	}
	server.Close()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Setenv("SSL_CERT_FILE", file.Name())
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.Remove(file.Name())
		os.Exit(code)
	}))
}
