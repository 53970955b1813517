package bulk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ErrReplayRunning says that another replay of the same store is at work.
var ErrReplayRunning = errors.New("another replay is at work")

// Replay is what Replay did, in documents.
type Replay struct {
	// Read were in the store. Delivered are in the target now, Duplicates were there before.
	Read, Delivered, Duplicates int64
	// Refused stay in the store with their new reason.
	Refused int64
	// Damaged are lines that are no dead letters; they stay.
	Damaged int64
	// Reasons counts the documents by reason and data stream: the old ones of a dry run, else the new ones.
	Reasons map[string]int64
}

// Replay sends the documents of the store again, with their ids and create, and takes out what is final. The store
// may be in use by a shipper meanwhile. A replay that is killed leaves each file as it was or done: what was
// delivered already is a duplicate (409) for the next one. With dry nothing is sent or changed.
//
// config is that of the target; its Reject is not used. mend, when it is not nil, makes a document that the target takes of one that
// it refused; ok is false when it knows nothing better.
func (d *DeadLetters) Replay(ctx context.Context, config Config, dry bool, mend func(letter *DeadLetter, document string) (mended string, ok bool)) (Replay, error) {
	report := Replay{Reasons: make(map[string]int64)}
	unlock, err := lockFile(filepath.Join(d.dir, replayLock), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return report, fmt.Errorf("%w in %s", ErrReplayRunning, d.dir)
	}
	if err != nil {
		return report, err
	}
	r := replayer{report: &report, mend: mend}
	config.Reject = func(letters []DeadLetter) error {
		r.keep = append(r.keep, letters...)
		return nil
	}
	if r.client, err = New(config); err != nil {
		return report, errors.Join(err, unlock())
	}
	r.max = config.MaxBytes
	err = d.replay(ctx, &r, dry)
	stats := r.client.Stats()
	report.Delivered, report.Duplicates, report.Refused = stats.Delivered, stats.Duplicates, stats.Rejected
	r.client.Close()
	return report, errors.Join(err, unlock())
}

func (d *DeadLetters) replay(ctx context.Context, r *replayer, dry bool) error {
	var paths []string
	err := d.locked(func() (err error) {
		if !dry {
			if err := d.seal(); err != nil {
				return err
			}
		}
		paths, err = d.sealed()
		return err
	})
	if err != nil {
		return err
	}
	if dry {
		if active := filepath.Join(d.dir, activeName); exists(active) {
			paths = append(paths, active)
		}
	}
	for _, path := range paths {
		if dry {
			err = r.count(path)
		} else {
			err = r.file(ctx, path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// replayer sends the documents of one file after the other.
type replayer struct {
	client  *Client
	report  *Replay
	mend    func(letter *DeadLetter, document string) (mended string, ok bool)
	max     int
	batch   Batch
	keep    []DeadLetter // refused again
	damaged [][]byte
}

// count reads a file for a dry run.
func (r *replayer) count(path string) error {
	return r.read(path, func(letter DeadLetter) error {
		r.report.Reasons[letter.Index+": "+letter.Reason]++
		return nil
	})
}

func (r *replayer) read(path string, letter func(DeadLetter) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open dead-letter file: %w", err)
	}
	err = readDeadLetters(f, func(d DeadLetter) error {
		r.report.Read++
		return letter(d)
	}, func(line []byte) error {
		r.report.Damaged++
		r.damaged = append(r.damaged, line)
		return nil
	})
	return errors.Join(err, f.Close())
}

// file sends a sealed file and replaces it by what is left of it.
func (r *replayer) file(ctx context.Context, path string) error {
	r.keep, r.damaged = nil, nil
	err := r.read(path, func(letter DeadLetter) error {
		if len(r.batch.Buf) > 0 && len(r.batch.Buf)+len(letter.Line) > r.max {
			if err := r.flush(ctx); err != nil {
				return err
			}
		}
		return r.add(letter)
	})
	if err == nil {
		err = r.flush(ctx)
	}
	if err != nil {
		return err
	}
	for _, letter := range r.keep {
		r.report.Reasons[letter.Index+": "+letter.Reason]++
	}
	return r.replace(path)
}

func (r *replayer) add(letter DeadLetter) error {
	action, err := json.Marshal(map[string]any{"create": map[string]string{"_index": letter.Index, "_id": letter.ID}})
	if err != nil {
		return fmt.Errorf("encode action: %w", err)
	}
	b := &r.batch
	item := Item{Start: uint32(len(b.Buf)), File: uint32(len(b.Files)), Offset: letter.Offset}
	b.Buf = append(append(b.Buf, action...), '\n')
	item.Doc = uint32(len(b.Buf))
	document, mended := letter.document(), false
	if r.mend != nil {
		if better, ok := r.mend(&letter, document); ok {
			document, mended = better, true
		}
	}
	if letter.Document == "" && !mended {
		item.Raw = uint32(len(letter.Line) - 1)
	}
	b.Buf = append(append(b.Buf, document...), '\n')
	b.Items, b.Files = append(b.Items, item), append(b.Files, letter.File)
	return nil
}

func (r *replayer) flush(ctx context.Context) error {
	err := r.client.Deliver(ctx, &r.batch)
	r.batch.Reset(r.max)
	return err
}

// replace writes what is left of a sealed file over it in one step.
func (r *replayer) replace(path string) error {
	dir := filepath.Dir(path)
	if len(r.keep) == 0 && len(r.damaged) == 0 {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove dead-letter file: %w", err)
		}
		return syncFolder(dir)
	}
	left, err := r.left()
	if err != nil {
		return err
	}
	next := path + ".new"
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write dead-letter file: %w", err)
	}
	_, err = f.Write(left)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write dead-letter file: %w", err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("replace dead-letter file: %w", err)
	}
	return syncFolder(dir)
}

// left renders what stays of a file.
func (r *replayer) left() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	for i := range r.keep {
		if err := enc.Encode(&r.keep[i]); err != nil {
			return nil, fmt.Errorf("encode dead letter: %w", err)
		}
	}
	for _, line := range r.damaged {
		out.Write(append(line, '\n'))
	}
	return out.Bytes(), nil
}
