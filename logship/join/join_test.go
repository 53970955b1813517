package join

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kreislauf/logship/config"
	"kreislauf/logship/enrich"
)

func testJoiner(container bool, multi *config.Multiline) *Joiner { return New(container, multi, nil) }

func starts(pattern string) *config.Multiline {
	return &config.Multiline{Start: regexp.MustCompile(pattern), MaxBytes: 40, Timeout: time.Second}
}

// event is what a joiner made: where it begins and its text.
type event struct {
	At   int64
	Text string
	Cut  bool
}

// feed adds the lines of a text that begins at an offset. It returns the events and after each line the safe offset.
func (j *Joiner) feed(text string, at int64, now time.Time) (events []event, safe []int64) {
	for line := range strings.Lines(text) {
		end := at + int64(len(line))
		for took := false; !took; {
			var in enrich.Input
			var ok bool
			in, ok, took = j.Add([]byte(strings.TrimSuffix(line, "\n")), at, end, false, now)
			if ok {
				events = append(events, event{in.Offset, string(in.Line), in.Truncated})
			}
		}
		safe = append(safe, j.Safe(end))
		at = end
	}
	return events, safe
}

func (j *Joiner) all(text string, at int64) []event {
	events, _ := j.feed(text, at, time.Time{})
	for {
		in, ok := j.Rest()
		if !ok {
			return events
		}
		events = append(events, event{in.Offset, string(in.Line), in.Truncated})
	}
}

const errorStart = "2025/11/22 18:23:30 [error] 12#13: "

