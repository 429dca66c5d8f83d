package merge

// ordered keeps items in the order in which they were added, and finds them by
// name.
type ordered[T any] struct {
	items []T
	at    map[string]int
}

func (l *ordered[T]) get(name string) (item *T, ok bool) {
	i, ok := l.at[name]
	if !ok {
		return nil, false
	}
	return &l.items[i], true
}

// grow makes room for n items.
func (l *ordered[T]) grow(n int) {
	l.items, l.at = make([]T, 0, n), make(map[string]int, n)
}

func (l *ordered[T]) add(name string, item T) {
	if l.at == nil {
		l.at = make(map[string]int)
	}
	l.at[name] = len(l.items)
	l.items = append(l.items, item)
}
