package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// window lets so many calls through in a span of time; it is what a rate limiter is made of.
const window = `local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[1]))
local n = redis.call('ZCARD', KEYS[1])
if n >= tonumber(ARGV[2]) then return {0, n} end
redis.call('ZADD', KEYS[1], now, ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {1, n + 1}`

func scripts(k *talk) {
	ctx := k.Context()
	eval := func(name, script string, keys []string, args ...any) {
		k.Helper()
		reply, err := k.c.Eval(ctx, script, keys, args...).Result()
		k.note(name, reply, err)
	}
	eval("integer", "return 7", nil)
	eval("fraction is cut", "return 7.9", nil)
	eval("text", "return 'x'", nil)
	eval("true", "return true", nil)
	eval("false", "return false", nil)
	eval("nil", "return nil", nil)
	eval("table ends at nil", "return {1, 'a', {2, 3}, nil, 4}", nil)
	eval("status", "return {ok='FINE'}", nil)
	eval("error", "return {err='MINE no'}", nil)
	eval("status_reply", "return redis.status_reply('FINE')", nil)
	eval("error_reply", "return redis.error_reply('MINE no')", nil)
	eval("keys and arguments", "return {KEYS[1], KEYS[2], ARGV[1], #ARGV}", []string{"a", "b"}, "x", 2)
	eval("set and get", "redis.call('SET', KEYS[1], ARGV[1]); return redis.call('GET', KEYS[1])", []string{"a"}, "v")
	eval("missing is false", "return redis.call('GET', 'none') == false", nil)
	eval("hash as a list", "redis.call('HSET', 'h', 'f', '1'); return redis.call('HGETALL', 'h')", nil)
	eval("pcall", "local r = redis.pcall('INCR', 'h'); return r.err", nil)
	eval("cjson", "return cjson.encode(cjson.decode(ARGV[1]))", nil, `{"a":[1,2,"x"]}`)
	eval("time is a time", "local t = redis.call('TIME'); return tonumber(t[1]) > 1700000000 and tonumber(t[2]) < 1000000", nil)
	eval("string functions", "return string.format('%05d|%s', 42, string.upper('x')) .. tostring(#'abc')", nil)
	fail := func(name, script string) {
		k.Helper()
		err := k.c.Eval(ctx, script, nil).Err() // versions word it differently behind the first word
		first, _, _ := strings.Cut(fmt.Sprint(err), " ")
		k.note(name, "fails with "+first, nil)
	}
	fail("call that fails", "return redis.call('INCR', 'h')")
	fail("no files", "return io.open('/etc/passwd')")
	fail("a global", "x = 1")
	fail("a syntax error", "return (")
	fail("an unknown command", "return redis.call('NOSUCH')")
	sum, err := k.c.ScriptLoad(ctx, "return 1").Result()
	k.note("load", sum, err)
	exists, err := k.c.ScriptExists(ctx, sum, strings.Repeat("0", 40)).Result()
	k.note("exists", fmt.Sprint(exists), err)
	reply, err := k.c.EvalSha(ctx, sum, nil).Result()
	k.note("by its sum", reply, err)
	reply, err = k.c.EvalSha(ctx, strings.Repeat("0", 40), nil).Result()
	k.note("by an unknown sum", reply, err)
	limiter := redis.NewScript(window)
	for i := range 4 {
		reply, err := limiter.Run(ctx, k.c, []string{"rate"}, 60_000, 3, i).Result()
		k.note(fmt.Sprintf("sliding window, call %d", i+1), reply, err)
	}
	k.note("window lives for its length", k.c.PTTL(ctx, "rate").Val() > 50_000_000_000, nil)
	flushed, err := k.c.ScriptFlush(ctx).Result()
	k.note("flush", flushed, err)
	reply, err = k.c.EvalSha(ctx, sum, nil).Result()
	k.note("after the flush", reply, err)
}

