package statistics

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"sync"
	"time"

	"kreislauf/internal/problem"
)

// How far an event can be believed, as its line says.
const (
	stranger  = "stranger"    // anybody can send it: the page in a browser does, and so may somebody who wants other numbers
	ownSource = "application" // an application has shown its key
)

// application is a foreign application that posts events with a key of its own.
type application struct {
	Name      string `json:"name"`
	KeySHA256 string `json:"key_sha256"` // hexadecimal; the key itself is with the application alone
	PerMinute int    `json:"per_minute"` // events that it may post; 0: defaultPerMinute
}

const (
	defaultPerMinute = 6000
	// strangerPerMinute is how many events one address may post without a key: many people may stand behind one.
	strangerPerMinute = 1200
	// maxAddresses bounds the memory of a minute; addresses beyond it share one limit.
	maxAddresses = 20_000
)

var (
	appNamePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{1,31}$`)
	sha256Pattern  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// readApplications reads the setting KREISLAUF_APPLICATIONS: a JSON array, or nothing. The answer is by the hash of the key.
func readApplications(text string) (map[string]application, error) {
	if text == "" {
		return nil, nil
	}
	var list []application
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf(`must be a JSON array of {"name","key_sha256","per_minute"}: %w`, err)
	}
	byKey, names := map[string]application{}, map[string]bool{}
	for _, a := range list {
		switch _, twice := byKey[a.KeySHA256]; {
		case !appNamePattern.MatchString(a.Name) || names[a.Name]:
			return nil, fmt.Errorf("%q is no name of an application: 2 to 32 characters of a-z, 0-9 and -, each name once", a.Name)
		case !sha256Pattern.MatchString(a.KeySHA256) || twice:
			return nil, fmt.Errorf("the key_sha256 of %s must be 64 hexadecimal digits in lower case, and no other's", a.Name)
		case a.PerMinute < 0:
			return nil, fmt.Errorf("per_minute of %s is %d; 0 stands for %d", a.Name, a.PerMinute, defaultPerMinute)
		case a.PerMinute == 0:
			a.PerMinute = defaultPerMinute
		}
		byKey[a.KeySHA256], names[a.Name] = a, true
	}
	return byKey, nil
}

// find gives the application that a key belongs to; no key is a stranger's, whose name is empty. A key that is nobody's is refused, so that its
// sender notices. The look-up is by the key's hash, so its time tells nothing about keys.
func find(byKey map[string]application, key string) (application, error) {
	if key == "" {
		return application{}, nil
	}
	sum := sha256.Sum256([]byte(key))
	a, known := byKey[hex.EncodeToString(sum[:])]
	if !known {
		return a, problem.New(problem.Unauthenticated, "The key in X-Api-Key is not known. Leave the header out, or ask the platform's operators for a key.")
	}
	return a, nil
}

// limiter counts what each sender posts in a minute. Each instance counts for itself. Safe for concurrent use; the zero value is ready.
type limiter struct {
	mu     sync.Mutex
	minute time.Time
	counts map[string]int
}

// take counts one event of a sender at a time; the error is TooMany.
func (l *limiter) take(sender string, perMinute int, at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := at.Truncate(time.Minute); !m.Equal(l.minute) {
		l.minute, l.counts = m, map[string]int{}
	}
	if _, known := l.counts[sender]; !known && len(l.counts) >= maxAddresses {
		sender = ""
	}
	if l.counts[sender] >= perMinute {
		return problem.New(problem.TooMany, "More than %d events a minute; send the next after %s.", perMinute, l.minute.Add(time.Minute).UTC().Format(time.TimeOnly))
	}
	l.counts[sender]++
	return nil
}
