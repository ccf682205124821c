package memory

// Tagged counts the places that entries have under tags, and how many that is
// for each entry.
func (s *Store) Tagged() (places int, perEntry float64) {
	s.entries.CleanUp()
	s.tagged.mu.Lock()
	defer s.tagged.mu.Unlock()
	for _, entries := range s.tagged.of {
		places += len(entries)
	}
	return places, float64(places) / float64(max(1, s.entries.EstimatedSize()))
}