func transactions(k *talk) {
	ctx := k.Context()
	cmds, err := k.c.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, "a", "1", 0)
		p.Incr(ctx, "a")
		p.Get(ctx, "a")
		p.LPush(ctx, "a", "x")
		p.Incr(ctx, "a")
		return nil
	})
	var list []string
	for _, c := range cmds {
		list = append(list, c.Name()+" "+fmt.Sprint(c.Err()))
	}
	k.note("an error inside does not undo the rest", strings.Join(list, " / "), nil)
	k.note("the transaction's error", nil, err)
	k.ask("GET a")
	optimistic := func(interfere bool) error {
		return k.c.Watch(ctx, func(tx *redis.Tx) error {
			n, err := tx.Get(ctx, "a").Int()
			if err != nil {
				return err
			}
			if interfere {
				k.c.Set(ctx, "a", "100", 0)
			}
			_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error { return p.Set(ctx, "a", n+1, 0).Err() })
			return err
		}, "a")
	}
	k.note("watch, nobody interferes", fmt.Sprint(optimistic(false)), nil)
	k.ask("GET a")
	k.note("watch, somebody interferes", fmt.Sprint(optimistic(true)), nil)
	k.ask("GET a")
	conn := k.c.Conn()
	defer conn.Close()
	do := func(line string) {
		k.Helper()
		var args []any
		for _, w := range strings.Split(line, " ") {
			args = append(args, w)
		}
		reply, err := conn.Do(ctx, args...).Result()
		k.note(line, reply, err)
	}
	for _, line := range []string{"EXEC", "DISCARD", "MULTI", "MULTI", "SET b 1", "DISCARD", "EXISTS b", "MULTI", "SET b", "EXEC", "MULTI", "NOSUCH", "EXEC", "MULTI", "SET b 1", "WATCH a", "EXEC", "GET b", "WATCH b", "UNWATCH"} {
		do(line)
	}
}

func pubsub(k *talk) {
	ctx := k.Context()
	exact := k.c.Subscribe(ctx, "orders")
	defer exact.Close()
	pattern := k.c.PSubscribe(ctx, "ord*")
	defer pattern.Close()
	for name, s := range map[string]*redis.PubSub{"1 subscribed": exact, "2 subscribed to a pattern": pattern} {
		m, err := s.Receive(ctx)
		if err != nil {
			k.Fatal(err)
		}
		k.Say(k.T, name, "%v", m)
	}
	k.ask("PUBLISH orders hello", "PUBLISH nobody hello")
	for _, s := range []*redis.PubSub{exact, pattern} {
		m, err := s.ReceiveMessage(ctx)
		k.note("received", fmt.Sprintf("channel %q pattern %q payload %q", m.Channel, m.Pattern, m.Payload), err)
	}
	k.ask("PUBSUB NUMSUB orders", "PUBSUB NUMPAT")
	if err := exact.Unsubscribe(ctx, "orders"); err != nil {
		k.Fatal(err)
	}
	m, err := exact.Receive(ctx)
	k.note("unsubscribed", fmt.Sprint(m), err)
	k.ask("PUBLISH orders again")
}

func errorsCase(k *talk) {
	k.ask("SET s text", "RPUSH l 1", "LPUSH s x", "GET l", "INCR s", "INCRBY s x", "HSET s f v", "ZADD s 1 m", "SADD l m", "XADD s * f v", "SET a", "GET", "GET a b", "NOSUCH a", "SET a 1 EX 0",
		"SET a 1 EX -1", "SET a 1 EX x", "SET a 1 NX XX", "SET a 1 BOGUS", "EXPIRE s x", "SETEX s 0 v", "ZADD z x m", "ZADD z NX XX 1 m", "ZRANGE z a b", "ZRANGEBYSCORE z a b", "LINDEX l x",
		"SELECT 99", "SELECT x", "OBJECT NOSUCH s", "XADD x abc f v", "XADD x 1-1 f", "SCAN x", "BLPOP l x", "HSET h f", "HINCRBY h f x", "GETEX s EX 0", "COPY s s", "HELLO 9")
	for name, pw := range map[string]string{"1 without a password": "", "2 with a wrong password": "wrong"} {
		err := k.client(pw).Get(k.Context(), "s").Err()
		k.Say(k.T, name, "%s", shown(nil, err))
	}
	ctx, cancel := context.WithCancel(k.Context())
	cancel()
	k.note("an ended context", fmt.Sprint(errors.Is(k.c.Get(ctx, "s").Err(), context.Canceled)), nil)
}
