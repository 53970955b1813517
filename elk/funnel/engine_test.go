package funnel

import (
	"context"
	"net/http"

	"github.com/rs/zerolog"

	"kreislauf/internal/backend/engine"
)

// embedded opens the engine for elktest.
func embedded(dir string) (http.Handler, func(context.Context) error, error) {
	server, err := engine.New(engine.Options{Dir: dir, Logger: zerolog.Nop()})
	if err != nil {
		return nil, nil, err
	}
	return server.Handler(), server.Stop, nil
}