func TestJoin(t *testing.T) {
	const at = "2025-11-22T18:23:30Z "
	docker := func(stream, text string) string {
		return fmt.Sprintf(`{"log":%q,"stream":%q,"time":"2025-11-22T18:23:30Z"}`+"\n", text, stream)
	}
	for _, c := range []struct {
		name string
		j    *Joiner
		text string
		want []string
		safe []int64
	}{
		{
			"parts of a runtime, streams apart", testJoiner(true, nil),
			at + "stdout P a\n" + at + "stderr P x\n" + at + "stdout P b\n" + at + "stderr F y\n" +
				at + "stdout F c\n" + at + "stdout F whole\n" + at + "stderr P open\n",
			[]string{"32 xy", "0 abc", "160 whole", "196 open"},
			[]int64{0, 0, 0, 0, 160, 196, 196},
		},
		{
			"a part of one event inside another", testJoiner(true, nil),
			at + "stderr P a\n" + at + "stdout P x\n" + at + "stderr F b\n" + at + "stdout F y\n",
			[]string{"0 ab", "32 xy"},
			[]int64{0, 0, 0, 128}, // reading from 32 would show b again
		},
		{
			"docker", testJoiner(true, nil),
			docker("stdout", "a \"q\" ä\n") + docker("stderr", "part ") + docker("stdout", "\n") + docker("stderr", "two\n"),
			[]string{`0 a "q" ä`, "135 ", "71 part two"},
			nil,
		},
		{
			"text with starts", testJoiner(false, starts(`^\d`)),
			"  orphan\n1 a\n b\n c\n2 d\n",
			[]string{"0   orphan", "9 1 a\n b\n c", "19 2 d"},
			[]int64{0, 9, 9, 9, 19},
		},
		{
			"text with continuations", testJoiner(false, &config.Multiline{Continue: regexp.MustCompile(`^\s|^$`), MaxBytes: 1000}),
			"a\n b\n\n c\nd\n",
			[]string{"0 a\n b\n\n c", "9 d"},
			nil,
		},
		{
			"both", testJoiner(false, &config.Multiline{Start: regexp.MustCompile(`^ !`), Continue: regexp.MustCompile(`^\s`), MaxBytes: 1000}),
			"a\n b\n !c\n d\ne\n",
			[]string{"0 a\n b", "5  !c\n d", "12 e"},
			nil,
		},
		{
			"too large", testJoiner(false, starts(`^\d`)),
			"1 34567890123456789\n b34567890123456789\n c\n d\n2\n",
			[]string{"0 1 34567890123456789\n b34567890123456789", "40  c\n d", "46 2"},
			nil,
		},
		{
			"one line that is larger than an event", testJoiner(false, starts(`^\d`)),
			"1 " + strings.Repeat("x", 50) + "\n b\n2\n",
			[]string{"0 1 " + strings.Repeat("x", 50), "53  b", "56 2"},
			nil,
		},
		{
			"carriage returns", testJoiner(false, starts(`^\d`)),
			"1 a\r\n b\r\n\r\n2 c\r\n",
			[]string{"0 1 a\n b\n", "11 2 c"},
			nil,
		},
		{
			"a byte order mark behind the prefix of the runtime", testJoiner(true, nil),
			at + "stdout F \xef\xbb\xbf{}\n" + at + "stdout F \xef\xbb\xbfkept\n",
			[]string{"0 {}", "36 \xef\xbb\xbfkept"},
			nil,
		},
		{
			"error log of nginx", NewErrorLog(nil),
			errorStart + "*1 FastCGI sent in stderr: \"PHP message: boom in /x.php:3\nStack trace:\n#0 {main}\n  thrown\" while reading, " +
				"client: 203.0.113.9, server: _\n" + errorStart + "signal process started\n" + errorStart + "*2 no client\n" +
				errorStart + "*3 open() failed, client: 203.0.113.9\nstray\n" + errorStart + "*4 cut off\n more",
			[]string{
				"0 " + errorStart + "*1 FastCGI sent in stderr: \"PHP message: boom in /x.php:3\nStack trace:\n#0 {main}\n  thrown\" while reading, " +
					"client: 203.0.113.9, server: _",
				"172 " + errorStart + "signal process started",
				"230 " + errorStart + "*2 no client",
				"278 " + errorStart + "*3 open() failed, client: 203.0.113.9",
				"351 stray",
				"357 " + errorStart + "*4 cut off\n more",
			},
			nil,
		},
		{
			"container: JSON between text, its parts joined first", testJoiner(true, starts(`^\S`)),
			at + "stdout F panic\n" + at + "stdout P  at\n" + at + "stdout F  b\n" + at + "stderr F other\n" +
				at + "stdout F {\"a\":1}\n" + at + "stdout F  c\n",
			[]string{"0 panic\n at b", "139 {\"a\":1}", "103 other", "177  c"},
			[]int64{0, 0, 0, 0, 103, 103},
		},
	} {
		j := *c.j
		events, safe := j.feed(c.text, 0, time.Time{})
		for {
			in, ok := j.Rest()
			if !ok {
				break
			}
			events = append(events, event{At: in.Offset, Text: string(in.Line)})
		}
		var got []string
		for _, e := range events {
			got = append(got, fmt.Sprint(e.At, " ", e.Text))
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		if d := cmp.Diff(c.safe, safe); c.safe != nil && d != "" {
			t.Errorf("%s: safe %s", c.name, d)
		}
	}
}

func TestTimeoutEndsAnEventForEver(t *testing.T) {
	j := testJoiner(false, starts(`^\d`))
	now := time.Unix(1700000000, 0)
	events, _ := j.feed("1 a\n b\n", 0, now)
	if _, ok := j.Expired(now.Add(time.Second - 1)); ok || len(events) != 0 || !j.Waits() {
		t.Fatal("the event does not wait")
	}
	end, ok := j.Expired(now.Add(time.Second))
	if !ok || end != 7 || !j.CutAt(end, 0) || j.CutAt(end, 0) {
		t.Fatalf("%v, ends at %d", ok, end)
	}
	// The line comes before there was room for the event.
	events, _ = j.feed(" c\n2\n", 7, now)
	want := []event{{At: 0, Text: "1 a\n b"}, {At: 7, Text: " c"}}
	if d := cmp.Diff(want, events); d != "" {
		t.Error(d)
	}
	// Another process reads it all.
	again := New(false, j.multi, []int64{7})
	if d := cmp.Diff(append(want, event{At: 10, Text: "2"}), again.all("1 a\n b\n c\n2\n", 0)); d != "" {
		t.Error(d)
	}
	if !j.CutAt(99, 50) || !slices.Equal(j.cuts, []int64{99}) {
		t.Errorf("cuts %v", j.cuts)
	}
}

// randomLines makes lines of both outputs of a container that touch every rule.
func randomLines(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(20) {
		stream := [...]string{"stdout", "stderr"}[r.IntN(2)]
		tag := [...]string{"F", "F", "P"}[r.IntN(3)]
		text := [...]string{"1 start", " more", " still more", `{"a":1}`, "", "2 a start that is long enough to end an event"}[r.IntN(6)]
		if r.IntN(10) == 0 {
			b.WriteString("no prefix\n")
			continue
		}
		fmt.Fprintf(&b, "2025-11-22T18:23:30Z %s %s %s\n", stream, tag, text)
	}
	return b.String()
}

// checkResume checks that reading on from any safe offset gives the same events: those that were not handed out, and of
// the others only whole ones.
func checkResume(t *testing.T, text string, multi *config.Multiline) {
	t.Helper()
	want := testJoiner(true, multi).all(text, 0)
	j := testJoiner(true, multi)
	at := int64(0)
	var out []event
	for line := range strings.Lines(text) {
		events, safe := j.feed(line, at, time.Time{})
		out = append(out, events...)
		at += int64(len(line))
		resumed := testJoiner(true, multi).all(text[safe[0]:], safe[0])
		for _, e := range want {
			if !slices.Contains(out, e) && !slices.Contains(resumed, e) {
				t.Fatalf("%q: %+v is lost when reading begins again at %d", text, e, safe[0])
			}
		}
		for _, e := range resumed {
			if !slices.Contains(want, e) {
				t.Fatalf("%q: %+v comes up when reading begins again at %d", text, e, safe[0])
			}
		}
	}
}

func TestResumeAnywhere(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		text := randomLines(r)
		checkResume(t, text, starts(`^\d`))
		checkResume(t, text, nil)
	}
}

