// Package blob owns files that belong to an aggregate: photos, weighing slips, PDFs. They lie in a folder by default, in S3 by address.
//
// Invariants:
//   - A key is "<owner>/<SHA-256 of the content, hexadecimal>". The same file of the same owner has one key, however often it is sent;
//     files of two owners never share one, so deleting one owner's file takes nothing from another.
//   - A key shows the whole content or nothing: an upload that was cut, refused or killed leaves no file under its key.
//   - What Put has confirmed survives kill -9; in a folder it is also synced to the disk, so it survives a power cut.
//   - The content begins as the declared type does. Type and size are known before anything is stored.
//
// The database knows which files exist: Info is embedded in the aggregate's document, which is written after Put. The store keeps no
// facts beside the content, and "only once" is the document's affair: two Puts of the same file at once both succeed.
//
// Not guaranteed: a process that dies between Put and the write of the document leaves a file that no document names (a retry of the
// upload takes it over). One that dies while it writes to a folder leaves a file <key>.<number>.tmp, which is never read. Only the
// beginning of a file is compared with its type, so files are to be served with their Type and X-Content-Type-Options: nosniff.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/s3blob"
	"gocloud.dev/gcerrors"

	"kreislauf/internal/config"
	"kreislauf/internal/problem"
)

// The variables that ReadURL reads.
const (
	Setting   = "KREISLAUF_BLOB_URL"      // files of the service that reads it, and of nobody else
	Documents = "KREISLAUF_DOCUMENTS_URL" // documents that one service hands to another by an event, which names key and hash
)

// storeTimeout ends what a bucket that hangs would hold up: one write of a file, one deletion.
const storeTimeout = 20 * time.Second

// types are the media types that are stored.
var types = []string{"image/jpeg", "image/png", "image/webp", "application/pdf"}

// ownerPattern keeps an owner one folder: no slash, no dot.
var ownerPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// Info is what an aggregate's document keeps of a file.
type Info struct {
	Key    string `json:"key" bson:"key"`
	Type   string `json:"type" bson:"type"` // media type
	Size   int64  `json:"size" bson:"size"` // bytes
	SHA256 string `json:"sha256" bson:"sha256"`
}

// ReadURL reads where files are kept from one of the variables: file:///folder (file://./folder in the working directory), or
// s3://bucket?region=…&endpoint=…&use_path_style=true&prefix=folder/ with credentials from the AWS variables or files; or none, where no files are kept. With S3 away a
// call fails after some seconds: it is tried three times, with growing waits. AWS_MAX_ATTEMPTS does not change that (gocloud.dev sets it).
func ReadURL(r *config.Reader, setting string) string {
	v := r.String(setting, "file://./blobs")
	if _, err := parse(v); err != nil && v != Nowhere {
		r.Fail(setting, "%v", err)
	}
	return v
}

func parse(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("not a URL; use file:///folder or s3://bucket?region=…")
	}
	folder := u.Scheme == "file" && (u.Host == "" || u.Host == ".") && strings.Trim(u.Path, "/") != "" && u.RawQuery == ""
	bucket := u.Scheme == "s3" && u.Host != "" && (u.Path == "" || u.Path == "/")
	if u.User != nil || (!folder && !bucket) {
		return nil, fmt.Errorf("%q is not allowed; use file:///folder or s3://bucket?region=… (credentials come from the AWS variables or files)",
			u.Redacted())
	}
	return u, nil
}

// Store keeps the files of one service. Safe for concurrent use.
type Store struct{ bucket *blob.Bucket } // nil: Nowhere

// Open opens the store at an address that ReadURL accepts. It makes the folder; it does not connect to S3.
func Open(ctx context.Context, address string) (*Store, error) {
	s := &Store{}
	if address == Nowhere {
		return s, nil
	}
	u, err := parse(address)
	if err != nil {
		return nil, fmt.Errorf("open file store: %w", err)
	}
	if u.Scheme == "file" {
		folder := u.Path
		if u.Host == "." {
			folder = strings.TrimPrefix(folder, "/")
		}
		// Facts stand in the database, so no sidecar files. The temporary file lies beside the final one: rename works only on one disk.
		s.bucket, err = fileblob.OpenBucket(filepath.FromSlash(folder), &fileblob.Options{
			CreateDir: true, DirFileMode: 0o700, NoTempDir: true, Metadata: fileblob.MetadataDontWrite,
		})
	} else {
		var mux blob.URLMux
		mux.RegisterBucket(s3blob.Scheme, &s3blob.URLOpener{})
		s.bucket, err = mux.OpenBucketURL(ctx, u)
	}
	if err != nil {
		return nil, fmt.Errorf("open file store at %s: %w", u.Redacted(), err)
	}
	return s, nil
}

// Close ends the store.
func (s *Store) Close() error {
	if s.bucket == nil {
		return nil
	}
	return s.bucket.Close()
}

// Ping is the readiness check.
func (s *Store) Ping(ctx context.Context) error {
	if s.bucket == nil {
		return nil
	}
	_, err := s.bucket.Exists(ctx, "ping")
	return err
}

// Nowhere is the address of no store: files are neither taken nor found.
const Nowhere = "none"

// Keeps says whether there is a place for files.
func (s *Store) Keeps() bool { return s.bucket != nil }

