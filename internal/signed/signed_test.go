package signed

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type content struct {
	Name  string `json:"name"`
	Cents int    `json:"cents"`
}

var key = []byte("0123456789abcdef0123456789abcdef")

func seal(t testing.TB, kind string, v any) string {
	t.Helper()
	token, err := Seal(key, kind, v)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestRoundTrip(t *testing.T) {
	want := content{"Müller & Söhne", 25400}
	token := seal(t, "q1", want)
	var got content
	if err := Open(key, "q1", token, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("content (-want +got):\n%s", diff)
	}
	if strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		t.Errorf("%q is not safe in a URL", token)
	}
	if _, err := Seal(key, "q1", func() {}); err == nil {
		t.Error("a function was sealed")
	}
}

// flip changes the last character of a part; the last one of a 32-byte sum has spare bits that base64 ignores.
func flip(part string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	i := strings.IndexByte(alphabet, part[len(part)-1])
	return part[:len(part)-1] + string(alphabet[i^1])
}

func TestForgeries(t *testing.T) {
	good := seal(t, "q1", content{"a", 100})
	p := strings.Split(good, ".")
	cheap := strings.Split(seal(t, "q1", content{"a", 1}), ".")
	otherKey := []byte("another key of the same length..")
	other, err := Seal(otherKey, "q1", content{"a", 100})
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"empty": "", "dots": "..", "kind only": "q1", "kind and dot": "q1.", "no sum": p[0] + "." + p[1], "empty sum": p[0] + "." + p[1] + ".",
		"no content": "q1.." + p[2], "content of another": p[0] + "." + cheap[1] + "." + p[2], "sum of another": p[0] + "." + p[1] + "." + cheap[2],
		"changed content": p[0] + "." + flip(p[1]) + "." + p[2], "changed sum": p[0] + "." + p[1] + "." + flip(p[2]),
		"newline in the sum": p[0] + "." + p[1] + "." + p[2][:5] + "\n" + p[2][5:], "padded sum": good + "=", "trailing space": good + " ",
		"leading space": " " + good, "doubled": good + "." + good, "shorter sum": good[:len(good)-1], "other key": other,
		"other kind": seal(t, "q2", content{"a", 100}), "longer kind": seal(t, "q1x", content{"a", 100}), "kind with dot": seal(t, "q1.x", content{"a", 100}),
		"other shape": seal(t, "q1", []int{1}), "upper case kind": "Q1" + good[2:],
	} {
		var v content
		if err := Open(key, "q1", token, &v); !errors.Is(err, ErrForged) {
			t.Errorf("%s: %q gives %v, want ErrForged", name, token, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	good := seal(f, "q1", content{"a", 100})
	f.Add(good)
	f.Add(good + "A")
	f.Add("q1.e30." + strings.Repeat("A", 43))
	f.Add("q1...")
	f.Add(strings.ToUpper(good))
	f.Fuzz(func(t *testing.T, token string) {
		var v content
		err := Open(key, "q1", token, &v)
		switch {
		case err == nil && token != good:
			t.Errorf("%q was accepted as %+v", token, v)
		case err != nil && !errors.Is(err, ErrForged):
			t.Errorf("%q gives %v", token, err)
		}
	})
}