// TestGoOnInTheNextFile cuts a file in two at every line: the same texts come out as of the whole, and what began in the first
// file has its offset there.
func TestGoOnInTheNextFile(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		text := randomLines(r) + "2025-11-22T18:23:30Z stdout F end\n2025-11-22T18:23:30Z stderr F end\n"
		want := testJoiner(true, nil).all(text, 0)
		for cut := 0; cut <= len(text); cut++ {
			if cut > 0 && text[cut-1] != '\n' {
				continue
			}
			first, second := testJoiner(true, nil), testJoiner(true, nil)
			got, _ := first.feed(text[:cut], 0, time.Time{})
			second.GoOnFrom(first)
			at := int64(0)
			for line := range strings.Lines(text[cut:]) {
				end := at + int64(len(line))
				in, ok, took := second.Add([]byte(strings.TrimSuffix(line, "\n")), at, end, false, time.Time{})
				if at = end; !took {
					t.Fatalf("%q cut at %d: %q was not taken", text, cut, line)
				}
				if !ok {
					continue
				}
				e := event{in.Offset, string(in.Line), in.Truncated}
				if !second.Inherited() {
					e.At += int64(cut)
				}
				got = append(got, e)
			}
			if d := cmp.Diff(want, got); d != "" || first.HoldsPart() || second.HoldsPart() {
				t.Fatalf("%q cut at %d: %s", text, cut, d)
			}
		}
	}
}

func FuzzJoin(f *testing.F) {
	f.Add([]byte("2025-11-22T18:23:30Z stdout P a\n2025-11-22T18:23:30Z stderr F  x\n2025-11-22T18:23:30Z stdout F b\n"))
	f.Add([]byte(`{"log":"a\n","stream":"stderr","time":"2025-11-22T18:23:30Z"}` + "\n b\n"))
	f.Add([]byte(randomLines(rand.New(rand.NewPCG(3, 4)))))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 4<<10 {
			return
		}
		text = bytes.TrimSuffix(text, []byte("\n"))
		checkResume(t, string(text)+"\n", starts(`^\d`))
	})
}
