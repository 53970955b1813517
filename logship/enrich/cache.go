package enrich

// cache remembers what was made of a text. It has two maps of half entries each: when recent is full, it takes the place of older,
// whose entries are forgotten. So at least the last half different texts are remembered.
type cache[T any] struct {
	half          int
	recent, older map[string]T
}

func newCache[T any](half int) cache[T] {
	return cache[T]{half: half, recent: make(map[string]T), older: make(map[string]T)}
}

// get returns what make made of text, now or earlier. make must not keep text beyond the string it gets.
func (c *cache[T]) get(text []byte, make func(string) T) T {
	if v, ok := c.recent[string(text)]; ok {
		return v
	}
	key := string(text)
	v, ok := c.older[key]
	if !ok {
		v = make(key)
	}
	if len(c.recent) >= c.half {
		c.recent, c.older = c.older, c.recent
		clear(c.recent)
	}
	c.recent[key] = v
	return v
}

func (c *cache[T]) clear() {
	clear(c.recent)
	clear(c.older)
}
