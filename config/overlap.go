package config

// A claim is one way in which a client is recognised.
type claim struct {
	client Name
	key    string // where it stands
	text   string
}

// overlaps finds matches that can never be reached, for another client has
// them first.
func (v validator) overlaps(a *Account, path string) {
	var headers, hashes, emails, agents []claim
	for i := range a.Clients {
		c, path := &a.Clients[i], at(path+".clients", i)
		match := path + ".match."
		if c.Name != "" {
			headers = append(headers, claim{c.Name, path + ".name", string(c.Name)})
		}
		headers = append(headers, claims(c, match+"header", c.Match.Header)...)
		hashes = append(hashes, claims(c, match+"credential_sha256", c.Match.Credential)...)
		emails = append(emails, claims(c, match+"email", c.Match.Email)...)
		agents = append(agents, claims(c, match+"user_agent", c.Match.UserAgent)...)
	}
	v.hidden(headers, func(a, b string) bool { return a == b })
	v.hidden(hashes, func(a, b string) bool { return len(a) <= len(b) && b[:len(a)] == a })
	covers := func(a, b string) bool { return Pattern(a).matches(b) }
	v.hidden(emails, covers)
	v.hidden(agents, covers)
}

func claims[T ~string](c *Client, key string, texts []T) []claim {
	all := make([]claim, len(texts))
	for i, text := range texts {
		all[i] = claim{c.Name, at(key, i), string(text)}
	}
	return all
}

// hidden tells of each claim that an earlier one of another client covers.
func (v validator) hidden(all []claim, covers func(a, b string) bool) {
	for i, c := range all {
		for _, first := range all[:i] {
			if first.client == c.client || c.text == "" || first.text == "" || !covers(first.text, c.text) {
				continue
			}
			how := "is " + string(first.client) + "'s already"
			if first.text != c.text {
				how = "is never reached: " + first.text + " is " + string(first.client) + "'s and comes first"
			}
			v.wrong([]string{c.key}, "%s %s (a caller is one client: take it out, or put the narrower one first)", c.text, how)
			break
		}
	}
}
