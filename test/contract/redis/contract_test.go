package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"kreislauf/internal/backend/redisd"
	"kreislauf/test/contract/transcript"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const password = "0123456789abcdef"

// talk is one case against one server.
type talk struct {
	*testing.T
	transcript.Transcript
	addr string
	c    *redis.Client
	n    int // answers so far, so that a command may come twice
}

func cases() map[string]func(*talk) {
	return map[string]func(*talk){
		"strings": stringsCase, "expiry": expiry, "hashes": hashes, "sorted_sets": sortedSets, "lists_and_sets": listsAndSets, "scripts": scripts,
		"transactions": transactions, "streams": streams, "pubsub": pubsub, "errors": errorsCase, "keys": keys,
	}
}

func TestContract(t *testing.T) {
	servers := map[string]func(*testing.T) string{"redis-server": redisServer, "miniredis": mini}
	if transcript.Recording() {
		delete(servers, "miniredis")
	}
	for server, start := range servers {
		t.Run(server, func(t *testing.T) {
			addr := start(t)
			var d *transcript.Differences
			if !transcript.Recording() {
				d = transcript.LoadDifferences(t)
			}
			for name, ask := range cases() {
				t.Run(name, func(t *testing.T) {
					k := &talk{T: t, addr: addr}
					k.c = k.client(password)
					if err := k.c.FlushAll(t.Context()).Err(); err != nil {
						t.Fatal(err)
					}
					ask(k)
					switch {
					case t.Failed():
					case transcript.Recording():
						k.Record(t, name)
					default:
						k.Compare(t, server, name, d)
					}
				})
			}
			if d != nil {
				d.AllMet(t, server)
			}
		})
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// redisServer runs the installed one as the platform does.
func redisServer(t *testing.T) string {
	t.Helper()
	binary := redisd.Find()
	if binary == "" {
		t.Fatal("redis-server was not found; install it: apt-get install redis-server, or run: make deps")
	}
	addr := freeAddr(t)
	conf, err := redisd.WriteConfig(filepath.Join(t.TempDir(), "redis"), addr, password)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
			t.Error(err)
		}
	})
	awaitAnswer(t, addr)
	return addr
}

func mini(t *testing.T) string {
	t.Helper()
	addr := freeAddr(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1) // gets the end
	go func() { done <- redisd.RunMini(ctx, addr, password) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	awaitAnswer(t, addr)
	return addr
}

func awaitAnswer(t *testing.T, addr string) {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: addr, Password: password, MaxRetries: -1})
	defer c.Close()
	for deadline := time.Now().Add(30 * time.Second); c.Ping(t.Context()).Err() != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("Redis does not answer")
		}
	}
}

func (k *talk) client(password string) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: k.addr, Password: password, MaxRetries: -1})
	k.Cleanup(func() { c.Close() })
	return c
}

// note writes an answer down under a numbered name.
func (k *talk) note(name string, reply any, err error) {
	k.Helper()
	k.n++
	k.Say(k.T, fmt.Sprintf("%02d %s", k.n, name), "%s", shown(reply, err))
}

// ask sends commands as they are written, words apart by spaces, and notes the answers.
func (k *talk) ask(commands ...string) {
	k.Helper()
	for _, line := range commands {
		var args []any
		for _, word := range strings.Split(line, " ") {
			args = append(args, word)
		}
		reply, err := k.c.Do(k.Context(), args...).Result()
		k.note(line, reply, err)
	}
}

// shown writes a reply so that types can be told apart.
func shown(reply any, err error) string {
	if errors.Is(err, redis.Nil) {
		return "(nil)"
	}
	if err != nil {
		return "(error) " + err.Error()
	}
	switch v := reply.(type) {
	case nil:
		return "(nil)"
	case string:
		return strconv.Quote(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return "(double) " + strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		return fmt.Sprintf("(bool) %t", v)
	case error:
		return "(error) " + v.Error()
	case []any:
		list := make([]string, len(v))
		for i, e := range v {
			list[i] = shown(e, nil)
		}
		return "[" + strings.Join(list, " ") + "]"
	case map[any]any:
		var list []string
		for key, value := range v {
			list = append(list, shown(key, nil)+": "+shown(value, nil))
		}
		slices.Sort(list)
		return "{" + strings.Join(list, ", ") + "}"
	}
	return fmt.Sprintf("(%T) %v", reply, reply)
}
