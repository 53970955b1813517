package receive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// journalPause is how long is waited before journalctl is started again.
const journalPause = time.Second

// cursorFile holds the cursor of the last entry of the segments that were removed.
const cursorFile = "cursor"

// journal keeps what journalctl follows, from behind the last entry that was kept, and starts the command again when it ends.
func (r *Receiver) journal(ctx context.Context) error {
	for {
		err := r.followJournal(ctx)
		if ctx.Err() != nil {
			return nil
		}
		r.opt.Alarms.Raise(alarmSource, fmt.Sprintf("journalctl ended and is started again: %v", err))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(journalPause):
		}
	}
}

func (r *Receiver) followJournal(ctx context.Context) error {
	cursor, err := r.cursor()
	if err != nil {
		return err
	}
	// Without --all, values above 4096 bytes are null; without --no-tail only the last ten entries come.
	args := []string{"--output=json", "--follow", "--no-tail", "--all", "--no-pager", "--quiet"}
	if cursor != "" {
		args = append(args, "--after-cursor="+cursor)
	}
	cmd := exec.CommandContext(ctx, "journalctl", args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start journalctl: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start journalctl: %w", err)
	}
	err = errors.Join(r.stream(ctx, out, ""), cmd.Wait())
	if text := bytes.TrimSpace(complaint.Bytes()); len(text) > 0 {
		err = errors.Join(err, errors.New(string(text[:min(len(text), 500)])))
	}
	return err
}

// cursor returns the cursor of the last entry that was kept, empty when there is none.
func (r *Receiver) cursor() (string, error) {
	line, err := r.segments.newest()
	if err != nil {
		return "", err
	}
	if line != nil {
		return cursorOf(line), nil
	}
	text, err := os.ReadFile(filepath.Join(r.opt.Dir, cursorFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read cursor of the journal: %w", err)
	}
	return string(bytes.TrimSpace(text)), nil
}

// cursorOf returns the cursor of an entry, empty when the line has none.
func cursorOf(line []byte) string {
	var entry struct {
		Cursor string `json:"__CURSOR"`
	}
	if json.Unmarshal(line, &entry) != nil {
		return ""
	}
	return entry.Cursor
}

// keepCursor writes down the cursor of the last entry of a segment that is about to be removed.
func (r *Receiver) keepCursor(path string) error {
	line, err := lastLineOf(path)
	if err != nil {
		return err
	}
	cursor := cursorOf(line)
	if cursor == "" {
		return nil
	}
	file := filepath.Join(r.opt.Dir, cursorFile)
	if err := os.WriteFile(file+".new", []byte(cursor+"\n"), 0o600); err != nil {
		return fmt.Errorf("write cursor of the journal: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("write cursor of the journal: %w", err)
	}
	return nil
}
