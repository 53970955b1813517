package alarm

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

func TestAlarmsDoNotFeedThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		a := New(zerolog.New(&out))
		for range 1000 {
			a.Raise("one", "x")
			a.Raise("two", "y")
		}
		if n := bytes.Count(out.Bytes(), []byte("\n")); n != 2 {
			t.Errorf("%d lines", n)
		}
		out.Reset()
		time.Sleep(Interval)
		a.Raise("one", "z")
		if got := out.String(); !strings.Contains(got, `"repeated":999`) || !strings.Contains(got, `"error.message":"z"`) {
			t.Error(got)
		}
	})
}
