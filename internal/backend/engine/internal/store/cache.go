package store

import (
	"container/list"
	"sync"
)

// Cache keeps decoded parts of segments, least recently used out first, up to a number of bytes. One cache
// serves all indices of a server.
type Cache struct {
	mu    sync.Mutex // guards all below
	limit int
	used  int
	order *list.List // of *cacheEntry, most recent first
	items map[cacheKey]*list.Element
}

// cacheKey names a part; the owner is a segment, or the sources in memory.
type cacheKey struct {
	owner   any
	section string
}

type cacheEntry struct {
	key   cacheKey
	value any
	size  int
}

// NewCache returns a cache that holds at most limit bytes.
func NewCache(limit int) *Cache {
	return &Cache{limit: limit, order: list.New(), items: map[cacheKey]*list.Element{}}
}

func (c *Cache) get(k cacheKey) (any, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.items[k]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*cacheEntry).value, true
}

func (c *Cache) put(k cacheKey, value any, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.items[k]; ok || size > c.limit {
		return
	}
	c.items[k] = c.order.PushFront(&cacheEntry{k, value, size})
	c.used += size
	for c.used > c.limit {
		c.remove(c.order.Back())
	}
}

func (c *Cache) remove(e *list.Element) {
	entry := e.Value.(*cacheEntry)
	c.order.Remove(e)
	delete(c.items, entry.key)
	c.used -= entry.size
}

// drop forgets all parts of an owner.
func (c *Cache) drop(owner any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, e := range c.items {
		if k.owner == owner {
			c.remove(e)
		}
	}
}
