package pricing

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"kreislauf/internal/catalog"
	"kreislauf/internal/event"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/money"
	"kreislauf/internal/network"
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

	Tariff     string      `json:"tariff"`            // quote.Flat or quote.Weight
	ExtraTonne money.Cents `json:"extra_tonne_cents"` // gross, each tonne above what is included; by weight each tonne
	Offers     []offerView `json:"offers,omitempty"`  // of each size of the catalogue, at the postcode of the query
}

// offerView is a waste in a size at a place: its price, or why there is none.
type offerView struct {
	SizeM3     int         `json:"size_m3"`
	GrossCents money.Cents `json:"gross_cents,omitempty"`
	IncludedKg int         `json:"included_kg,omitempty"`
	Reason     string      `json:"reason,omitempty"`      // why it cannot be ordered: "too-heavy", or "taken" on all days
	TakenDates []string    `json:"taken_dates,omitempty"` // open days on which no container of the size is left
}

type catalogView struct {
	Wastes       []wasteView `json:"wastes"`
	SizesM3      []int       `json:"sizes_m3"`
	EarliestDate string      `json:"earliest_date"`
	LatestDate   string      `json:"latest_date"`
	ClosedDates  []closedDay `json:"closed_dates"`
	IncludedDays int         `json:"included_days"`

	TariffVersion   string      `json:"tariff_version"`
	ExtraDayCents   money.Cents `json:"extra_day_cents"` // gross, as the next two
	PermitCents     money.Cents `json:"permit_cents"`
	FailedTripCents money.Cents `json:"failed_trip_cents"`

	Hazardous []hazardousView `json:"hazardous"`       // that are not offered
	Towns     []string        `json:"towns,omitempty"` // that have the postcode of the query
}

// cacheable: browsers keep the catalogue for a minute. nginx asks again after a second, answers with its old copy while it asks, and goes
// on with that copy for a day while no instance answers. A copy of yesterday is not served for an update: its first date is no longer
// possible.
const cacheable = "public, max-age=60, s-maxage=1, stale-while-revalidate=60, stale-if-error=86400"

// hazardousView is a waste that cannot be ordered.
type hazardousView struct {
	Code   string `json:"code"` // with its asterisk
	NameDE string `json:"name_de"`
	NameEN string `json:"name_en"`
}

type closedDay struct {
	Date   string `json:"date"`
	Reason string `json:"reason"`
}

// getCatalog answers for the whole country, or with the dates of the postcode that the query names.
func (s *service) getCatalog(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	postcode := r.URL.Query().Get("postcode")
	var place catalog.Place
	if r.URL.Query().Has("postcode") {
		var err error
		if place, err = catalog.FindPlace(postcode); err != nil {
			return problem.InvalidField("?postcode", "%v", err)
		}
	}
	today := s.now().In(s.zone)
	first, last := catalog.Window(postcode, today)
	v := catalogView{
		SizesM3: catalog.Sizes(), EarliestDate: first.Format(catalog.DateFormat), LatestDate: last.Format(catalog.DateFormat),
		ClosedDates: []closedDay{}, Towns: place.Towns, IncludedDays: tariff.IncludedDays, TariffVersion: tariff.Version,
		ExtraDayCents: gross(tariff.ExtraDayNet), PermitCents: gross(tariff.PermitNet), FailedTripCents: gross(quote.FailedTripNet),
	}
	for _, h := range catalog.HazardousWastes() {
		v.Hazardous = append(v.Hazardous, hazardousView{h.Code, h.NameDE, h.NameEN})
	}
	for _, c := range catalog.ClosedDates(postcode, today) {
		v.ClosedDates = append(v.ClosedDates, closedDay{c.Date.Format(catalog.DateFormat), c.Reason})
	}
	for _, c := range catalog.Wastes() {
		v.Wastes = append(v.Wastes, wasteView{
			Code: c.Code, NameDE: c.NameDE, NameEN: c.NameEN, SizesM3: c.Sizes(),
			AllowedDE: c.AllowedDE, ForbiddenDE: c.ForbiddenDE, AllowedEN: c.AllowedEN, ForbiddenEN: c.ForbiddenEN,
			Tariff: tariff.Model(c), ExtraTonne: gross(tariff.ExtraTonneNet(c)), Offers: s.offers(place, c, today),
		})
	}
	w.Header().Set("Cache-Control", cacheable)
	return httpserver.JSON(w, http.StatusOK, v)
}

func gross(net money.Cents) money.Cents { return money.FromNet(net).GrossCents }

