package load

import (
	"context"
	crand "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"sync"
)

const (
	csrfCookie = "kreislauf_csrf"
	csrfHeader = "X-CSRF-Token"

	signUpsAtOnce = 4 // a password hash is made to be slow
)

// customer is an account with its session: the cookies are in http's jar.
type customer struct {
	name string
	http *http.Client
	csrf string
}

// signUpAll makes n accounts. Each comes from its own address, because the entry limits sign-ups per address.
func (s *source) signUpAll(ctx context.Context, n int) ([]*customer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := rand.New(rand.NewPCG(s.o.Seed, streamSignUps))
	list := make([]*customer, n)
	slots := make(chan struct{}, signUpsAtOnce)
	var wg sync.WaitGroup
	for i := range list {
		from, agent := s.mix.address(r), s.mix.agents[r.IntN(len(s.mix.agents))]
		name := firstNames()[r.IntN(len(firstNames()))] + " " + lastNames()[r.IntN(len(lastNames()))]
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if ctx.Err() != nil {
				return
			}
			c, err := s.signUp(ctx, i, name, request{from: from, agent: agent})
			if err != nil {
				cancel(fmt.Errorf("sign up customer %d: %w", i+1, err))
				return
			}
			list[i] = c
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return list, nil
}

// signUp makes one account; r says where from.
func (s *source) signUp(ctx context.Context, i int, name string, r request) (*customer, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("make cookie jar: %w", err)
	}
	c := &customer{name: name, http: &http.Client{Transport: s.client.http.Transport, CheckRedirect: s.client.http.CheckRedirect, Jar: jar}}
	r.method, r.path, r.key, r.by = http.MethodPost, "/api/identity/v1/users", s.id("u", i), c
	r.body = encode(map[string]string{"email": fmt.Sprintf("load-%s-%d@example.org", s.run, i), "password": crand.Text(), "name": name})
	a := s.client.send(ctx, r)
	s.tally.add(func(t *Summary) { t.Retries += a.retries })
	if a.err != nil {
		return nil, a.err
	}
	if !a.ok() {
		return nil, fmt.Errorf("%s: %s", a.kind(), detail(a.body))
	}
	for _, k := range jar.Cookies(s.client.entry) {
		if k.Name == csrfCookie {
			c.csrf = k.Value
		}
	}
	if c.csrf == "" {
		return nil, errors.New("the answer sets no cookie " + csrfCookie)
	}
	return c, nil
}

// detail is the text of a problem document, or the beginning of whatever came instead.
func detail(body []byte) string {
	var p struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(body, &p) == nil && p.Detail != "" {
		return p.Detail
	}
	return fmt.Sprintf("%.80q", body)
}

func firstNames() []string {
	return []string{"Anna", "Jonas", "Lena", "Murat", "Sofia", "Paul", "Aylin", "Katharina", "Tobias", "Elif", "Marek", "Johanna"}
}

func lastNames() []string {
	return []string{"Müller", "Schmidt", "Yılmaz", "Fischer", "Weber", "Nowak", "Becker", "Hoffmann", "Kaya", "Schäfer", "Koch", "Richter"}
}
