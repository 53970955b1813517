package mongod

import (
	"bytes"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kreislauf/internal/backend/mongod/fault"
	"kreislauf/internal/backend/mongod/raw"

	"github.com/rs/zerolog"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

var (
	root  = User{Name: "root", DB: "admin", Password: "r00t", Roles: []Role{{"root", "admin"}}}
	owner = User{Name: "orders", DB: "orders", Password: "päss", Roles: []Role{{"readWrite", "orders"}}}
)

// login returns a client that logs in as the user.
func login(tb testing.TB, addr string, u User) *mongo.Client {
	tb.Helper()
	client := must[*mongo.Client](tb)(mongo.Connect(options.Client().ApplyURI("mongodb://" + addr).
		SetAuth(options.Credential{AuthSource: u.DB, Username: u.Name, Password: u.Password})))
	tb.Cleanup(func() { _ = client.Disconnect(tb.Context()) })
	return client
}

// wantError checks the code, its name and the text of a command's error.
func wantError(t *testing.T, err error, code int32, name, message string) {
	t.Helper()
	var ce mongo.CommandError
	if !errors.As(err, &ce) || ce.Code != code || ce.Name != name || !strings.Contains(ce.Message, message) {
		t.Errorf("got %v, want %d %s %q", err, code, name, message)
	}
}

func TestEveryCommandHasAnAction(t *testing.T) {
	for _, e := range commandTable().Entries {
		if e.Parse.action == 0 {
			t.Errorf("command %s has no action: nobody could run it; see rights.go", e.Name)
		}
	}
}

func TestEachUserKeepsToItsDatabase(t *testing.T) {
	ctx := t.Context()
	addr := startServer(t, Options{Users: []User{root, owner}}).Addr()
	c := login(t, addr, owner).Database("orders").Collection("c")
	must[*mongo.InsertOneResult](t)(c.InsertOne(ctx, bson.M{"_id": 1}))
	must[string](t)(c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.M{"a": 1}}))
	if got := find[bson.M](t, c, bson.M{}); len(got) != 1 {
		t.Errorf("read %v", got)
	}
	client := c.Database().Client()
	_, err := client.Database("other").Collection("c").InsertOne(ctx, bson.M{})
	wantError(t, err, 13, "Unauthorized", `not authorized on other to execute command { insert: "c", ordered: true,`)
	err = client.Database("other").Collection("c").FindOne(ctx, bson.M{"a": 1}).Err()
	wantError(t, err, 13, "Unauthorized", `not authorized on other to execute command { find: "c", filter: { a: 1 }`)
	wantError(t, c.Database().Drop(ctx), 13, "Unauthorized", "not authorized on orders to execute command { dropDatabase: 1")
	all := login(t, addr, root)
	must[*mongo.InsertOneResult](t)(all.Database("other").Collection("c").InsertOne(ctx, bson.M{"_id": 1}))
	_, err = all.Database("admin").Collection("system.users").DeleteOne(ctx, bson.M{})
	wantError(t, err, 13, "Unauthorized", "not authorized on admin")
	wantError(t, all.Database("admin").Collection("system.users").FindOne(ctx, bson.M{}).Err(), 13, "Unauthorized", "not authorized on admin")
	wantError(t, all.Database("admin").Drop(ctx), 20, "IllegalOperation", "Dropping the 'admin' database is prohibited.")
}

func TestWithoutLogin(t *testing.T) {
	ctx := t.Context()
	s := startServer(t, Options{Users: []User{owner}})
	client := connect(t, s.Addr())
	if err := client.Ping(ctx, nil); err != nil {
		t.Errorf("ping needs no login: %v", err)
	}
	err := client.Database("orders").Collection("c").FindOne(ctx, bson.M{}).Err()
	wantError(t, err, 13, "Unauthorized", "Command find requires authentication")
	wrong := owner
	wrong.Password = "wrong"
	nobody := User{Name: "nobody", DB: "orders", Password: "x"}
	for _, u := range []User{wrong, nobody} {
		wantError(t, login(t, s.Addr(), u).Ping(ctx, nil), 18, "AuthenticationFailed", "Authentication failed.")
	}
}

