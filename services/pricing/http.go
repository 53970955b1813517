package pricing

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/money"
	"kreislauf/internal/problem"
	"kreislauf/internal/quote"
	"kreislauf/internal/session"
	"kreislauf/services/pricing/tariff"
)

type wasteView struct {
	Code        string   `json:"code"`
	NameDE      string   `json:"name_de"`
	NameEN      string   `json:"name_en"`
	Hazardous   bool     `json:"hazardous"` // always false: starred codes are not offered yet
	SizesM3     []int    `json:"sizes_m3"`
	AllowedDE   []string `json:"allowed_de"`
	ForbiddenDE []string `json:"forbidden_de"`
	AllowedEN   []string `json:"allowed_en"`
	ForbiddenEN []string `json:"forbidden_en"`
}

type catalogView struct {
	Wastes       []wasteView `json:"wastes"`
	SizesM3      []int       `json:"sizes_m3"`
	EarliestDate string      `json:"earliest_date"`
	LatestDate   string      `json:"latest_date"`
	ClosedDates  []closedDay `json:"closed_dates"`
	IncludedDays int         `json:"included_days"`
	Towns        []string    `json:"towns,omitempty"` // that have the postcode of the query
}

// cacheable: browsers keep the catalogue for a minute. nginx asks again after a second, answers with its old copy while it asks, and goes
// on with that copy for a day while no instance answers. A copy of yesterday is not served for an update: its first date is no longer
// possible.
const cacheable = "public, max-age=60, s-maxage=1, stale-while-revalidate=60, stale-if-error=86400"

type closedDay struct {
	Date   string `json:"date"`
	Reason string `json:"reason"`
}

// getCatalog answers for the whole country, or with the dates of the postcode that the query names.
func (s *service) getCatalog(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	postcode, towns := r.URL.Query().Get("postcode"), []string(nil)
	if r.URL.Query().Has("postcode") {
		place, err := catalog.FindPlace(postcode)
		if err != nil {
			return problem.InvalidField("?postcode", "%v", err)
		}
		towns = place.Towns
	}
	today := s.now().In(s.zone)
	first, last := catalog.Window(postcode, today)
	v := catalogView{
		SizesM3: catalog.Sizes(), EarliestDate: first.Format(catalog.DateFormat), LatestDate: last.Format(catalog.DateFormat),
		ClosedDates: []closedDay{}, Towns: towns, IncludedDays: tariff.IncludedDays,
	}
	for _, c := range catalog.ClosedDates(postcode, today) {
		v.ClosedDates = append(v.ClosedDates, closedDay{c.Date.Format(catalog.DateFormat), c.Reason})
	}
	for _, c := range catalog.Wastes() {
		v.Wastes = append(v.Wastes, wasteView{
			Code: c.Code, NameDE: c.NameDE, NameEN: c.NameEN, SizesM3: c.Sizes(),
			AllowedDE: c.AllowedDE, ForbiddenDE: c.ForbiddenDE, AllowedEN: c.AllowedEN, ForbiddenEN: c.ForbiddenEN,
		})
	}
	w.Header().Set("Cache-Control", cacheable)
	return httpserver.JSON(w, http.StatusOK, v)
}

type quoteView struct {
	Quote         string      `json:"quote"` // the signed token that an order needs
	Postcode      string      `json:"postcode"`
	Region        string      `json:"region"`
	Waste         string      `json:"waste_code"`
	SizeM3        int         `json:"size_m3"`
	Date          string      `json:"date"`
	Price         money.Price `json:"price"`
	IncludedDays  int         `json:"included_days"`
	ExtraDayCents money.Cents `json:"extra_day_cents"` // gross, as the next but one
	IncludedKg    int         `json:"included_kg"`
	ExtraTonne    money.Cents `json:"extra_tonne_cents"`
	MaxWeightKg   int         `json:"max_weight_kg"`
	ValidUntil    time.Time   `json:"valid_until"`
}

func (s *service) getQuote(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	now := s.now()
	q, zone, waste, err := price(r.URL.Query(), now.In(s.zone))
	if err != nil {
		return err
	}
	q.ValidUntil = now.UTC().Add(Validity).Truncate(time.Second)
	token, err := quote.Sign(s.key, q)
	if err != nil {
		return err
	}
	httpserver.Action(r.Context(), "pricing.quoted")
	httpserver.Annotate(r.Context(), "waste.code", q.Waste)
	httpserver.Annotate(r.Context(), "postcode", q.Postcode)
	return httpserver.JSON(w, http.StatusOK, quoteView{
		Quote: token, Postcode: q.Postcode, Region: zone.Region, Waste: q.Waste, SizeM3: q.SizeM3, Date: q.Date, Price: q.Price,
		IncludedDays: q.IncludedDays, ExtraDayCents: money.FromNet(q.ExtraDayNetCents).GrossCents,
		IncludedKg: q.IncludedKg, ExtraTonne: money.FromNet(q.ExtraTonneNetCents).GrossCents,
		MaxWeightKg: min(catalog.PayloadKg, waste.MaxWeightKg(q.SizeM3)), ValidUntil: q.ValidUntil,
	})
}

// price checks the four parameters, reporting all mistakes at once, and applies the tariff.
func price(query url.Values, today time.Time) (quote.Quote, catalog.Zone, catalog.Waste, error) {
	var fields []problem.Field
	bad := func(name string, err error) {
		if err != nil {
			fields = append(fields, problem.Field{Pointer: "?" + name, Detail: err.Error()})
		}
	}
	place, err := catalog.FindPlace(query.Get("postcode"))
	zone := place.Zone
	bad("postcode", err)
	size, err := strconv.Atoi(query.Get("size"))
	if err != nil {
		bad("size", errors.New("a whole number of m³ is needed, for example 7"))
	}
	waste, wasteErr := catalog.FindWaste(query.Get("waste"))
	bad("waste", wasteErr)
	if err == nil && wasteErr == nil {
		bad("size", waste.CheckSize(size))
	}
	bad("date", catalog.CheckDate(query.Get("postcode"), query.Get("date"), today))
	if fields != nil {
		return quote.Quote{}, zone, waste, &problem.Error{Kind: problem.Invalid, Detail: "No price can be given; see errors.", Fields: fields}
	}
	return quote.Quote{
		ID: event.NewID("q"), Postcode: query.Get("postcode"), Waste: waste.Code, SizeM3: size, Date: query.Get("date"),
		Price: money.FromNet(tariff.Net(zone, waste, size)), IncludedDays: tariff.IncludedDays,
		IncludedKg: tariff.IncludedKg(waste, size), ExtraDayNetCents: tariff.ExtraDayNet, ExtraTonneNetCents: tariff.ExtraTonneNet(waste),
		Tariff: tariff.Version,
	}, zone, waste, nil
}
