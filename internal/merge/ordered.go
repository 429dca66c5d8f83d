package merge

// ordered keeps items in the order in which they were added, and finds them by
// name.
type ordered[T any] struct {
	items []T
	index
}

// index finds places by name.
type index struct {
	names []string
	at    map[string]int // made for more names than few
}

// few is how many names are compared one by one in less time than a map takes.
const few = 8

func (ix *index) find(name string) (int, bool) {
	if ix.at != nil {
		i, ok := ix.at[name]
		return i, ok
	}
	for i := range ix.names {
		if ix.names[i] == name {
			return i, true
		}
	}
	return 0, false
}

// findBytes is find without a copy of the name.
func (ix *index) findBytes(name []byte) (int, bool) {
	if ix.at != nil {
		i, ok := ix.at[string(name)]
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
	case ix.at != nil:
		ix.at[name] = len(ix.names) - 1
	case len(ix.names) > few:
		ix.at = make(map[string]int, max(cap(ix.names), 2*few))
		for i, n := range ix.names {
			ix.at[n] = i
		}
	}
}

func (l *ordered[T]) get(name string) (item *T, ok bool) {
	i, ok := l.find(name)
	if !ok {
		return nil, false
	}
	return &l.items[i], true
}

// grow makes room for n items.
func (l *ordered[T]) grow(n int) {
	l.items, l.names = make([]T, 0, n), make([]string, 0, n)
}

func (l *ordered[T]) add(name string, item T) {
	l.put(name)
	l.items = append(l.items, item)
}
