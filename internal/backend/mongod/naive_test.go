package mongod

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/raw"
	"kreislauf/internal/backend/mongod/update"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// The second implementation: it works on the driver's decoded values and lists all candidates of a path before it compares.

type nothing struct{} // a field that is not there

// element is what a number at the end of a path leads to: when it is an array, comparisons do not look into it.
type element struct{ v any }

func naiveMatches(d bson.D, filter bson.D) bool {
	for _, e := range filter {
		var ok bool
		switch e.Key {
		case "$and":
			ok = !slices.ContainsFunc(e.Value.(bson.A), func(f any) bool { return !naiveMatches(d, f.(bson.D)) })
		case "$or":
			ok = slices.ContainsFunc(e.Value.(bson.A), func(f any) bool { return naiveMatches(d, f.(bson.D)) })
		default:
			ok = naiveField(naiveCandidates(d, strings.Split(e.Key, ".")), e.Value)
		}
		if !ok {
			return false
		}
	}
	return true
}

// naiveCandidates lists what a path leads to.
func naiveCandidates(v any, path []string) []any {
	if len(path) == 0 {
		return []any{v}
	}
	switch v := v.(type) {
	case bson.D:
		for _, e := range v {
			if e.Key == path[0] {
				return naiveCandidates(e.Value, path[1:])
			}
		}
	case bson.A:
		return naiveInArray(v, path)
	}
	return []any{nothing{}}
}

func naiveInArray(list bson.A, path []string) []any {
	index, err := strconv.Atoi(path[0])
	numeric := err == nil
	var out []any
	for _, el := range list {
		switch el.(type) {
		case bson.D:
			out = append(out, naiveCandidates(el, path)...)
		case bson.A:
		default:
			if !numeric {
				out = append(out, nothing{})
			}
		}
	}
	switch {
	case numeric && index < len(list) && len(path) == 1:
		out = append(out, element{list[index]})
	case numeric && index < len(list):
		out = append(out, naiveCandidates(list[index], path[1:])...)
	}
	if len(out) == 0 {
		return []any{nothing{}}
	}
	return out
}

// withElements adds the elements of arrays, as comparisons do.
func withElements(candidates []any) []any {
	var out []any
	for _, c := range candidates {
		if list, ok := c.(bson.A); ok {
			out = append(out, list...)
		}
		out = append(out, bare(c))
	}
	return out
}

func bare(c any) any {
	if el, ok := c.(element); ok {
		return el.v
	}
	return c
}

func naiveField(candidates []any, condition any) bool {
	ops, ok := condition.(bson.D)
	if !ok || len(ops) == 0 || !strings.HasPrefix(ops[0].Key, "$") {
		return naiveCompare(candidates, "$eq", condition)
	}
	for _, op := range ops {
		if !naiveOperator(candidates, op.Key, op.Value) {
			return false
		}
	}
	return true
}

func naiveOperator(candidates []any, op string, arg any) bool {
	anyOf := func(test func(v any) bool) bool {
		return slices.ContainsFunc(candidates, func(c any) bool { return test(bare(c)) })
	}
	switch op {
	case "$ne":
		return !naiveCompare(candidates, "$eq", arg)
	case "$in":
		return slices.ContainsFunc(arg.(bson.A), func(v any) bool { return naiveCompare(candidates, "$eq", v) })
	case "$exists":
		return anyOf(func(v any) bool { return v != nothing{} }) == arg.(bool)
	case "$elemMatch":
		return anyOf(func(v any) bool {
			list, ok := v.(bson.A)
			return ok && slices.ContainsFunc(list, func(el any) bool { return naiveElement(el, arg.(bson.D)) })
		})
	default:
		return naiveCompare(candidates, op, arg)
	}
}

func naiveElement(el any, condition bson.D) bool {
	if len(condition) > 0 && strings.HasPrefix(condition[0].Key, "$") {
		return naiveField([]any{el}, condition)
	}
	switch el := el.(type) {
	case bson.D:
		return naiveMatches(el, condition)
	case bson.A:
		d := bson.D{}
		for i, v := range el {
			d = append(d, bson.E{Key: strconv.Itoa(i), Value: v})
		}
		return naiveMatches(d, condition)
	default:
		return false
	}
}

func naiveCompare(candidates []any, op string, arg any) bool {
	return slices.ContainsFunc(withElements(candidates), func(v any) bool {
		if arg == nil {
			return (v == nil || v == nothing{}) && (op == "$eq" || op == "$lte" || op == "$gte")
		}
		if (v == nothing{}) || naiveClass(v) != naiveClass(arg) {
			return false
		}
		c := naiveOrder(v, arg)
		return op == "$eq" && c == 0 || op == "$lt" && c < 0 || op == "$lte" && c <= 0 || op == "$gt" && c > 0 || op == "$gte" && c >= 0
	})
}

