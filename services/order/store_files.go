package order

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"kreislauf/internal/blob"
	"kreislauf/internal/problem"
)

// files holds the contents of documents. The order's id is their owner.
type files struct {
	blobs *blob.Store
	darkroom
}

// put stores the content of a document of an order, and of a photo what is shown of it.
func (f files) put(ctx context.Context, orderID string, d Document, content io.Reader) (Document, error) {
	info, err := f.blobs.Put(ctx, orderID, d.Type, d.SHA256, content, maxDocument)
	d.Size = info.Size
	if err != nil || d.Type == "application/pdf" {
		return d, err
	}
	shown, err := f.develop(ctx, info)
	if err == nil && shown != nil {
		info, err = f.blobs.Put(ctx, orderID, d.Type, "", bytes.NewReader(shown), math.MaxInt64-1)
		d.Size, d.Shown = info.Size, info.SHA256
	}
	if problem.KindOf(err) == problem.Invalid { // nothing will name it
		err = errors.Join(err, f.blobs.Delete(context.WithoutCancel(ctx), orderID+"/"+d.SHA256))
	}
	return d, err
}

// develop makes what is shown of a stored photo; nil when it is shown as it came.
func (f files) develop(ctx context.Context, info blob.Info) ([]byte, error) {
	leave, err := f.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	r, err := f.blobs.Read(ctx, info, 0, -1)
	if err != nil {
		return nil, err
	}
	photo, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("read photo: %w", err)
	}
	shown, err := developed(info.Type, photo)
	if err != nil || bytes.Equal(shown, photo) {
		return nil, err
	}
	return shown, nil
}

// read opens what is shown of a document of an order; the caller closes it.
func (f files) read(ctx context.Context, orderID string, d Document) (io.ReadCloser, error) {
	sum := cmp.Or(d.Shown, d.SHA256)
	return f.blobs.Read(ctx, blob.Info{Key: orderID + "/" + sum, Type: d.Type, Size: d.Size, SHA256: sum}, 0, -1)
}