// Put stores a file of an owner, for example an order's id. declared is its media type; sum the SHA-256 that the sender names, hexadecimal,
// or empty; limit is the largest size in bytes.
// The content is received into a temporary file first, so memory does not grow with it and nothing half received is stored.
// Errors for the caller: Invalid (a type that is not taken or not that of the content; another sum; an empty file), TooLarge, Malformed (the
// content ended early), Unavailable.
func (s *Store) Put(ctx context.Context, owner, declared, sum string, content io.Reader, limit int64) (Info, error) {
	if !ownerPattern.MatchString(owner) {
		return Info{}, fmt.Errorf("store file: %q is no owner", owner)
	}
	if s.bucket == nil {
		return Info{}, nowhere()
	}
	typ, _, err := mime.ParseMediaType(declared)
	if err != nil || !slices.Contains(types, typ) {
		return Info{}, problem.New(problem.Invalid, "A file of the type %q is not taken; send %s.", declared, strings.Join(types, ", "))
	}
	tmp, err := os.CreateTemp("", "kreislauf-upload-*")
	if err != nil {
		return Info{}, fmt.Errorf("receive file: %w", err)
	}
	defer tmp.Close()
	if err := os.Remove(tmp.Name()); err != nil { // it lives until it is closed, and is gone when this process dies
		return Info{}, fmt.Errorf("receive file: %w", err)
	}
	digest := sha256.New()
	from := &source{Reader: io.LimitReader(content, limit+1)}
	size, err := io.Copy(io.MultiWriter(tmp, digest), from)
	if from.err != nil {
		return Info{}, receiveProblem(from.err)
	}
	if err != nil {
		return Info{}, fmt.Errorf("receive file: %w", err)
	}
	if size > limit {
		return Info{}, problem.New(problem.TooLarge, "The file is larger than %d bytes; send less.", limit)
	}
	if err := checkType(tmp, typ); err != nil {
		return Info{}, err
	}
	hash := hex.EncodeToString(digest.Sum(nil))
	if sum != "" && sum != hash {
		return Info{}, problem.New(problem.Invalid, "The file has the SHA-256 %s, not %s; it changed on the way, so send it again.", hash, sum)
	}
	info := Info{Key: owner + "/" + hash, Type: typ, Size: size, SHA256: hash}
	return info, s.write(ctx, info, tmp)
}

// source remembers an error of the sender, to tell it from one of the temporary file.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

func receiveProblem(err error) error {
	if big, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return problem.Wrap(problem.TooLarge, err, "The request is larger than %d bytes; send less.", big.Limit)
	}
	return problem.Wrap(problem.Malformed, err, "The file ended too early; send it again.")
}

// checkType compares the beginning of the file with its type.
func checkType(f io.ReaderAt, typ string) error {
	var head [512]byte // all that DetectContentType looks at
	n, err := f.ReadAt(head[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("receive file: %w", err)
	}
	if n == 0 {
		return problem.New(problem.Invalid, "The file is empty; send its content.")
	}
	if is := http.DetectContentType(head[:n]); is != typ {
		return problem.New(problem.Invalid, "The file is declared as %s, but its content is %s; declare it as what it is.", typ, is)
	}
	return nil
}

// write copies a received file to its key. The key appears when all is written and, in a folder, synced.
func (s *Store) write(ctx context.Context, info Info, from io.ReaderAt) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	var file *os.File // of a folder
	w, err := s.bucket.NewWriter(ctx, info.Key, &blob.WriterOptions{
		ContentType: info.Type,
		BeforeWrite: func(as func(any) bool) error { as(&file); return nil },
	})
	if err != nil {
		return storeProblem("store file", err)
	}
	_, err = io.Copy(w, io.NewSectionReader(from, 0, info.Size))
	if err == nil && file != nil {
		err = file.Sync()
	}
	if err != nil {
		cancel() // so that Close drops what was written
	}
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	if err == nil && file != nil {
		folder := filepath.Dir(file.Name())
		err = errors.Join(syncFolder(folder), syncFolder(filepath.Dir(folder)))
	}
	return storeProblem("store file", err)
}

// syncFolder makes new names in a folder survive a power cut.
func syncFolder(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Read gives length bytes of a file from offset on; a negative length means to the end. The caller closes the reader.
// Errors for the caller: Invalid (not within the file), NotFound (deleted meanwhile), Unavailable.
func (s *Store) Read(ctx context.Context, info Info, offset, length int64) (io.ReadCloser, error) {
	if length < 0 {
		length = info.Size - offset
	}
	if offset < 0 || length <= 0 || offset > info.Size-length {
		return nil, problem.New(problem.Invalid, "The file has %d bytes; ask for a part of it.", info.Size)
	}
	if s.bucket == nil {
		return nil, nowhere()
	}
	r, err := s.bucket.NewRangeReader(ctx, info.Key, offset, length, nil)
	if err != nil {
		return nil, storeProblem("read file", err)
	}
	return r, nil
}

// Delete removes a file for good; a file that does not exist is no error. Take it out of the document first.
func (s *Store) Delete(ctx context.Context, key string) error {
	if s.bucket == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := s.bucket.Delete(ctx, key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return storeProblem("delete file", err)
	}
	return nil
}

func nowhere() error {
	return problem.New(problem.Unavailable, "No files are kept here; who runs the platform sets %s.", Setting)
}

func storeProblem(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case gcerrors.Code(err) == gcerrors.NotFound:
		return problem.Wrap(problem.NotFound, fmt.Errorf("%s: %w", op, err), "There is no such file.")
	}
	return problem.Wrap(problem.Unavailable, fmt.Errorf("%s: %w", op, err), "Files cannot be stored or read right now; try again in a moment.")
}