func naiveClass(v any) int {
	switch v.(type) {
	case nil, nothing:
		return 1
	case int32, int64, float64:
		return 2
	case string:
		return 3
	case bson.D:
		return 4
	case bson.A:
		return 5
	default: // bool
		return 6
	}
}

func naiveNumber(v any) (float64, bool) {
	switch v := v.(type) {
	case int32:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func naiveOrder(a, b any) int {
	if c := cmp.Compare(naiveClass(a), naiveClass(b)); c != 0 {
		return c
	}
	switch a := a.(type) {
	case string:
		return cmp.Compare(a, b.(string))
	case bool:
		if a == b.(bool) {
			return 0
		} else if a {
			return 1
		}
		return -1
	case bson.D:
		return slices.CompareFunc(a, b.(bson.D), func(x, y bson.E) int {
			return cmp.Or(cmp.Compare(naiveClass(x.Value), naiveClass(y.Value)), cmp.Compare(x.Key, y.Key), naiveOrder(x.Value, y.Value))
		})
	case bson.A:
		return slices.CompareFunc(a, b.(bson.A), naiveOrder)
	case nil:
		return 0
	}
	x, _ := naiveNumber(a)
	y, _ := naiveNumber(b)
	return cmp.Compare(x, y)
}

// choices turns the bytes of the fuzzer into documents, filters and updates.
type choices struct{ rest []byte }

func (c *choices) pick(n int) int {
	if len(c.rest) == 0 {
		return 0
	}
	i := int(c.rest[0]) % n
	c.rest = c.rest[1:]
	return i
}

func (c *choices) name() string { return []string{"a", "b", "c", "0", "1"}[c.pick(5)] }

func (c *choices) scalar() any {
	return []any{int32(0), int32(1), int32(2), int64(1), 1.0, 1.5, -1.0, "x", "y", "", nil, true, false}[c.pick(13)]
}

func (c *choices) value(depth int) any {
	switch n := c.pick(8); {
	case depth > 0 && n == 0:
		return c.document(depth - 1)
	case depth > 0 && n <= 2:
		list := bson.A{}
		for range c.pick(4) {
			list = append(list, c.value(depth-1))
		}
		return list
	default:
		return c.scalar()
	}
}

func (c *choices) document(depth int) bson.D {
	d := bson.D{}
	seen := map[string]bool{}
	for range c.pick(4) {
		if name := c.name(); !seen[name] {
			seen[name] = true
			d = append(d, bson.E{Key: name, Value: c.value(depth)})
		}
	}
	return d
}

func (c *choices) path() string {
	path := c.name()
	for range c.pick(3) {
		path += "." + c.name()
	}
	return path
}

func (c *choices) filter(depth int) bson.D {
	out := bson.D{}
	for range 1 + c.pick(2) {
		if depth > 0 && c.pick(5) == 0 {
			list := bson.A{}
			for range 1 + c.pick(2) {
				list = append(list, c.filter(depth-1))
			}
			out = append(out, bson.E{Key: []string{"$and", "$or"}[c.pick(2)], Value: list})
			continue
		}
		out = append(out, bson.E{Key: c.path(), Value: c.condition(depth)})
	}
	return out
}

func (c *choices) condition(depth int) any {
	if c.pick(4) == 0 {
		return c.value(1)
	}
	out := bson.D{}
	for range 1 + c.pick(2) {
		out = append(out, c.operator(depth))
	}
	return out
}

func (c *choices) operator(depth int) bson.E {
	list := func() bson.A {
		out := bson.A{}
		for range c.pick(3) {
			out = append(out, c.value(1))
		}
		return out
	}
	switch n := c.pick(9); {
	case n < 6:
		return bson.E{Key: []string{"$eq", "$ne", "$gt", "$gte", "$lt", "$lte"}[n], Value: c.value(1)}
	case n == 6:
		return bson.E{Key: "$in", Value: list()}
	case n == 7:
		return bson.E{Key: "$exists", Value: c.pick(2) == 0}
	case depth > 0:
		if c.pick(2) == 0 {
			return bson.E{Key: "$elemMatch", Value: bson.D{c.operator(depth - 1)}}
		}
		return bson.E{Key: "$elemMatch", Value: c.filter(depth - 1)}
	default:
		return bson.E{Key: "$eq", Value: c.scalar()}
	}
}

func encoded(t *testing.T, v any) raw.Document {
	t.Helper()
	raw, err := bson.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// FuzzFilterAgainstNaive compares the matcher with the second implementation.
func FuzzFilterAgainstNaive(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	f.Add([]byte{3, 0, 1, 2, 0, 1, 1, 5, 6, 7, 1, 0, 0, 12, 1, 2, 3, 1, 4, 9})
	f.Add([]byte("the quick brown fox jumps over the lazy dog"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &choices{rest: data}
		d, spec := c.document(3), c.filter(2)
		parsed, err := query.Parse(encoded(t, spec), nil)
		if err != nil {
			t.Fatalf("%v: %v", spec, err)
		}
		if got, want := parsed.Matches(encoded(t, d)), naiveMatches(d, spec); got != want {
			t.Errorf("document %s, filter %s: %v, naive %v", encoded(t, d), encoded(t, spec), got, want)
		}
	})
}

// FuzzArrayUpdateAgainstNaive compares the array operators on arrays of small integers with plain slices.
func FuzzArrayUpdateAgainstNaive(f *testing.F) {
	f.Add([]byte{3, 1, 2, 3, 0, 2, 4, 5, 1, 2, 3})
	f.Add([]byte{4, 4, 3, 2, 1, 1, 1, 2, 3, 4})
	f.Add([]byte{2, 1, 1, 5, 2, 1, 0, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &choices{rest: data}
		numbers := func() []int32 {
			out := []int32{}
			for range c.pick(6) {
				out = append(out, int32(c.pick(5)))
			}
			return out
		}
		list := numbers()
		spec, want := naiveArrayUpdate(c, list, numbers())
		d := encoded(t, bson.D{{Key: "_id", Value: 1}, {Key: "a", Value: list}})
		u, err := update.Parse(raw.Doc(encoded(t, spec)), nil)
		if err != nil {
			t.Fatalf("%v: %v", spec, err)
		}
		got, err := u.Apply(d, d.Get("_id"), false)
		if err != nil {
			t.Fatalf("%v: %v", spec, err)
		}
		if expected := encoded(t, bson.D{{Key: "_id", Value: 1}, {Key: "a", Value: want}}); string(got) != string(expected) {
			t.Errorf("%s by %s: %s, naive %s", d, encoded(t, spec), got, expected)
		}
	})
}

// naiveArrayUpdate chooses an update of the array "a" and says what it makes of the list.
func naiveArrayUpdate(c *choices, list, args []int32) (bson.D, []int32) {
	on := func(op string, v any) bson.D { return bson.D{{Key: op, Value: bson.D{{Key: "a", Value: v}}}} }
	out := slices.Clone(list)
	switch c.pick(4) {
	case 0:
		return naivePush(c, out, args)
	case 1:
		n := int32(c.pick(5))
		return on("$pull", n), slices.DeleteFunc(out, func(x int32) bool { return x == n })
	case 2:
		n := int32(c.pick(5))
		return on("$pull", bson.D{{Key: "$gte", Value: n}}), slices.DeleteFunc(out, func(x int32) bool { return x >= n })
	default:
		for _, x := range args {
			if !slices.Contains(out, x) {
				out = append(out, x)
			}
		}
		return on("$addToSet", bson.D{{Key: "$each", Value: args}}), out
	}
}

func naivePush(c *choices, out, args []int32) (bson.D, []int32) {
	modifiers := bson.D{{Key: "$each", Value: args}}
	out = append(out, args...)
	if c.pick(2) == 0 {
		n := c.pick(9) - 4
		modifiers = append(modifiers, bson.E{Key: "$slice", Value: int32(n)})
		if n >= 0 {
			out = out[:min(n, len(out))]
		} else {
			out = out[max(0, len(out)+n):]
		}
	}
	return bson.D{{Key: "$push", Value: bson.D{{Key: "a", Value: modifiers}}}}, out
}

// FuzzCompareIsAnOrder checks that the comparison of values is a total order that agrees with the second implementation where that has one.
func FuzzCompareIsAnOrder(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add([]byte{2, 3, 1, 0, 5, 1, 2, 3, 2, 1, 0, 7, 1, 1, 2})
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &choices{rest: data}
		list := []any{c.value(2), c.value(2), c.value(2)}
		var values []raw.Value
		for _, v := range list {
			values = append(values, encoded(t, bson.D{{Key: "v", Value: v}}).Get("v"))
		}
		for i := range values {
			for j := range values {
				got := raw.Compare(values[i], values[j])
				if back := raw.Compare(values[j], values[i]); got != -back {
					t.Errorf("%s and %s: %d and back %d", values[i], values[j], got, back)
				}
				if want := naiveOrder(list[i], list[j]); got != want {
					t.Errorf("%s and %s: %d, naive %d", values[i], values[j], got, want)
				}
				for k := range values {
					if got <= 0 && raw.Compare(values[j], values[k]) <= 0 && raw.Compare(values[i], values[k]) > 0 {
						t.Errorf("%s <= %s <= %s, but not the ends", values[i], values[j], values[k])
					}
				}
				checkKeyOrder(t, values[i], values[j])
			}
		}
	})
}
