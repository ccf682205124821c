package queue

// items is a heap of a lane's items by rank.
type items[T any] []*Item[T]

func (h items[T]) Len() int           { return len(h) }
func (h items[T]) Less(i, j int) bool { return h[i].rank.Before(h[j].rank) }
func (h items[T]) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = int32(i), int32(j)
}

func (h *items[T]) Push(x any) {
	it := x.(*Item[T])
	it.index = int32(len(*h))
	*h = append(*h, it)
}

func (h *items[T]) Pop() any {
	last := len(*h) - 1
	it := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return it
}

// dueLines is a heap of lines by the time they are due.
type dueLines[T any] []*Line[T]

func (h dueLines[T]) Len() int           { return len(h) }
func (h dueLines[T]) Less(i, j int) bool { return h[i].until.Before(h[j].until) }
func (h dueLines[T]) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *dueLines[T]) Push(x any) {
	line := x.(*Line[T])
	line.index = len(*h)
	*h = append(*h, line)
}

func (h *dueLines[T]) Pop() any {
	last := len(*h) - 1
	line := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return line
}
