package elide

import (
	"strconv"
	"strings"
)

// A decimal is a number in one form: sign, digits without zeros at either end,
// and the power of ten of the last digit. Zero is its zero value.
type decimal struct {
	minus  bool
	digits string
	power  int
	odd    string // the text of a number whose power is out of all bounds
}

// decimalOf reads a JSON number exactly, whatever its size.
func decimalOf(text string) decimal {
	mantissa, exponent := text, ""
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, exponent = text[:i], text[i+1:]
	}
	var d decimal
	if exponent != "" {
		n, err := strconv.Atoi(exponent)
		if err != nil || n > 1<<30 || n < -1<<30 {
			return decimal{odd: text}
		}
		d.power = n
	}
	mantissa, d.minus = strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	d.power -= len(fraction)
	digits := strings.TrimLeft(whole+fraction, "0")
	d.digits = strings.TrimRight(digits, "0")
	d.power += len(digits) - len(d.digits)
	if d.digits == "" {
		return decimal{}
	}
	return d
}
