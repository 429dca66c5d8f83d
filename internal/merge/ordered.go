package merge

// ordered is a list of items in insertion order, with lookup by name.
type ordered[T any] struct {
	items []T
	index
}

// index finds positions by name.
type index struct {
	names     []string
	positions map[string]int // nil up to linearMax names
}

// linearMax is the number of names up to which comparing each is faster than a map.
const linearMax = 8

func (ix *index) lookup(name string) (int, bool) {
	if ix.positions != nil {
		i, ok := ix.positions[name]
		return i, ok
	}
	for i := range ix.names {
		if ix.names[i] == name {
			return i, true
		}
	}
	return 0, false
}

// lookupBytes is lookup without copying the name.
func (ix *index) lookupBytes(name []byte) (int, bool) {
	if ix.positions != nil {
		i, ok := ix.positions[string(name)]
		return i, ok
	}
	for i := range ix.names {
		if ix.names[i] == string(name) {
			return i, true
		}
	}
	return 0, false
}

func (ix *index) put(name string) {
	if ix.names == nil {
		ix.names = make([]string, 0, 4)
	}
	ix.names = append(ix.names, name)
	switch {
	case ix.positions != nil:
		ix.positions[name] = len(ix.names) - 1
	case len(ix.names) > linearMax:
		ix.positions = make(map[string]int, max(cap(ix.names), 2*linearMax))
		for i, n := range ix.names {
			ix.positions[n] = i
		}
	}
}

func (l *ordered[T]) get(name string) (item *T, ok bool) {
	i, ok := l.lookup(name)
	if !ok {
		return nil, false
	}
	return &l.items[i], true
}

// grow replaces the empty list by one with room for n items.
func (l *ordered[T]) grow(n int) {
	l.items, l.names = make([]T, 0, n), make([]string, 0, n)
}

func (l *ordered[T]) add(name string, item T) {
	l.put(name)
	l.items = append(l.items, item)
}
