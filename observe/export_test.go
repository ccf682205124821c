package observe

// RoomLent is how many bytes of bodies are kept now.
func (o *Observer) RoomLent() int64 { return roomForBodies - o.room.left.Load() }

// RoomForBodies is the bound of that.
const RoomForBodies = roomForBodies

// Left is how many records are kept of calls, under any name.
func (o *Observer) Left() (n int) {
	o.records.Range(func(any, any) bool { n++; return true })
	o.live.mu.Lock()
	defer o.live.mu.Unlock()
	return n + len(o.live.of)
}
