package audit

// remedy says what flyball does about a finding, by the keys of its
// configuration, and what the client can do.
func remedy(f *Finding) (setting, advice string) {
	top := f.Routes[0].Name
	switch f.Kind {
	case Unchanged, Repeats:
		return "", "keep the answer for a while in the client"
	case Reads:
		return "accounts[].routes: [{match: " + top + ", batch: allow}]",
			"reads that come one after another must be asked for at once to be merged, or as one show_many?ids= of up to 100"
	case Writes:
		return "accounts[].routes: [{match: " + top + ", batch: allow}]", "or write one update_many, create_many or destroy_many of up to 100"
	case Nothing:
		return "", "compare with what was read before writing"
	case Polling:
		return "", "read GET " + exports[top] + " from where the last one ended"
	case FanOut:
		return "", "use " + instead[top]
	case FindOne:
		return "", "ask for the object by its id, or search for it"
	}
	return "", ""
}
