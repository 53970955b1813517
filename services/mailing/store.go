package mailing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"go.mongodb.org/mongo-driver/v2/bson"

	"kreislauf/internal/blob"
	"kreislauf/internal/event"
	"kreislauf/internal/repository"
)

type store struct {
	*repository.Repository[Mail, *Mail]
}

func (s store) ensureIndexes(ctx context.Context) error {
	return errors.Join(
		s.Index("order", bson.D{{Key: "order_id", Value: 1}}, nil)(ctx),
		s.Index("state_tried", bson.D{{Key: "state", Value: 1}, {Key: "tried_at", Value: 1}}, nil)(ctx),
	)
}

// ofOrder lists the mails about an order, in the order of what they tell of.
func (s store) ofOrder(ctx context.Context, orderID string, limit int64) ([]Mail, error) {
	return s.Find(ctx, bson.D{{Key: "order_id", Value: orderID}}, bson.D{{Key: "event.time", Value: 1}}, limit)
}

// inState lists mails in a state, those first that were tried first.
func (s store) inState(ctx context.Context, state State, limit int64) ([]Mail, error) {
	return s.Find(ctx, bson.D{{Key: "state", Value: state}}, bson.D{{Key: "tried_at", Value: 1}}, limit)
}

// maxAttachment is the largest attachment, in bytes; mail servers take little more.
const maxAttachment = 8 << 20

// files is the store of documents, which belongs to those who write them: mailing reads what an event names, and nothing else.
type files struct{ *blob.Store }

// attachment reads the document of an event, and holds it against its hash; nil when the event has none.
func (f files) attachment(ctx context.Context, p event.Payload) (*attachment, error) {
	file := fileOf(p)
	if file == nil || !f.Keeps() {
		return nil, nil
	}
	if file.Size > maxAttachment {
		return nil, fmt.Errorf("read attachment: it has %d bytes", file.Size)
	}
	r, err := f.Read(ctx, blob.Info{Key: file.Key, Type: file.Type, Size: file.Size, SHA256: file.SHA256}, 0, -1)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("read attachment: %w", err)
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != file.SHA256 {
		return nil, errors.New("read attachment: it is not the document of the event")
	}
	return &attachment{plain(file.Name, 100), file.Type, content}, nil
}

// fileOf is the document that goes with an event; nil without one.
func fileOf(p event.Payload) *event.File {
	switch p := p.(type) {
	case event.Invoiced:
		return p.File
	case event.Credited:
		return p.File
	case event.DocumentCorrected:
		return p.File
	}
	return nil
}
