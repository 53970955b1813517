package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"kreislauf/internal/local/supervise"
)

// answerWithin is how long a backend whose address was given may take to answer at the start of the platform.
const answerWithin = 8 * time.Second

// checkGiven asks every backend whose address is in the environment, all at the same time. The error names variable, address and reason of
// each that does not answer: without it the services would wait for a backend that is not there, one after the other, until the start is
// given up. An answer of any kind will do; whether it lets us in, the services find out.
func (p *Platform) checkGiven(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex // guards errs
		errs []error
	)
	for _, g := range []struct {
		name, variable, value string
		ask                   func(ctx context.Context, value string) (at string, err error)
	}{
		{"redis", "KREISLAUF_REDIS_ADDR", p.redisAddr, askRedis},
		{"mongodb", "KREISLAUF_MONGODB_URI", p.mongoURI, askMongoDB},
		{"kafka", "KREISLAUF_KAFKA_BROKERS", p.kafkaList, askKafka},
		{"elasticsearch", "KREISLAUF_ELASTICSEARCH_URL", p.esURL, askHTTP},
		{"mailbox", "KREISLAUF_SMTP_ADDR", p.smtpAddr, askPort},
	} {
		if !p.external[g.name] {
			continue
		}
		wg.Go(func() {
			at, err := g.ask(ctx, g.value)
			if err == nil {
				return
			}
			if ctx.Err() != nil {
				err = fmt.Errorf("nothing came within %s", answerWithin)
			}
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, fmt.Errorf("%s: %s does not answer: %w; is the address right, and does it run? Without the variable it is started here", g.variable, at, err))
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// askRedis looks at the first byte too: whatever else listens there may answer as well.
func askRedis(ctx context.Context, addr string) (string, error) {
	kind := byte('+')
	err := supervise.Answers(addr, []byte(redisPing), len("+PONG"), func(head []byte) int { kind = head[0]; return 0 })(ctx)
	if err == nil && kind != '+' && kind != '-' { // an error, as of one that wants a password, is an answer
		err = errors.New("what listens there is no Redis")
	}
	return addr, err
}

// askPort only connects: a mail server may want TLS from the first byte, and greets whom it likes.
func askPort(ctx context.Context, addr string) (string, error) {
	return addr, supervise.TCPReady(addr)(ctx)
}

// askKafka is content with one broker that answers.
func askKafka(ctx context.Context, brokers string) (string, error) {
	return anyOf(ctx, strings.Split(brokers, ","), kafkaAlive)
}

// askMongoDB is content with one server of a replica set. With TLS a connection has to do: in the open such a server says nothing.
func askMongoDB(ctx context.Context, uri string) (string, error) {
	scheme, rest, ok := strings.Cut(uri, "://")
	hosts := rest[:strings.IndexAny(rest+"/", "/?")]
	hosts = hosts[strings.LastIndexByte(hosts, '@')+1:]
	if !ok || hosts == "" {
		return "the URI", errors.New("it is not like mongodb://host:port") // without the text, which may hold a password
	}
	addrs, alive := strings.Split(hosts, ","), mongoAlive
	if scheme == "mongodb+srv" {
		_, found, err := net.DefaultResolver.LookupSRV(ctx, "mongodb", "tcp", hosts)
		if err != nil {
			return hosts, err
		}
		addrs = nil
		for _, s := range found {
			addrs = append(addrs, net.JoinHostPort(strings.TrimSuffix(s.Target, "."), fmt.Sprint(s.Port)))
		}
	}
	if scheme == "mongodb+srv" || strings.Contains(uri, "tls=true") || strings.Contains(uri, "ssl=true") {
		alive = supervise.TCPReady
	}
	for i, a := range addrs {
		if _, _, err := net.SplitHostPort(a); err != nil {
			addrs[i] = net.JoinHostPort(a, "27017")
		}
	}
	return anyOf(ctx, addrs, alive)
}

// anyOf asks all addresses at once. Without an answer the error is that of the first one.
func anyOf(ctx context.Context, addrs []string, alive func(addr string) func(context.Context) error) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		i   int
		err error
	}
	answers := make(chan answer, len(addrs))
	for i, addr := range addrs {
		go func() { answers <- answer{i, alive(strings.TrimSpace(addr))(ctx)} }()
	}
	var first error
	for range addrs {
		a := <-answers
		if a.err == nil {
			return addrs[a.i], nil
		}
		if a.i == 0 {
			first = a.err
		}
	}
	return strings.Join(addrs, ","), first
}

// askHTTP takes any status for an answer.
func askHTTP(ctx context.Context, address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "the URL", errors.New("it is no URL") // err may quote a password
	}
	at := u.Redacted()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return at, err
	}
	res, err := http.DefaultTransport.RoundTrip(req) // a redirect is an answer
	if err != nil {
		return at, err
	}
	return at, res.Body.Close()
}
