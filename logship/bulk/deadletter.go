package bulk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// deadLetter is the file of the documents that the server will never take: one JSON object per line, only ever
// appended to, synced before a document counts as final.
type deadLetter struct {
	path string
	mu   sync.Mutex
	file *os.File
}

// deadLine is a line of the file.
type deadLine struct {
	Time     time.Time `json:"@timestamp"`
	Reason   string    `json:"reason"`
	File     string    `json:"file"`
	Offset   int64     `json:"offset"`
	Index    string    `json:"index"`
	ID       string    `json:"id"`
	Line     string    `json:"line"`
	Document string    `json:"document,omitempty"`
}

func (d *deadLetter) write(b *Batch, dead []int, reasons []string) error {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	now := time.Now().UTC()
	for k, i := range dead {
		line, err := describe(b, i)
		if err != nil {
			return err
		}
		line.Time, line.Reason = now, reasons[k]
		if err := enc.Encode(line); err != nil {
			return fmt.Errorf("encode dead letter: %w", err)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file == nil {
		f, err := os.OpenFile(d.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return fmt.Errorf("open dead-letter file: %w", err)
		}
		d.file = f
	}
	if _, err := d.file.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write dead-letter file: %w", err)
	}
	if err := d.file.Sync(); err != nil {
		return fmt.Errorf("sync dead-letter file: %w", err)
	}
	return nil
}

// describe takes item i apart again: the line as it was in the file when the document still has it, else the
// message, and then the document too.
func describe(b *Batch, i int) (deadLine, error) {
	item := b.Items[i]
	both := b.bytes(i)
	action, doc := both[:item.Doc-item.Start], bytes.TrimSuffix(both[item.Doc-item.Start:], []byte{'\n'})
	out := deadLine{Offset: item.Offset}
	if int(item.File) < len(b.Files) {
		out.File = b.Files[item.File]
	}
	var create struct {
		Create struct {
			Index string `json:"_index"`
			ID    string `json:"_id"`
		} `json:"create"`
	}
	if err := json.Unmarshal(action, &create); err != nil {
		return out, fmt.Errorf("read back action line: %w", err)
	}
	out.Index, out.ID = create.Create.Index, create.Create.ID
	if item.Raw > 0 {
		out.Line = string(doc[:item.Raw]) + "}"
		return out, nil
	}
	var wrapped struct {
		Message string `json:"message"`
	}
	if err := json.Unmarshal(doc, &wrapped); err != nil {
		return out, fmt.Errorf("read back document: %w", err)
	}
	out.Line, out.Document = wrapped.Message, string(doc)
	return out, nil
}

func (d *deadLetter) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file == nil {
		return nil
	}
	err := d.file.Close()
	d.file = nil
	if err != nil {
		return errors.Join(errors.New("close dead-letter file"), err)
	}
	return nil
}
