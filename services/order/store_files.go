package order

import (
	"context"
	"io"

	"kreislauf/internal/blob"
)

// files holds the contents of documents. The order's id is their owner.
type files struct{ blobs *blob.Store }

// put stores the content of a document of an order.
func (f files) put(ctx context.Context, orderID string, d Document, content io.Reader) (Document, error) {
	info, err := f.blobs.Put(ctx, orderID, d.Type, d.SHA256, content, maxDocument)
	d.Size = info.Size
	return d, err
}

// read opens the content of a document of an order; the caller closes it.
func (f files) read(ctx context.Context, orderID string, d Document) (io.ReadCloser, error) {
	return f.blobs.Read(ctx, blob.Info{Key: orderID + "/" + d.SHA256, Type: d.Type, Size: d.Size, SHA256: d.SHA256}, 0, -1)
}
