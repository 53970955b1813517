package kpi

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConditionHolds(t *testing.T) {
	values := map[string]float64{"attempts": 7, "orders": 0, "rate": 0.25}
	for text, want := range map[string]bool{
		"attempts >= 5 and orders == 0": true,
		"attempts > 7":                  false,
		"attempts != orders":            true,
		"rate < 0.3":                    true,
		"0.3 <= rate":                   false,
		"orders > 0 or attempts > 5 and rate > 0.2":   true,
		"(orders > 0 or attempts > 5) and rate > 0.3": false,
		"missing == 0": true,
		"orders > 0 or orders < 0 or (orders == 0 and 1 < 2)": true,
	} {
		t.Run(text, func(t *testing.T) {
			c, err := ParseCondition(text)
			if err != nil {
				t.Fatal(err)
			}
			if have := c.Holds(values); have != want {
				t.Errorf("%s holds: %v, want %v", c, have, want)
			}
		})
	}
}

func TestConditionNames(t *testing.T) {
	c, err := ParseCondition("b > 1 and (a == b or 3 < c_2)")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b", "c_2"}, c.Names()); diff != "" {
		t.Error(diff)
	}
	if have := c.String(); have != "b > 1 and (a == b or 3 < c_2)" {
		t.Error(have)
	}
}

func TestConditionErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                         `position 1: want a number or a name, have ""`,
		"a >= 5 and":               `position 11: want a number or a name, have ""`,
		"a => 5":                   `position 3: want one of < <= > >= == !=, have "=>"`,
		"a = 5":                    `position 3: want one of < <= > >= == !=, have "="`,
		"a > 5and b == 0":          `position 5: "5and" is not a decimal number`,
		"a > 1e3":                  `position 5: "1e3" is not a decimal number`,
		"A > 1":                    `position 1: want a number or a name, have "A"`,
		"(a > 1":                   `position 7: want "and", "or" or ")", have ""`,
		"a > 1 b":                  `position 7: want "and", "or" or the end, have "b"`,
		"a > 1; b < 2":             `position 6: want "and", "or" or the end, have ";"`,
		"and > 1":                  `position 1: want a number or a name, have "and"`,
		strings.Repeat("(", 60):    `position 51: too many nested parentheses`,
		"a > 1 and or b > 1":       `position 11: want a number or a name, have "or"`,
		"a > 1 xor b > 1":          `position 7: want "and", "or" or the end, have "xor"`,
		"a > \"1\"":                `position 5: want a number or a name, have "\""`,
		"a > -1":                   `position 5: want a number or a name, have "-"`,
		"a.b > 1":                  `position 1: want a number or a name, have "a.b"`,
		"attempts >= 5. and b > 1": `position 13: "5." is not a decimal number`,
	} {
		t.Run(text, func(t *testing.T) {
			_, err := ParseCondition(text)
			if err == nil || !strings.HasSuffix(err.Error(), want) {
				t.Errorf("error %v, want %s", err, want)
			}
		})
	}
}

func FuzzParseCondition(f *testing.F) {
	for _, seed := range []string{"attempts >= 5 and orders == 0", "(a<1 or b>2)and c!=3.5", "((((a==b))))", "a and b", "1 < 2", "é > 1"} {
		f.Add(seed)
	}
	values := map[string]float64{"a": 1, "b": 2, "attempts": 5}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCondition(text)
		if err != nil {
			return
		}
		again, err := ParseCondition(c.String())
		if err != nil {
			t.Fatalf("%q prints as %q, which is refused: %v", text, c, err)
		}
		if again.String() != c.String() || again.Holds(values) != c.Holds(values) {
			t.Fatalf("%q prints as %q and then as %q", text, c, again)
		}
	})
}
