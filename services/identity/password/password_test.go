package password

import (
	"regexp"
	"strings"
	"testing"
)

// cheap is the hash of "open sesame" with the smallest parameters, so that tests and the fuzzer are quick.
const cheap = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$"

func TestRoundTrip(t *testing.T) {
	for _, pw := range []string{"correct horse battery staple", "", "ünïcödé 🔑", strings.Repeat("x", 300), "a\x00b"} {
		h := Hash(pw)
		if !regexp.MustCompile(`^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`).MatchString(h) {
			t.Errorf("hash %q", h)
		}
		if ok, err := Verify(h, pw); !ok || err != nil {
			t.Errorf("Verify(%q) = %v, %v", pw, ok, err)
		}
		if ok, err := Verify(h, pw+" "); ok || err != nil {
			t.Errorf("a wrong password: %v, %v", ok, err)
		}
		if Hash(pw) == h {
			t.Error("two hashes have the same salt")
		}
	}
}

func TestParametersComeFromTheHash(t *testing.T) {
	if ok, err := Verify(cheap+"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "x"); ok || err != nil {
		t.Errorf("another cost is refused: %v, %v", ok, err)
	}
}

func TestMalformed(t *testing.T) {
	good := Hash("pw")
	for name, h := range map[string]string{
		"empty": "", "plain text": "pw", "bcrypt": "$2b$12$abcdefghijklmnopqrstuv", "argon2i": strings.Replace(good, "argon2id", "argon2i", 1),
		"old version": strings.Replace(good, "v=19", "v=16", 1), "no memory": strings.Replace(good, "m=19456", "m=0", 1),
		"too much memory": strings.Replace(good, "m=19456", "m=99999999", 1), "negative passes": strings.Replace(good, "t=2", "t=-1", 1),
		"too many passes": strings.Replace(good, "t=2", "t=17", 1), "no lanes": strings.Replace(good, "p=1", "p=0", 1),
		"lanes overflow": strings.Replace(good, "p=1", "p=257", 1), "no key": good[:strings.LastIndexByte(good, '$')+1],
		"no separator": good[:strings.LastIndexByte(good, '$')], "third part": good + "$AAAA", "bad base64": good[:len(good)-1] + "!",
		"padding": good + "=",
	} {
		if ok, err := Verify(h, "pw"); ok || err == nil {
			t.Errorf("%s: %q gives %v, %v; want an error", name, h, ok, err)
		}
	}
}

// expensive finds hashes whose checking would cost seconds and a gigabyte, as their parameters ask for.
var expensive = regexp.MustCompile(`m=\+?0*[0-9]{5,}|t=\+?0*[0-9]{2,}`)

func FuzzVerify(f *testing.F) {
	f.Add(cheap+"AAAA", "pw")
	f.Add("$argon2id$v=19$m=8,t=1,p=1$$AA", "")
	f.Add("$argon2id$v=19$m=8,t=1,p=255$$AA$", "")
	f.Add("$argon2id$v=19$m=8,t=1,p=1$", "x")
	f.Fuzz(func(t *testing.T, hash, pw string) {
		if expensive.MatchString(hash) {
			return
		}
		if ok, err := Verify(hash, pw); ok && err != nil {
			t.Errorf("%q is right and wrong at once: %v", hash, err)
		}
	})
}
