package links

import "bytes"

// match compares a string value, character by character, with the link
// prefixes. It is decided as soon as no prefix fits, or one is complete.
type match struct {
	alive uint64 // prefixes that still fit, one bit each
	at    int    // characters read
	text  unescaper
}

func (s *scanner) beginLink() {
	s.state = inLink
	s.match = match{alive: 1<<len(s.r.prefixes) - 1}
}

// link reads a string value until it is known to be a link or not.
func (s *scanner) link(in []byte, i int) int {
	m := &s.match
	for i < len(in) {
		c := in[i]
		if c == '"' && m.text.idle() {
			return s.notLink(i)
		}
		char, step := m.text.next(c)
		if step == again {
			return s.notLink(i)
		}
		i++
		if step == part {
			continue
		}
		if prefix := m.take(s.r, char); prefix != "" {
			return s.isLink(in, i, len(prefix)-len(apiPath))
		}
		if m.alive == 0 {
			return s.notLink(i)
		}
	}
	return i
}

// take reads one character and gives the prefix that it completes, if any.
// Scheme and host are compared in lower case, the path as it is.
func (m *match) take(r *Rewriter, char byte) string {
	for b, p := range r.prefixes {
		if m.alive>>b&1 == 0 {
			continue
		}
		c := char
		if m.at < len(p)-len(apiPath) && 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		switch {
		case p[m.at] != c:
			m.alive &^= 1 << b
		case m.at == len(p)-1:
			return p
		}
	}
	m.at++
	return ""
}

// notLink lets the rest of the string pass, and what was held back of it.
func (s *scanner) notLink(i int) int {
	s.out = append(s.out, s.held...)
	s.held = s.held[:0]
	s.state = inString
	return i
}

// isLink puts the target in place of the first origin characters of the link,
// whose prefix ends before in[i]. The rest of it stays as it was spelled.
func (s *scanner) isLink(in []byte, i, origin int) int {
	raw := in[s.start:i]
	s.out = append(s.out, in[s.emitted:s.start]...)
	if len(s.held) > 0 {
		s.held = append(s.held, raw...)
		raw = s.held
	}
	end := rawLen(raw, origin)
	if bytes.Contains(raw[:end], []byte(`\/`)) {
		s.out = append(s.out, s.r.to.slashed...)
	} else {
		s.out = append(s.out, s.r.to.plain...)
	}
	s.out = append(s.out, raw[end:]...)
	s.held, s.emitted, s.state = s.held[:0], i, inString
	return i
}

// rawLen is how many bytes the first n characters of raw are spelled with.
func rawLen(raw []byte, n int) int {
	var text unescaper
	for i, c := range raw {
		if n == 0 {
			return i
		}
		if _, step := text.next(c); step == whole {
			n--
		}
	}
	return len(raw)
}
