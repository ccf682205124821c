package links

import "bytes"

// A scanner walks one JSON document, given in chunks of any size, and replaces
// the origins of its links. It holds back at most the bytes of one undecided
// link prefix, and its memory does not depend on the document.
//
// It does not validate. What is not JSON passes as it came, save that a link
// seen before the fault may have been rewritten.
type scanner struct {
	r     *Rewriter
	walk  walk
	state state
	esc   bool // in a skipped string: the next byte is escaped

	nav navigator // mode Navigation
	all everyone  // mode All
	dul int       // open containers of a part without links

	match match
	held  []byte // bytes of an undecided link, from its opening quote on

	out     []byte // what the chunk becomes, if it changed
	emitted int    // bytes of the chunk already in out
	start   int    // where in the chunk the undecided link starts
}

// state is what the next byte belongs to.
type state uint8

const (
	inStructure  state = iota
	inDull             // a container in which nothing is rewritten
	inDullString       // a string in it
	inString           // a string that stays
	inKey              // an object key that may announce a link
	inLink             // a string value that may be a link
	inRest             // not JSON: all passes
)

// walk steps over structure until a string starts or the chunk ends.
type walk func(s *scanner, in []byte, i int) int

func (s *scanner) reset(r *Rewriter) {
	*s = scanner{r: r, walk: walkNavigation, held: s.held[:0], out: s.out[:0]}
	if r.mode == All {
		s.walk = walkAll
	}
}

// filtered takes the next chunk and gives what to pass on: in itself, or less of
// it, where nothing changes. It is good until the next call.
func (s *scanner) filtered(in []byte) []byte {
	s.out, s.emitted, s.start = s.out[:0], 0, 0
	for i := 0; i < len(in); {
		switch s.state {
		case inStructure:
			i = s.walk(s, in, i)
		case inDull:
			i = s.dull(in, i)
		case inDullString:
			i = s.skip(in, i, inDull)
		case inString:
			i = s.skip(in, i, inStructure)
		case inKey:
			i = s.key(in, i)
		case inLink:
			i = s.link(in, i)
		case inRest:
			i = len(in)
		}
	}
	keep := len(in)
	if s.state == inLink {
		s.held = append(s.held, in[s.start:]...)
		keep = s.start
	}
	if len(s.out) == 0 {
		return in[:keep]
	}
	s.out = append(s.out, in[s.emitted:keep]...)
	return s.out
}

// last adds what is held back to the text of the last chunk.
func (s *scanner) last(text []byte) []byte {
	s.state = inRest
	if len(s.held) == 0 {
		return text
	}
	if len(s.out) == 0 {
		s.out = append(s.out, text...)
	}
	s.out = append(s.out, s.held...)
	s.held = s.held[:0]
	return s.out
}

// Marks of the bytes that matter between values.
const (
	open  = 1
	shut  = 2
	quote = 3
	other = 4 // comma and colon: they matter only where keys are told from values
)

var marks = [256]uint8{'{': open, '[': open, '}': shut, ']': shut, '"': quote, ',': other, ':': other}

// dull passes over a container in which nothing is rewritten. This is where
// nearly every byte of a page goes by.
func (s *scanner) dull(in []byte, i int) int {
	depth := s.dul
	for i < len(in) {
		m := marks[in[i]]
		i++
		switch m {
		case quote:
			// Most strings end at the next quote.
			if n := bytes.IndexByte(in[i:], '"'); n == 0 || n > 0 && in[i+n-1] != '\\' {
				i += n + 1
				continue
			}
			s.state = inDullString
			if i = s.skip(in, i, inDull); s.state != inDull {
				s.dul = depth
				return i
			}
		case open:
			depth++
		case shut:
			if depth--; depth == 0 {
				s.dul, s.state = 0, inStructure
				return i
			}
		}
	}
	s.dul = depth
	return i
}

// skip passes over a string to behind its closing quote, and then enters after.
func (s *scanner) skip(in []byte, i int, after state) int {
	if s.esc && i < len(in) {
		s.esc = false
		i++
	}
	for {
		n := bytes.IndexByte(in[i:], '"')
		if n < 0 {
			s.esc = oddBackslashes(in[i:])
			return len(in)
		}
		i += n + 1
		if !oddBackslashes(in[i-1-n : i-1]) {
			s.state = after
			return i
		}
	}
}

// oddBackslashes reports whether text ends in an odd number of them.
func oddBackslashes(text []byte) bool {
	n := len(text)
	for n > 0 && text[n-1] == '\\' {
		n--
	}
	return (len(text)-n)%2 == 1
}
