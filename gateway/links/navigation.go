package links

// A navigator knows where in the document navigation links stand. They stand
// at three depths at most; everything else is dull.
type navigator struct {
	frames [4]frame // frames[depth] is the container we are in
	depth  int
	pos    position
	what   meaning // of the last key
	name   unescaper
	key    [16]byte // longer than any key that means something
	length int      // of the key so far
}

// frame is a container whose members may be links.
type frame uint8

const (
	outside     frame = iota
	document          // the top-level object
	linksObject       // the member links
	jobObject         // the member job_status, or one of job_statuses
	jobsArray         // the member job_statuses
)

// position is how far the current member of an object is read.
type position uint8

const (
	beforeKey position = iota
	beforeColon
	beforeValue
	afterValue
)

// meaning is what a key says about its value.
type meaning uint8

const (
	meansNothing meaning = iota
	meansLink
	meansLinks
	meansJob
	meansJobs
)

func keyMeaning(in frame, key []byte) meaning {
	switch in { //nolint:exhaustive // what is not listed means nothing
	case linksObject:
		return meansLink
	case jobObject:
		if string(key) == "url" {
			return meansLink
		}
	case document:
		switch string(key) {
		case "next_page", "previous_page", "after_url", "before_url":
			return meansLink
		case "links":
			return meansLinks
		case "job_status":
			return meansJob
		case "job_statuses":
			return meansJobs
		}
	}
	return meansNothing
}

func walkNavigation(s *scanner, in []byte, i int) int {
	n := &s.nav
	for i < len(in) {
		c := in[i]
		i++
		switch c {
		case '"':
			s.navString()
			s.start = i
			return i
		case '{', '[':
			if s.navOpen(c); s.state != inStructure {
				return i
			}
		case '}', ']':
			if s.navShut(c); s.state != inStructure {
				return i
			}
		case ':':
			if n.pos == beforeColon {
				n.pos = beforeValue
			}
		case ',':
			n.pos, n.what = beforeKey, meansNothing
		}
	}
	return i
}

func (s *scanner) navString() {
	n := &s.nav
	switch in := n.frames[n.depth]; {
	case in != outside && in != jobsArray && n.pos == beforeKey:
		s.state, n.length, n.name = inKey, 0, unescaper{}
	case n.pos == beforeValue && n.what == meansLink:
		s.beginLink()
		n.pos = afterValue
	default:
		s.state, n.pos = inString, afterValue
	}
}

func (s *scanner) navOpen(c byte) {
	n := &s.nav
	into := outside
	switch in := n.frames[n.depth]; {
	case c == '{' && in == outside:
		into = document
	case c == '{' && in == jobsArray:
		into = jobObject
	case n.pos != beforeValue:
	case c == '{' && n.what == meansLinks:
		into = linksObject
	case c == '{' && n.what == meansJob:
		into = jobObject
	case c == '[' && n.what == meansJobs:
		into = jobsArray
	}
	if into == outside {
		s.state, s.dul, n.pos = inDull, 1, afterValue
		return
	}
	n.depth++
	n.frames[n.depth], n.pos, n.what = into, beforeKey, meansNothing
}

func (s *scanner) navShut(c byte) {
	n := &s.nav
	in := n.frames[n.depth]
	if in == outside || (c == ']') != (in == jobsArray) {
		s.state = inRest
		return
	}
	n.depth--
	n.pos, n.what = afterValue, meansNothing
}

// key reads a key to behind its closing quote.
func (s *scanner) key(in []byte, i int) int {
	n := &s.nav
	for i < len(in) {
		c := in[i]
		if c == '"' && n.name.idle() {
			s.state, n.pos = inStructure, beforeColon
			n.what = keyMeaning(n.frames[n.depth], n.key[:min(n.length, len(n.key))])
			return i + 1
		}
		char, step := n.name.next(c)
		if step == again {
			n.length = len(n.key) // broken: it means nothing
			continue
		}
		i++
		if step == whole {
			if n.length < len(n.key) {
				n.key[n.length] = char
			}
			n.length = min(n.length+1, len(n.key))
		}
	}
	return i
}
