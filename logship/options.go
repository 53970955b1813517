package logship

import (
	"fmt"
	"io"

	"github.com/rs/zerolog"

	"kreislauf/logship/config"
)

// Options configure a Shipper. The state folder belongs to one Shipper at a time.
type Options struct {
	config.Config
	// PlatformVersion is what the documents about logship itself carry; empty when it is no part of the platform.
	PlatformVersion string
	// Stdin is read by inputs that receive from it; nil stands for that of the process.
	Stdin io.Reader
	// Logger gets what logship itself has to say, the same thing at most every 30 seconds.
	Logger zerolog.Logger
}

// check sets what is not set to its default and reports what is wrong. A configuration from a file was checked before.
func (o *Options) check() error {
	if err := o.Check(); err != nil {
		return fmt.Errorf("logship options: %w", err)
	}
	return nil
}