// TestUsersOutliveTheServer starts again with another password for one user, and looks for passwords in the file and the log.
func TestUsersOutliveTheServer(t *testing.T) {
	dir := t.TempDir()
	open := func(users ...User) (*Server, *lockedBuffer) {
		var log lockedBuffer
		s, err := New(Options{Dir: dir, Addr: "127.0.0.1:0", Logger: zerolog.New(&log), Users: users})
		if err == nil {
			err = s.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		return s, &log
	}
	s, _ := open(root, owner)
	stopServer(t, s)
	changed := owner
	changed.Password = "another"
	s, log := open(changed)
	wantError(t, login(t, s.Addr(), owner).Ping(t.Context(), nil), 18, "AuthenticationFailed", "")
	for _, u := range []User{root, changed} {
		if err := login(t, s.Addr(), u).Ping(t.Context(), nil); err != nil {
			t.Errorf("%s: %v", u.Name, err)
		}
	}
	stopServer(t, s)
	file := must[[]byte](t)(os.ReadFile(filepath.Join(dir, "kreislauf.bolt")))
	for _, u := range []User{root, owner, changed} {
		if bytes.Contains(file, []byte(u.Password)) || strings.Contains(log.String(), u.Password) {
			t.Errorf("the password of %s is in the file or the log", u.Name)
		}
	}
	if !strings.Contains(log.String(), "authentication failed") {
		t.Errorf("a wrong password is not logged: %s", log.String())
	}
}

// TestStrangersNeedAUser talks to a server without users from an address that is not loopback.
func TestStrangersNeedAUser(t *testing.T) {
	s := startServer(t, Options{})
	here, there := net.Pipe()
	defer here.Close()
	c := &conn{server: s, net: there}
	defer there.Close()
	q := &request{name: "find", body: raw.New().Str("find", "c").Str("$db", "d").Done(), db: "d", client: c}
	_, err := s.dispatch(q)
	if got := fault.As(err); got.Code != fault.Unauthorized || got.Message != "Command find requires authentication" {
		t.Errorf("answer %v", err)
	}
}

// FuzzSASL sends two messages to a conversation: nothing panics, and nobody gets in without a proof.
func FuzzSASL(f *testing.F) {
	u, err := newUser(owner)
	if err != nil {
		f.Fatal(err)
	}
	s := &Server{users: users{u.id(): u}, log: zerolog.Nop()}
	here, there := net.Pipe()
	f.Cleanup(func() { here.Close(); there.Close() })
	start := func(payload raw.Value) []byte {
		return raw.New().Int32("saslStart", 1).Str("mechanism", mechanism).Add("payload", payload).Done()
	}
	first := raw.Binary([]byte("n,,n=orders,r=abc"))
	f.Add(start(first), []byte("c=biws,r=abcdef,p=AAAA"))
	f.Add(start(raw.String("n,,n=orders,r=abc")), []byte("c=biws,r=abc,p="))
	f.Add(start(raw.Binary([]byte("y,a=x,n=or=2Cders,r="))), []byte(""))
	f.Add([]byte(raw.New().Str("mechanism", mechanism).Add("payload", first).Doc("options", raw.New().Bool("skipEmptyExchange", true).Done()).Done()), []byte("c=,r=,p=,"))
	f.Fuzz(func(t *testing.T, begin, second []byte) {
		if raw.Validate(begin, 1) != nil {
			return
		}
		c := &conn{server: s, net: there}
		if _, err := c.startSASL("orders", begin); err == nil && c.sasl == nil {
			t.Error("a conversation that began is not kept")
		}
		q := &request{name: "saslContinue", command: &command{name: "saslContinue"}, client: c, db: "orders"}
		q.body = raw.New().Int32("saslContinue", 1).Int32("conversationId", 1).Add("payload", raw.Binary(second)).Done()
		if _, err := s.saslContinue(q); err == nil || c.user != "" {
			t.Errorf("%q and %q: logged in as %q", begin, second, c.user)
		}
	})
}
