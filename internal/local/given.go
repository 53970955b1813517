package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"kreislauf/internal/local/supervise"
)

// answerWithin is how long a backend whose address was given may take to answer at the start of the platform.
const answerWithin = 8 * time.Second

// asks says how each backend whose address can be given is asked for a sign of life; at is the address without a password.
func asks() map[string]func(ctx context.Context, value string) (at string, err error) {
	return map[string]func(ctx context.Context, value string) (string, error){
		"KREISLAUF_REDIS_ADDR": askRedis, "KREISLAUF_MONGODB_URI": askMongoDB, "KREISLAUF_KAFKA_BROKERS": askKafka, "KREISLAUF_ELASTICSEARCH_URL": askHTTP,
		"KREISLAUF_SMTP_ADDR": askPort,
	}
}

// checkGiven asks every backend whose address is in the environment, all at the same time, and names each that does not answer. Without it
// the services would wait for a backend that is not there, one after the other, until the start is given up.
func (p *Platform) checkGiven(ctx context.Context) error {
	var wg sync.WaitGroup
	answers := make(chan error, len(asks()))
	for name, variable := range map[string]string{
		"redis": "KREISLAUF_REDIS_ADDR", "mongodb": "KREISLAUF_MONGODB_URI", "kafka": "KREISLAUF_KAFKA_BROKERS",
		"elasticsearch": "KREISLAUF_ELASTICSEARCH_URL", "mailbox": "KREISLAUF_SMTP_ADDR",
	} {
		if p.external[name] {
			wg.Go(func() { answers <- CheckGiven(ctx, variable) })
		}
	}
	wg.Wait()
	close(answers)
	var errs []error
	for err := range answers {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// CheckGiven asks the backend whose address a variable of the environment gives, within answerWithin; one that is not set is well. The
// error names variable, address and reason. An answer of any kind will do; whether it lets us in is found out later.
func CheckGiven(ctx context.Context, variable string) error {
	value := os.Getenv(variable)
	if value == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	at, err := asks()[variable](ctx, value)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) { // the connection may notice first
		err = fmt.Errorf("nothing came within %s", answerWithin)
	}
	return fmt.Errorf("%s: %s does not answer: %w; is the address right, and does it run? Without the variable that of `kreislauf up` is used", variable, at, err)
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
