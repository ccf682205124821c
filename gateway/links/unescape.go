package links

// An unescaper reads the characters of a JSON string, one byte at a time.
type unescaper struct {
	left uint8 // 0: between characters; 5: behind \; 1 to 4: hex digits to come
	code uint16
}

// step says what became of a byte.
type step uint8

const (
	part  step = iota // taken, the character is not complete
	whole             // taken, the character is complete
	again             // not taken: the escape before it was broken
)

const behindBackslash = 5

// unprintable stands for a character that no key or link prefix holds.
const unprintable = 0

var shortEscapes = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// idle reports whether the next byte starts a character, or ends the string.
func (u *unescaper) idle() bool { return u.left == 0 }

func (u *unescaper) next(c byte) (byte, step) {
	switch {
	case u.left == 0 && c != '\\':
		return c, whole
	case u.left == 0:
		u.left = behindBackslash
		return 0, part
	case u.left == behindBackslash && c == 'u':
		u.left, u.code = 4, 0
		return 0, part
	case u.left == behindBackslash:
		u.left = 0
		return shortEscapes[c], whole
	}
	digit, ok := hexDigit(c)
	if !ok {
		u.left = 0
		return 0, again
	}
	u.code = u.code<<4 | uint16(digit)
	if u.left--; u.left > 0 {
		return 0, part
	}
	if u.code >= 0x80 {
		return unprintable, whole
	}
	return byte(u.code), whole
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