// offers are a waste's sizes at a place; none without a place.
func (s *service) offers(place catalog.Place, waste catalog.Waste, today time.Time) []offerView {
	if place.Postcode == "" {
		return nil
	}
	days, known := catalog.OpenDates(place.Postcode, "", today), s.snapshot.Load()
	var list []offerView
	for _, size := range catalog.Sizes() {
		o := offerView{SizeM3: size}
		if waste.CheckSize(size) != nil {
			o.Reason = "too-heavy"
		} else {
			o.GrossCents, o.IncludedKg = gross(tariff.Net(tariff.Lines(place.Zone, waste, size, false))), tariff.IncludedKg(waste, size)
			o.TakenDates = known.taken(network.Job{Postcode: place.Postcode, Waste: waste.Code, SizeM3: size}, days)
			if len(o.TakenDates) == len(days) {
				o.Reason, o.TakenDates = "taken", nil
			}
		}
		list = append(list, o)
	}
	return list
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

	Tariff        string            `json:"tariff"` // quote.Flat or quote.Weight
	TariffVersion string            `json:"tariff_version"`
	Lines         []event.PriceLine `json:"lines"`                  // what the price consists of, net
	PermitCents   money.Cents       `json:"permit_cents,omitempty"` // gross, as the next; a part of the price when we get the permit
	FailedTrip    money.Cents       `json:"failed_trip_cents"`      // for each truck that comes in vain
	Window        string            `json:"window,omitempty"`
}

func (s *service) getQuote(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	now := s.now()
	today := now.In(s.zone)
	q, zone, waste, err := price(r.URL.Query(), today)
	if err != nil {
		return err
	}
	if err := s.checkRoom(network.Job{Postcode: q.Postcode, Waste: q.Waste, SizeM3: q.SizeM3, Date: q.Date}, today); err != nil {
		return problem.InvalidField("?date", "%v", err)
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
		IncludedDays: q.IncludedDays, ExtraDayCents: gross(q.ExtraDayNetCents),
		IncludedKg: q.IncludedKg, ExtraTonne: gross(q.ExtraTonneNetCents),
		MaxWeightKg: min(catalog.PayloadKg, waste.MaxWeightKg(q.SizeM3)), ValidUntil: q.ValidUntil,
		Tariff: q.Model, TariffVersion: q.Tariff, Lines: q.Lines, PermitCents: gross(q.PermitNetCents), FailedTrip: gross(quote.FailedTripNet), Window: q.Window,
	})
}

// price checks the parameters, reporting all mistakes at once, and applies the tariff. Whether a container is left it does not ask.
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
	window, windowErr := catalog.FindWindow(query.Get("window"))
	bad("window", windowErr)
	permit := query.Get("permit") == "true"
	if query.Has("permit") && !permit && query.Get("permit") != "false" {
		bad("permit", errors.New("use true when we are to get the permit for public ground, else false or nothing"))
	}
	if fields != nil {
		return quote.Quote{}, zone, waste, &problem.Error{Kind: problem.Invalid, Detail: "No price can be given; see errors.", Fields: fields}
	}
	lines := tariff.Lines(zone, waste, size, permit)
	q := quote.Quote{
		ID: event.NewID("q"), Postcode: query.Get("postcode"), Waste: waste.Code, SizeM3: size, Date: query.Get("date"),
		Price: money.FromNet(tariff.Net(lines)), IncludedDays: tariff.IncludedDays,
		IncludedKg: tariff.IncludedKg(waste, size), ExtraDayNetCents: tariff.ExtraDayNet, ExtraTonneNetCents: tariff.ExtraTonneNet(waste),
		Tariff: tariff.Version, Model: tariff.Model(waste), Lines: lines, Window: window,
	}
	if permit {
		q.PermitNetCents = tariff.PermitNet
	}
	return q, zone, waste, nil
}

// checkRoom refuses a day on which no container is left, as far as is known, and names the next one. Placing an order decides.
func (s *service) checkRoom(j network.Job, today time.Time) error {
	days := catalog.OpenDates(j.Postcode, "", today)
	taken := s.snapshot.Load().taken(j, days)
	if !slices.Contains(taken, j.Date) {
		return nil
	}
	next := slices.IndexFunc(days, func(day string) bool { return day > j.Date && !slices.Contains(taken, day) })
	if next < 0 {
		return fmt.Errorf("%w: all containers of %d m³ are taken from %s on; choose another size or an earlier day", catalog.ErrDate, j.SizeM3, j.Date)
	}
	return fmt.Errorf("%w: all containers of %d m³ are taken on %s; the next free day is %s", catalog.ErrDate, j.SizeM3, j.Date, days[next])
}
