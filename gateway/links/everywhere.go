package links

// deepest is how many levels of nesting the mode All tells keys from values
// in. Below it everything stays: memory must not grow with a hostile document.
const deepest = 1024

// everyone knows, in any container, whether a string is a key or a value.
type everyone struct {
	depth   int
	objects [deepest / 64]uint64 // one bit a level: it is an object
	keyNext bool
}

func walkAll(s *scanner, in []byte, i int) int {
	a := &s.all
	for i < len(in) {
		c := in[i]
		i++
		switch marks[c] {
		case quote:
			if a.keyNext {
				s.state = inString
			} else {
				s.beginLink()
			}
			s.start = i
			return i
		case open:
			a.push(c == '{')
		case shut:
			if a.depth == 0 {
				s.state = inRest
				return i
			}
			a.depth--
			a.keyNext = a.depth > deepest
		case other:
			a.keyNext = a.depth > deepest || c == ',' && a.inObject()
		}
	}
	return i
}

func (a *everyone) push(object bool) {
	if a.depth < deepest {
		bit := uint64(1) << (a.depth % 64)
		a.objects[a.depth/64] &^= bit
		if object {
			a.objects[a.depth/64] |= bit
		}
	}
	a.depth++
	a.keyNext = object || a.depth > deepest
}

// inObject reports whether the innermost container is an object. It is asked
// only about levels that are told apart.
func (a *everyone) inObject() bool {
	d := a.depth - 1
	return d >= 0 && a.objects[d/64]>>(d%64)&1 == 1
}
