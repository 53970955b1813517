package load

import (
	"context"
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"

	"kreislauf/internal/client"
)

const signUpsAtOnce = 4 // a password hash is made to be slow

// customer is an account with its session.
type customer struct {
	name string
	*client.Client
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
			list[i] = &customer{name, s.entry.visitor(from, agent)}
			if err := s.signUp(ctx, strconv.Itoa(i), "", list[i]); err != nil {
				cancel(fmt.Errorf("sign up customer %d: %w", i+1, err))
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return list, nil
}

// signUp makes an account, with a role when it is invited; which tells it from the others of the run.
func (s *source) signUp(ctx context.Context, which, invite string, c *customer) error {
	account := client.Account{
		Key: "u-" + s.run + "-" + which, Email: "load-" + s.run + "-" + which + "@example.org", Password: crand.Text(), Name: c.name, Invite: invite,
	}
	o := retry(ctx, func(ctx context.Context) error { _, err := c.SignUp(ctx, account); return err })
	s.tally.add(func(t *Summary) { t.Retries += o.retries })
	return o.err
}

func firstNames() []string {
	return []string{"Anna", "Jonas", "Lena", "Murat", "Sofia", "Paul", "Aylin", "Katharina", "Tobias", "Elif", "Marek", "Johanna"}
}

func lastNames() []string {
	return []string{"Müller", "Schmidt", "Yılmaz", "Fischer", "Weber", "Nowak", "Becker", "Hoffmann", "Kaya", "Schäfer", "Koch", "Richter"}
}
