package config

import "strings"

// A claim is one way in which a client is recognised.
type claim struct {
	client Name
	key    string // where it stands
	text   string
}

// maxWild bounds the patterns with a * of one kind: each call and each other
// pattern is held against all of them.
const maxWild = 256

// overlaps finds matches that can never be reached, for another client has
// them first.
func (v validator) overlaps(a *Account, path string) {
	headers, hashes, emails, agents := claimed{}, claimed{}, claimed{}, claimed{}
	for i := range a.Clients {
		c, path := &a.Clients[i], at(path+".clients", i)
		match := path + ".match."
		if v.said(path + ".name") {
			v.claim(&headers, c, path+".name", string(c.Name), headers.same)
		}
		for n, s := range c.Match.Header {
			v.claim(&headers, c, at(match+"header", n), string(s), headers.same)
		}
		for n, s := range c.Match.Credential {
			v.claim(&hashes, c, at(match+"credential_sha256", n), string(s), hashes.beginning)
		}
		for n, s := range c.Match.Email {
			v.claim(&emails, c, at(match+"email", n), string(s), emails.fitting)
		}
		for n, s := range c.Match.UserAgent {
			v.claim(&agents, c, at(match+"user_agent", n), string(s), agents.fitting)
		}
	}
	for kind, wild := range map[string][]claim{"email": emails.wild, "user_agent": agents.wild} {
		if len(wild) > maxWild {
			v.wrong([]string{wild[maxWild].key}, "there are over %d patterns with a * for %s (put several into one)", maxWild, kind)
		}
	}
}

// claim tells when an earlier claim of another client covers this one, and
// notes it otherwise.
func (v validator) claim(all *claimed, c *Client, key, text string, earlier func(string) (claim, bool)) {
	if text == "" {
		return // it was wrong, and was told of
	}
	first, ok := earlier(text)
	switch {
	case !ok:
		all.add(claim{c.Name, key, text})
	case first.client == c.Name:
	case first.text == text && strings.HasSuffix(key, ".name") && strings.HasSuffix(first.key, ".name"): // told of as such
	case first.text == text:
		v.wrong([]string{key}, "%s is %s's already (a caller is one client: keep one)", text, first.client)
	default:
		v.wrong([]string{key}, "%s is never reached: %s is %s's and comes first (put the narrower one first)", text, first.text, first.client)
	}
}

// claimed is what the clients of one account are recognised by, of one kind.
type claimed struct {
	exact map[string]claim
	wild  []claim // patterns with a *
}

func (all *claimed) add(c claim) {
	if all.exact == nil {
		all.exact = map[string]claim{}
	}
	all.exact[strings.ToLower(c.text)] = c
	if strings.Contains(c.text, "*") {
		all.wild = append(all.wild, c)
	}
}

func (all *claimed) same(text string) (claim, bool) {
	c, ok := all.exact[strings.ToLower(text)]
	return c, ok
}

// beginning finds a hash that text, a hash too, begins with.
func (all *claimed) beginning(text string) (claim, bool) {
	for n := range text {
		if c, ok := all.exact[text[:n+1]]; ok {
			return c, true
		}
	}
	return claim{}, false
}

// fitting finds a pattern that everything which fits text fits too.
func (all *claimed) fitting(text string) (claim, bool) {
	if c, ok := all.exact[strings.ToLower(text)]; ok {
		return c, true
	}
	for _, c := range all.wild[:min(len(all.wild), maxWild)] {
		if Pattern(c.text).covers(Pattern(text)) {
			return c, true
		}
	}
	return claim{}, false
}
