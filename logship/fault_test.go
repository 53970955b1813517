package logship_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"testing"
)

func TestShipsAndRoutes(t *testing.T) {
	b := newBench(t)
	b.write(b.file, 0, 1000)
	s, stop := b.run()
	b.wait(1000)
	b.write(b.file, 1000, 2000) // growth is noticed
	b.wait(2000)
	stop()
	b.complete(2000, nil)
	docs := b.all("logs-kreislauf.order-test")
	if len(docs) != 2000 {
		t.Errorf("%d documents in the stream of the service", len(docs))
	}
	st := s.Status()
	if st.Delivered != 2000 || st.Behind != 0 || st.Duplicates != 0 || st.Rejected != 0 {
		t.Errorf("status %+v", st)
	}
}

func TestRestartContinues(t *testing.T) {
	b := newBench(t)
	b.write(b.file, 0, 3000)
	_, stop := b.run()
	b.wait(3000)
	stop()
	b.write(b.file, 3000, 4000)
	s, stop := b.run()
	b.wait(4000)
	stop()
	b.complete(4000, nil)
	if st := s.Status(); st.Delivered != 1000 || st.Duplicates != 0 {
		t.Errorf("after a clean stop: delivered %d, duplicates %d", st.Delivered, st.Duplicates)
	}
}

func TestSinkDownAndBack(t *testing.T) {
	b := newBench(t)
	b.write(b.file, 0, 2000)
	b.run()
	b.wait(2000)
	b.stop()
	b.write(b.file, 2000, 12000)
	addr := b.addr
	b.until("a refused request", func() bool { return b.count() == 2000 })
	b.start(addr)
	b.wait(12000)
	b.complete(12000, nil)
}

func TestTooManyRequests(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.fault = func(n int, w http.ResponseWriter, _ []byte) bool {
		if n%10 < 4 {
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		return false
	}
	b.write(b.file, 0, 4000)
	b.run()
	b.wait(4000)
	b.complete(4000, nil)
}

func TestItemsRefusedForLoad(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.item = func(_, _ string, doc map[string]any, again bool) int {
		if seq, _ := doc["seq"].(float64); int(seq)%10 == 3 && !again {
			return 429
		}
		return 0
	}
	b.write(b.file, 0, 5000)
	s, stop := b.run()
	b.wait(5000)
	stop()
	b.complete(5000, nil)
	if st := s.Status(); st.Delivered != 5000 || st.Duplicates != 0 || st.Retries != 500 {
		t.Errorf("delivered %d, duplicates %d, retries %d", st.Delivered, st.Duplicates, st.Retries)
	}
}

func TestRejectedItemsAreKept(t *testing.T) {
	b := newBench(t)
	except := map[int]bool{}
	b.item = func(_, _ string, doc map[string]any, _ bool) int {
		if seq, _ := doc["seq"].(float64); int(seq)%100 == 7 {
			return 400
		}
		return 0
	}
	for seq := 7; seq < 5000; seq += 100 {
		except[seq] = true
	}
	b.write(b.file, 0, 5000)
	s, stop := b.run()
	b.wait(4950)
	b.until("all final", func() bool { return s.Status().Rejected == 50 })
	stop()
	b.complete(5000, except)

	f, err := os.Open(b.state("dead-letter.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	whole, err := os.ReadFile(b.file)
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for scanner := bufio.NewScanner(f); scanner.Scan(); kept++ {
		var dead struct {
			Reason, File, Line, Index, ID string
			Offset                        int
		}
		if err := json.Unmarshal(scanner.Bytes(), &dead); err != nil {
			t.Fatalf("dead letter %q: %v", scanner.Bytes(), err)
		}
		if dead.File != b.file || dead.Reason == "" || dead.ID == "" || dead.Index != "logs-kreislauf.order-test" {
			t.Errorf("dead letter %+v", dead)
		}
		if got := string(whole[dead.Offset : dead.Offset+len(dead.Line)]); got != dead.Line {
			t.Errorf("dead letter has line %q, the file %q", dead.Line, got)
		}
	}
	if kept != 50 {
		t.Errorf("%d dead letters, want 50", kept)
	}
}

func TestAnswerCutAfterAccept(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.cut = func(n int) bool { return n%7 == 0 }
	b.write(b.file, 0, 8000)
	s, stop := b.run()
	b.wait(8000)
	b.until("all final", func() bool { return s.Status().Behind == 0 })
	stop()
	b.complete(8000, nil)
	if st := s.Status(); st.Duplicates == 0 || st.Delivered+st.Duplicates != 8000 {
		t.Errorf("delivered %d, duplicates %d", st.Delivered, st.Duplicates)
	}
}

func TestTruncatedAnswerIsNoAnswer(t *testing.T) {
	b := newBench(t)
	b.fault = func(n int, w http.ResponseWriter, _ []byte) bool {
		if n == 2 {
			_, _ = w.Write([]byte(`{"errors":false,"took":1,"items":[]}`))
			return true
		}
		return false
	}
	b.write(b.file, 0, 2000)
	b.run()
	b.wait(2000)
	b.complete(2000, nil)
}

func TestWholeRequestRefused(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge} {
		b := newBench(t)
		b.fault = func(_ int, w http.ResponseWriter, body []byte) bool {
			for _, part := range splitLines(body) {
				var doc struct{ Seq *int }
				if json.Unmarshal(part, &doc) == nil && doc.Seq != nil && *doc.Seq == 777 {
					w.WriteHeader(status)
					return true
				}
			}
			return false
		}
		b.write(b.file, 0, 1000)
		s, stop := b.run()
		b.wait(999)
		b.until("the culprit in the dead-letter file", func() bool { return s.Status().Rejected == 1 })
		stop()
		b.complete(1000, map[int]bool{777: true})
	}
}

func splitLines(body []byte) [][]byte {
	var out [][]byte
	start := 0
	for i, c := range body {
		if c == '\n' {
			out = append(out, body[start:i])
			start = i + 1
		}
	}
	return out
}

func TestMissingSetupHoldsTheOffset(t *testing.T) {
	b := newBench(t)
	b.fault = func(n int, w http.ResponseWriter, _ []byte) bool {
		switch n {
		case 1:
			w.WriteHeader(http.StatusUnauthorized)
		case 2:
			w.WriteHeader(http.StatusForbidden)
		case 3:
			w.WriteHeader(http.StatusNotFound)
		default:
			return false
		}
		return true
	}
	b.write(b.file, 0, 100)
	s, _ := b.run()
	b.wait(100)
	b.complete(100, nil)
	if st := s.Status(); st.Rejected != 0 {
		t.Errorf("rejected %d", st.Rejected)
	}
}
