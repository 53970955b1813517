package pricing

import (
	"fmt"
	"slices"

	"kreislauf/internal/network"
)

// fullDay is a partner, size and day without room, or with room again, as order has told of it. Its document too.
type fullDay struct {
	ID      string `bson:"_id"`
	Version int64  `bson:"version"` // of order's document
	Date    string `bson:"date"`
	Full    bool   `bson:"full"`
}

func dayID(partnerID string, sizeM3 int, date string) string {
	return fmt.Sprintf("%s/%d/%s", partnerID, sizeM3, date)
}

// snapshot is what an instance knows of partners and their full days: a copy of the database that is seconds old, so that prices and days can be
// shown while the database is away. It does not change.
type snapshot struct {
	partners []network.Partner
	full     map[string]bool // by dayID
}

// taken lists those of some days, in order, on which nobody who could do a job has a container left. Without a partner for the job it is none:
// the back office finds somebody.
func (s snapshot) taken(j network.Job, days []string) []string {
	bids, _ := network.Rank(s.partners, j)
	for _, b := range bids {
		if _, limited := b.PerDay(j.SizeM3); !limited {
			return nil
		}
	}
	if len(bids) == 0 {
		return nil
	}
	var list []string
	for _, day := range days {
		free := slices.ContainsFunc(bids, func(b network.Bid) bool {
			n, _ := b.PerDay(j.SizeM3)
			return n > 0 && !s.full[dayID(b.ID, j.SizeM3, day)]
		})
		if !free {
			list = append(list, day)
		}
	}
	return list
}
