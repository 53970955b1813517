package statistics

import (
	"net/http"
	"regexp"

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

func (s *service) postEvent(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	ctx := r.Context()
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
	e := recorded{Root: aggregate.New(in.ID), Type: in.Type, At: meta.At}
	if err := e.Emit(meta, event.Recorded{Name: in.Type, Data: in.Data}); err != nil {
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
	return httpserver.JSON(w, http.StatusAccepted, map[string]string{"id": in.ID})
}
