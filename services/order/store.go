package order

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"kreislauf/internal/authz"
	"kreislauf/internal/mongodb"
	"kreislauf/internal/network"
	"kreislauf/internal/repository"
)

type store struct {
	*repository.Repository[Order, *Order]
}

func (s store) ensureIndexes(ctx context.Context) error {
	return errors.Join(
		s.ensureOfficeIndexes(ctx),
		s.Index("user_placed", bson.D{{Key: "user_id", Value: 1}, {Key: "placed_at", Value: -1}}, nil)(ctx),
		s.Index("company_placed", bson.D{{Key: "company_id", Value: 1}, {Key: "placed_at", Value: -1}}, options.Index().SetSparse(true))(ctx),
		s.Index("swap_claim", bson.D{{Key: "swap.claim", Value: 1}}, options.Index().SetUnique(true).SetSparse(true))(ctx),
		s.Index("site_placed", bson.D{{Key: "site_id", Value: 1}, {Key: "placed_at", Value: -1}}, options.Index().SetSparse(true))(ctx),
		s.Index("partner_date", bson.D{{Key: "partner_id", Value: 1}, {Key: "date", Value: 1}}, options.Index().SetSparse(true))(ctx),
	)
}

// ownedBy finds the orders of a customer or its company. What a member ordered for the company stays the company's when the member leaves.
func ownedBy(c authz.Caller) bson.D {
	own := bson.D{{Key: "user_id", Value: c.UserID}, {Key: "company_id", Value: bson.D{{Key: "$exists", Value: false}}}}
	if c.CompanyID != "" {
		own = bson.D{{Key: "$or", Value: bson.A{own, bson.D{{Key: "company_id", Value: c.CompanyID}}}}}
	}
	return own
}

// maxRead is how many orders are read for a proof at most; they are those of all years up to it.
const maxRead = 5000

// fetched lists a customer's or its company's orders that were placed before a time and whose container was fetched, newest first; with a
// site only those for it. More than maxRead say that there are more.
func (s store) fetched(ctx context.Context, c authz.Caller, site string, before time.Time) ([]Order, error) {
	filter := append(ownedBy(c), bson.E{Key: "state", Value: bson.D{{Key: "$in", Value: bson.A{Collected, Weighed, Invoiced, Paid}}}},
		bson.E{Key: "placed_at", Value: bson.D{{Key: "$lt", Value: before}}})
	if site != "" {
		filter = append(filter, bson.E{Key: "site_id", Value: site})
	}
	return s.Find(ctx, filter, bson.D{{Key: "placed_at", Value: -1}}, maxRead+1)
}

// newest lists the orders of a customer or its company, newest first.
// With a site only those for it; a site manager's caller has nothing else.
func (s store) newest(ctx context.Context, c authz.Caller, siteID string, limit int64) ([]Order, error) {
	own := ownedBy(c)
	if c.Role == authz.SiteManager {
		own, siteID = nil, c.SiteID
	}
	if siteID != "" {
		own = append(own, bson.E{Key: "site_id", Value: siteID})
	}
	return s.Find(ctx, own, bson.D{{Key: "placed_at", Value: -1}}, limit)
}

// jobs lists a partner's orders in one of some states, by the day of placing; with a driver only its own. With a day only those whose trip is
// planned for it, in the order of the driver's day, and those that nobody has planned and that the customer wants then.
func (s store) jobs(ctx context.Context, partnerID, driverID, date string, states []State, limit int64) ([]Order, error) {
	filter := bson.D{{Key: "partner_id", Value: partnerID}, {Key: "state", Value: bson.D{{Key: "$in", Value: states}}}}
	if driverID != "" {
		filter = append(filter, bson.E{Key: "driver_id", Value: driverID})
	}
	if date != "" {
		unplanned := bson.E{Key: "plan", Value: bson.D{{Key: "$exists", Value: false}}}
		filter = append(filter, bson.E{Key: "$or", Value: bson.A{
			bson.D{{Key: "plan.day", Value: date}},
			bson.D{unplanned, {Key: "state", Value: Matched}, {Key: "date", Value: date}},
			bson.D{unplanned, {Key: "state", Value: bson.D{{Key: "$in", Value: bson.A{OnSite, Collected}}}}, {Key: "pick_up_on", Value: date}},
		}})
	}
	list, err := s.Find(ctx, filter, bson.D{{Key: "date", Value: 1}, {Key: "_id", Value: 1}}, limit)
	if date != "" {
		slices.SortStableFunc(list, func(a, b Order) int { return cmp.Compare(a.position(), b.position()) })
	}
	return list, err
}

type sites struct{ mongodb.Collection[Site] }

// put keeps the newest state of a site; an older one, or the same again, changes nothing.
func (s sites) put(ctx context.Context, site Site) error {
	_, err := s.PutNewer(ctx, site.ID, site.Version, site)
	return err
}

// find reads a site; known is false for one that nobody has told of.
func (s sites) find(ctx context.Context, id string) (site Site, known bool, err error) {
	return s.First(ctx, bson.D{{Key: "_id", Value: id}})
}

// all reads the sites of some ids.
func (s sites) all(ctx context.Context, ids []string) ([]Site, error) {
	return s.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}, nil, 0)
}

// takers are what order knows of disposal partners as takers of waste.
type takers struct{ mongodb.Collection[Taker] }

// put keeps the newest state of a partner; an older one, or the same again, changes nothing.
func (s takers) put(ctx context.Context, p Taker) error {
	_, err := s.PutNewer(ctx, p.ID, p.Version, p)
	return err
}

func (s takers) byID(ctx context.Context) (map[string]Taker, error) {
	list, err := s.Find(ctx, bson.D{}, nil, 0)
	m := make(map[string]Taker, len(list))
	for _, p := range list {
		m[p.ID] = p
	}
	return m, err
}

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
