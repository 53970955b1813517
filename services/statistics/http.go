package statistics

import (
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"time"

	"kreislauf/internal/aggregate"
	"kreislauf/internal/event"
	"kreislauf/internal/httpserver"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
)

// posted is the body of POST /api/statistics/v1/events.
type posted struct {
	Type    string            `json:"type"`
	ID      string            `json:"id,omitempty"` // made once an intent, so that a repeated beacon counts once
	VisitID string            `json:"visit_id,omitempty"`
	Data    map[string]string `json:"data,omitempty"`
}

var (
	typePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{1,63}$`)
	idPattern   = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)
)

const (
	maxData  = 16
	maxKey   = 64
	maxValue = 256
)

func (p posted) check() error {
	var fields []problem.Field
	if !typePattern.MatchString(p.Type) {
		fields = append(fields, problem.Field{Pointer: "/type", Detail: "2 to 64 characters of a-z, 0-9 and - are needed, for example order-attempt"})
	}
	if p.ID != "" && !idPattern.MatchString(p.ID) {
		fields = append(fields, problem.Field{Pointer: "/id", Detail: "8 to 64 characters of A-Z, a-z, 0-9, _ and - are needed"})
	}
	if len(p.Data) > maxData {
		fields = append(fields, problem.Field{Pointer: "/data", Detail: "at most 16 members"})
	}
	for k, v := range p.Data {
		if len(k) > maxKey || len(v) > maxValue {
			fields = append(fields, problem.Field{Pointer: "/data", Detail: "names up to 64 bytes, values up to 256 bytes"})
			break
		}
	}
	if fields != nil {
		return &problem.Error{Kind: problem.Invalid, Detail: "The event cannot be recorded; see errors.", Fields: fields}
	}
	return httpserver.VisitID("/visit_id", p.VisitID)
}

// fallbackID is nginx's id of the request, which stays the same when nginx tries a second time.
func fallbackID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); idPattern.MatchString(id) {
		return "r-" + id
	}
	return event.NewID("s")
}

// addressOf is whom a stranger's events are counted for: the address that the entry saw; of IPv6 the network, because one device has as many
// addresses there as it likes.
func addressOf(r *http.Request) string {
	text := r.Header.Get("X-Forwarded-For")
	if text == "" {
		text, _, _ = net.SplitHostPort(r.RemoteAddr)
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return "unknown"
	}
	if a = a.Unmap(); a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// sender says who posts, within its limit: an application, or a stranger, who has no name.
func (s *service) sender(r *http.Request) (application, error) {
	app, err := find(s.applications, r.Header.Get("X-Api-Key"))
	switch {
	case err != nil: // guessing keys costs as much as posting
		if limited := s.limits.take(addressOf(r), strangerPerMinute, time.Now()); limited != nil {
			return app, limited
		}
		return app, err
	case app.Name == "":
		return app, s.limits.take(addressOf(r), strangerPerMinute, time.Now())
	}
	return app, s.limits.take("application "+app.Name, app.PerMinute, time.Now())
}

func (s *service) postEvent(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	ctx := r.Context()
	app, err := s.sender(r)
	if err != nil {
		return err
	}
	var in posted
	if err := httpserver.DecodeUndeclared(r, &in); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	if in.ID == "" {
		in.ID = fallbackID(r)
	}
	meta := s.meta(ctx)
	meta.VisitID = in.VisitID
	id, trust := in.ID, stranger
	if app.Name != "" {
		id, trust = app.Name+"."+in.ID, ownSource // no stranger can take an application's id: theirs hold no dot
	}
	e := recorded{Root: aggregate.New(id), Type: in.Type, At: meta.At}
	if err := e.Emit(meta, event.Recorded{Name: in.Type, Data: in.Data, Trust: trust, Application: app.Name}); err != nil {
		return err
	}
	replayed, err := s.events.Insert(ctx, e)
	if err != nil {
		return err
	}
	if replayed {
		httpserver.Replayed(w)
	}
	httpserver.Action(ctx, "statistics.recorded")
	httpserver.Annotate(ctx, "statistics.type", in.Type)
	httpserver.Annotate(ctx, "event.source_trust", trust)
	return httpserver.JSON(w, http.StatusAccepted, map[string]string{"id": in.ID})
}
