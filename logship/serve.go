package logship

import (
	"encoding/json"
	"net/http"
)

// Handler serves /metrics (Prometheus), /status (JSON) and /healthz.
func (s *Shipper) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.MetricsHandler())
	mux.Handle("GET /status", s.StatusHandler())
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	return mux
}

// StatusHandler answers with the Status as JSON.
func (s *Shipper) StatusHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s.Status()) // the client went away
	})
}
