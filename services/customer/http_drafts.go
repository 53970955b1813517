package customer

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"kreislauf/internal/httpserver"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
)

// draftView is a draft as its customer sees it.
type draftView struct {
	ID        string    `json:"draft_id"`
	Version   int64     `json:"version"` // one more than what the writer knew: somebody else has written between
	ChangedAt time.Time `json:"changed_at"`
	Choice    Choice    `json:"choice"`
}

func draftOf(d Draft) draftView { return draftView{d.Name, d.Version, d.ChangedAt, d.Choice} }

// choice reads the body of a draft or cart.
func choice(r *http.Request) (Choice, error) {
	var c Choice
	if err := httpserver.Decode(r, &c); err != nil {
		return c, err
	}
	return c.normal()
}

func (s *service) getDrafts(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	list, err := s.drafts.of(r.Context(), caller.UserID)
	if err != nil {
		return err
	}
	views := make([]draftView, len(list))
	for i, d := range list {
		views[i] = draftOf(d)
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{"drafts": views})
}

// putDraft makes a draft or replaces what is in it: the last writer wins.
func (s *service) putDraft(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	name := mux.Vars(r)["id"]
	if err := checkDraftName(name); err != nil {
		return err
	}
	c, err := choice(r)
	if err != nil {
		return err
	}
	d, err := s.keep(r, caller, name, c)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", versionTag(d.Version))
	return httpserver.JSON(w, http.StatusOK, draftOf(d))
}

// keep stores a choice as a draft of the caller. One too many takes the place of the oldest.
func (s *service) keep(r *http.Request, caller session.Session, name string, c Choice) (Draft, error) {
	ctx, now := r.Context(), s.meta(r.Context()).At
	d, _, err := s.drafts.Change(ctx, draftID(caller.UserID, name), func(d *Draft) error { d.put(c, now); return nil })
	if problem.KindOf(err) != problem.NotFound {
		return d, err
	}
	list, err := s.drafts.of(ctx, caller.UserID)
	if err != nil {
		return d, err
	}
	for i := maxDrafts - 1; i < len(list); i++ {
		if err := s.drafts.Delete(ctx, list[i].ID); err != nil {
			return d, err
		}
	}
	d, there, err := s.drafts.Add(ctx, newDraft(caller.UserID, name, c, now))
	if err != nil || !there {
		return d, err
	}
	d, _, err = s.drafts.Change(ctx, d.ID, func(d *Draft) error { d.put(c, now); return nil }) // the same page, at the same moment
	return d, err
}

// deleteDraft forgets a draft; one that is not there is forgotten already.
func (s *service) deleteDraft(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	name := mux.Vars(r)["id"]
	if err := checkDraftName(name); err != nil {
		return err
	}
	if err := s.drafts.Delete(r.Context(), draftID(caller.UserID, name)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// The cart is the draft of a visitor without a session. Its cookie names it and nobody else.

func (s *service) putCart(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	c, err := choice(r)
	if err != nil {
		return err
	}
	b, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode cart: %w", err)
	}
	token := session.Cart(r)
	if token == "" {
		token = session.NewCart()
	}
	if err := s.sessions.PutCart(r.Context(), token, b); err != nil {
		return err
	}
	session.SetCart(w, r, token)
	return httpserver.JSON(w, http.StatusOK, map[string]any{"choice": c})
}

// cart reads the visitor's cart; found is false without one.
func (s *service) cart(r *http.Request) (c Choice, found bool, err error) {
	token := session.Cart(r)
	if token == "" {
		return c, false, nil
	}
	b, found, err := s.sessions.GetCart(r.Context(), token)
	if err != nil || !found {
		return c, false, err
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, false, fmt.Errorf("decode cart: %w", err)
	}
	return c, true, nil
}

func (s *service) getCart(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	c, found, err := s.cart(r)
	if err != nil {
		return err
	}
	if !found {
		return httpserver.JSON(w, http.StatusOK, map[string]any{})
	}
	return httpserver.JSON(w, http.StatusOK, map[string]any{"choice": c})
}

func (s *service) dropCart(w http.ResponseWriter, r *http.Request) error {
	if token := session.Cart(r); token != "" {
		if err := s.sessions.DeleteCart(r.Context(), token); err != nil {
			return err
		}
		session.ClearCart(w, r)
	}
	return nil
}

func (s *service) deleteCart(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	if err := s.dropCart(w, r); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// postTakeOver makes a draft of the visitor's cart, now that the visitor is signed in, and lists the drafts. Without a cart it only lists.
func (s *service) postTakeOver(w http.ResponseWriter, r *http.Request, caller session.Session) error {
	c, found, err := s.cart(r)
	if err != nil {
		return err
	}
	if found {
		if _, err := s.keep(r, caller, cartDraft(session.Cart(r)), c); err != nil {
			return err
		}
		if err := s.dropCart(w, r); err != nil {
			return err
		}
		httpserver.Action(r.Context(), "customer.cart-taken-over")
	}
	return s.getDrafts(w, r, caller)
}
