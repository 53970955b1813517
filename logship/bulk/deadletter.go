package bulk

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"syscall"
	"time"
)

// DeadLetter is a document that the server will never take, as a line of the dead-letter store.
type DeadLetter struct {
	// Time is when it was refused, Reason what the server said.
	Time   time.Time `json:"@timestamp"`
	Reason string    `json:"reason"`
	// File and Offset say where the line is.
	File   string `json:"file"`
	Offset int64  `json:"offset"`
	// Index and ID are the action.
	Index string `json:"index"`
	ID    string `json:"id"`
	// Line is the line. The document is Line without its closing brace and Added, or, when the line had been
	// wrapped, Document.
	Line     string `json:"line"`
	Added    string `json:"added,omitempty"`
	Document string `json:"document,omitempty"`
}

// document returns the document as it was sent.
func (d *DeadLetter) document() string {
	if d.Document != "" {
		return d.Document
	}
	return d.Line[:max(0, len(d.Line)-1)] + d.Added
}

// The files of the store. Sealed ones have a number between the two parts of sealedName.
const (
	activeName = "dead-letter.ndjson"
	sealedName = "dead-letter-%08d.ndjson"
	sealedGlob = "dead-letter-????????.ndjson"
	writeLock  = "dead-letter.lock"
	replayLock = "dead-letter-replay.lock"
)

// sealAt is the size from which the active file is sealed, in bytes.
const sealAt = 16 << 20

// ErrDeadLettersFull says that the store has reached its limit.
var ErrDeadLettersFull = errors.New("dead-letter store is full")

// DeadLetters is the store of the documents that the server will never take: files of one JSON object per line.
// The active one is appended to and synced before a document counts as final; at 16 MiB it is sealed and a new one
// begun. Only Replay takes lines out, from sealed files. A lock file keeps the two apart, so the store may be used
// by a shipper and by a replay at the same time.
type DeadLetters struct {
	dir   string
	limit int64
	mu    sync.Mutex
}

// NewDeadLetters returns the store in the folder dir, which takes at most limit bytes. It touches nothing yet.
func NewDeadLetters(dir string, limit int64) *DeadLetters {
	return &DeadLetters{dir: dir, limit: limit}
}

// Write appends letters and returns when they are on disk. On an error none of them counts.
func (d *DeadLetters) Write(letters []DeadLetter) error {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	for i := range letters {
		if err := enc.Encode(&letters[i]); err != nil {
			return fmt.Errorf("encode dead letter: %w", err)
		}
	}
	return d.locked(func() error {
		size, err := d.size()
		if err != nil {
			return err
		}
		if size+int64(out.Len()) > d.limit {
			return fmt.Errorf("%w: %d bytes in %s, the limit is %d; replay them or move sealed files away", ErrDeadLettersFull, size, d.dir, d.limit)
		}
		return d.append(out.Bytes())
	})
}

// append adds whole lines to the active file and seals it when it is large.
func (d *DeadLetters) append(lines []byte) (err error) {
	path := filepath.Join(d.dir, activeName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open dead-letter file: %w", err)
	}
	defer func() {
		if cerr := f.Close(); cerr != nil && err == nil {
			err = fmt.Errorf("close dead-letter file: %w", cerr)
		}
	}()
	end, err := wholeLines(f)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(lines, end); err != nil {
		return errors.Join(fmt.Errorf("write dead-letter file: %w", err), f.Truncate(end))
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync dead-letter file: %w", err)
	}
	if end == 0 {
		if err := syncFolder(d.dir); err != nil {
			return err
		}
	}
	if end+int64(len(lines)) >= sealAt {
		return d.seal()
	}
	return nil
}

