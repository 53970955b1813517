package mailbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const suffix = ".eml"

// names lists the files of mails, oldest first. Other files are left alone.
func names(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, "new"))
	if err != nil {
		return nil, fmt.Errorf("list mails: %w", err)
	}
	var list []string
	for _, e := range entries {
		if _, ok := arrived(e.Name()); ok && e.Type().IsRegular() {
			list = append(list, e.Name())
		}
	}
	slices.Sort(list) // nanoseconds have 19 digits until the year 2286
	return list, nil
}

// arrived reads the time out of a file's name; ok is false for what is no mail.
func arrived(name string) (at time.Time, ok bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || len(digits) != 19 || n < 0 {
		return time.Time{}, false
	}
	return time.Unix(0, n).UTC(), true
}

// store writes a mail, and makes room for it. It returns when the mail is on the disk.
func (s *Server) store(from string, to []string, content []byte, now time.Time) (id string, err error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Return-Path: <%s>\r\n", from) // go-smtp lets no line break into an address
	for _, t := range to {
		fmt.Fprintf(&b, "Delivered-To: %s\r\n", t)
	}
	fmt.Fprintf(&b, "Received: by %s; %s\r\n", domain, now.UTC().Format(time.RFC1123Z))
	b.Write(content)
	tmp, err := os.CreateTemp(filepath.Join(s.Dir, "tmp"), "*")
	if err != nil {
		return "", fmt.Errorf("store mail: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("store mail: %w", err), os.Remove(tmp.Name()))
		}
	}()
	_, err = tmp.Write(b.Bytes())
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := max(now.UnixNano(), s.last+1) // two mails of one moment, and a clock that went back
	name := fmt.Sprintf("%019d%s", at, suffix)
	folder := filepath.Join(s.Dir, "new")
	if err = os.Rename(tmp.Name(), filepath.Join(folder, name)); err != nil {
		return "", err
	}
	s.last, s.names = at, append(s.names, name)
	for len(s.names) > s.Keep {
		if e := os.Remove(filepath.Join(folder, s.names[0])); e != nil && !errors.Is(e, os.ErrNotExist) {
			s.Logger.Warn().Err(e).Msg("remove an old mail")
			break
		}
		s.names = s.names[1:]
	}
	return strings.TrimSuffix(name, suffix), syncFolder(folder)
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}
