package order

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"
	"go.mongodb.org/mongo-driver/v2/bson"

	"kreislauf/internal/health"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/network"
	"kreislauf/internal/repository"
)

// partners is what order knows of the network.
type partners struct {
	mongodb.Collection[network.Partner]
}

// put keeps the newest state of a partner; an older one, or the same again, changes nothing.
func (s partners) put(ctx context.Context, p network.Partner) error {
	_, err := s.PutNewer(ctx, p.ID, p.Version, p)
	return err
}

func (s partners) all(ctx context.Context) ([]network.Partner, error) {
	return s.Find(ctx, bson.D{}, nil, 0)
}

// days holds what partners place a day.
type days struct {
	*repository.Repository[Day, *Day]
}

func (s days) ensureIndexes(ctx context.Context) error {
	return errors.Join(
		s.Index("date_size", bson.D{{Key: "date", Value: 1}, {Key: "size_m3", Value: 1}}, nil)(ctx),
		s.Index("partner_date", bson.D{{Key: "partner_id", Value: 1}, {Key: "date", Value: 1}}, nil)(ctx),
	)
}

func sinceDate(date string) bson.E {
	return bson.E{Key: "date", Value: bson.D{{Key: "$gte", Value: date}}}
}

// fullOf lists the full days of a size from a date on.
func (s days) fullOf(ctx context.Context, sizeM3 int, date string) ([]Day, error) {
	return s.Find(ctx, bson.D{sinceDate(date), {Key: "size_m3", Value: sizeM3}, {Key: "full", Value: true}}, nil, 0)
}

// ofPartner lists a partner's days from a date on.
func (s days) ofPartner(ctx context.Context, partnerID, date string) ([]Day, error) {
	return s.Find(ctx, bson.D{{Key: "partner_id", Value: partnerID}, sinceDate(date)}, nil, 0)
}

// from lists all days from a date on.
func (s days) from(ctx context.Context, date string) ([]Day, error) {
	return s.Find(ctx, bson.D{sinceDate(date)}, nil, 0)
}

// matchedFrom lists the orders that a partner has taken and not placed yet, from a date on.
func (s store) matchedFrom(ctx context.Context, partnerID, date string) ([]Order, error) {
	return s.Find(ctx, bson.D{{Key: "partner_id", Value: partnerID}, sinceDate(date), {Key: "state", Value: Matched}}, nil, 0)
}

// byID reads some orders; who is not there is missing.
func (s store) byID(ctx context.Context, ids []string) (map[string]Order, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := s.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}, nil, 0)
	found := make(map[string]Order, len(list))
	for _, o := range list {
		found[o.ID] = o
	}
	return found, err
}

// run sweeps for as long as the process serves. Each instance does: sweeps at the same moment do no harm.
func (c capacity) run(ctx context.Context, log zerolog.Logger) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	failing, last := false, time.Time{}
	for {
		health.Tick(ctx)
		if time.Since(last) >= sweepEvery {
			last = time.Now()
			err := c.sweep(ctx)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil && !failing { // one line for each time that it begins to fail
				log.Warn().Err(err).Str("event.action", "capacity.sweep").Msg("give back places that no order holds; trying again")
			}
			failing = err != nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