// wholeLines cuts off a last line that a crash left unfinished, which was never final, and returns the size.
func wholeLines(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("look at dead-letter file: %w", err)
	}
	end := info.Size()
	buf := make([]byte, 4096)
	for end > 0 {
		n := min(end, int64(len(buf)))
		if _, err := f.ReadAt(buf[:n], end-n); err != nil {
			return 0, fmt.Errorf("read dead-letter file: %w", err)
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			end -= n - int64(i) - 1
			break
		}
		end -= n
	}
	if end < info.Size() {
		if err := f.Truncate(end); err != nil {
			return 0, fmt.Errorf("repair dead-letter file: %w", err)
		}
	}
	return end, nil
}

// seal gives the active file a number.
func (d *DeadLetters) seal() error {
	path := filepath.Join(d.dir, activeName)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at dead-letter file: %w", err)
	}
	sealed, err := d.sealed()
	if err != nil {
		return err
	}
	number := 0
	if len(sealed) > 0 {
		if _, err := fmt.Sscanf(filepath.Base(sealed[len(sealed)-1]), sealedName, &number); err != nil {
			return fmt.Errorf("name of dead-letter file: %w", err)
		}
	}
	if err := os.Rename(path, filepath.Join(d.dir, fmt.Sprintf(sealedName, number+1))); err != nil {
		return fmt.Errorf("seal dead-letter file: %w", err)
	}
	return syncFolder(d.dir)
}

// sealed returns the paths of the sealed files, oldest first.
func (d *DeadLetters) sealed() ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(d.dir, sealedGlob))
	if err != nil {
		return nil, fmt.Errorf("find dead-letter files: %w", err)
	}
	sort.Strings(paths)
	return paths, nil
}

// Size returns how many bytes of dead letters there are.
func (d *DeadLetters) Size() (int64, error) { return d.size() }

func (d *DeadLetters) size() (int64, error) {
	paths, err := d.sealed()
	if err != nil {
		return 0, err
	}
	total := int64(0)
	for _, path := range append(paths, filepath.Join(d.dir, activeName)) {
		switch info, err := os.Stat(path); {
		case err == nil:
			total += info.Size()
		case !errors.Is(err, fs.ErrNotExist):
			return 0, fmt.Errorf("look at dead-letter file: %w", err)
		}
	}
	return total, nil
}

// locked runs f while nobody else, in this process or another, changes which files there are.
func (d *DeadLetters) locked(f func() error) (err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	unlock, err := lockFile(filepath.Join(d.dir, writeLock), syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	return f()
}

func lockFile(path string, how int) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock of dead letters: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), how); err != nil {
		return nil, errors.Join(fmt.Errorf("lock dead letters: %w", err), f.Close())
	}
	return f.Close, nil
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open folder of dead letters: %w", err)
	}
	if err := d.Sync(); err != nil {
		return errors.Join(fmt.Errorf("sync folder of dead letters: %w", err), d.Close())
	}
	return d.Close()
}

// readDeadLetters calls letter for every line of r, or damaged for one that is none.
func readDeadLetters(r io.Reader, letter func(DeadLetter) error, damaged func([]byte) error) error {
	lines := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read dead-letter file: %w", err)
		}
		if text := bytes.TrimSpace(line); len(text) > 0 {
			var d DeadLetter
			var handled error
			if json.Unmarshal(text, &d) == nil && d.Index != "" && d.ID != "" && json.Valid([]byte(d.document())) {
				handled = letter(d)
			} else {
				handled = damaged(text)
			}
			if handled != nil {
				return handled
			}
		}
		if err != nil {
			return nil
		}
	}
}

// describe takes item i apart again: the line as it was in the file when the document still has it, else the
// message, and then the document too.
func describe(b *Batch, i int) (DeadLetter, error) {
	item := b.Items[i]
	both := b.original(i)
	action, doc := both[:item.Doc-item.Start], bytes.TrimSuffix(both[item.Doc-item.Start:], []byte{'\n'})
	out := DeadLetter{Offset: item.Offset}
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
		out.Line, out.Added = string(doc[:item.Raw])+"}", string(doc[item.Raw:])
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
