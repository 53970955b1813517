package identity

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"kreislauf/internal/httpserver"
	"kreislauf/internal/problem"
	"kreislauf/internal/session"
)

// Limits of attempts with a wrong password, by address of the account and by network; and of mails about forgotten passwords. Whether an
// address has an account makes no difference.
var (
	ofAccount   = session.Limit{Name: "account", Free: 5, First: 30 * time.Second, Most: 15 * time.Minute, Memory: time.Hour}
	ofNetwork   = session.Limit{Name: "network", Free: 30, First: 10 * time.Second, Most: 5 * time.Minute, Memory: time.Hour}
	resetMails  = session.Limit{Name: "reset", Free: 3, First: 10 * time.Minute, Most: time.Hour, Memory: 24 * time.Hour}
	resetAsking = session.Limit{Name: "reset-network", Free: 20, First: time.Minute, Most: 15 * time.Minute, Memory: time.Hour}
)

// network is whose attempts are counted together: the client's IPv4 address, or the /64 network of its IPv6 address. The entry puts the address
// into X-Forwarded-For; the last one there is the one that it saw.
func network(r *http.Request) string {
	addr := r.Header.Get("X-Forwarded-For")
	addr = strings.TrimSpace(addr[strings.LastIndexByte(addr, ',')+1:])
	if addr == "" {
		addr, _, _ = net.SplitHostPort(r.RemoteAddr)
	}
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return "unknown"
	}
	if ip = ip.Unmap(); ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}

// attempt is one try to show that one knows a password.
type attempt struct {
	email, network string
	number         int // of the tries for this address since the last success
}

// attempt counts a try before the password is looked at. The error is TooMany when the address or the network has to wait.
func (s *service) attempt(ctx context.Context, email, network string) (attempt, error) {
	a := attempt{email: email, network: network}
	n, wait, err := s.sessions.Attempt(ctx, ofAccount, email)
	if err != nil {
		return a, err
	}
	if wait == 0 {
		if _, wait, err = s.sessions.Attempt(ctx, ofNetwork, network); err != nil || wait > 0 {
			err = errors.Join(err, s.sessions.TakeBack(ctx, ofAccount, email))
		}
	}
	if err != nil {
		return a, err
	}
	if wait > 0 {
		httpserver.Action(ctx, "identity.sign-in-locked")
		return a, tooMany(wait, "Too many attempts with a wrong password; wait %s, then try again. If you have forgotten the password, ask for a new one.")
	}
	a.number = n
	return a, nil
}

func tooMany(wait time.Duration, text string) error {
	p := problem.New(problem.TooMany, text, max(wait.Round(time.Second), time.Second))
	p.After = wait
	return p
}

// right says that the password was right: the address's tries are forgotten, and the network's is none. Those with which the network failed
// still count, or an own account would be a way around its limit.
func (s *service) right(ctx context.Context, a attempt) error {
	return errors.Join(s.sessions.Forget(ctx, ofAccount, a.email), s.sessions.TakeBack(ctx, ofNetwork, a.network))
}

// unheard says that nobody looked at the password.
func (s *service) unheard(ctx context.Context, a attempt) {
	ctx = context.WithoutCancel(ctx)                   // the request may have ended by its time
	_ = s.sessions.TakeBack(ctx, ofAccount, a.email)   // else it counts: rather one try too few
	_ = s.sessions.TakeBack(ctx, ofNetwork, a.network) //
}

// wrong says that the password was wrong. The owner of an account for which tries have to wait from now on gets one mail.
func (s *service) wrong(ctx context.Context, a attempt) error {
	if a.number != ofAccount.Free {
		return nil
	}
	_, err := s.notices.Insert(ctx, newNotice(noticeLocked, a.email, s.meta(ctx)))
	return err
}
