package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// parseShare reads "30%" or "0.3".
func parseShare(text string) (float64, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	share, err := strconv.ParseFloat(number, 64)
	if percent {
		share /= 100
	}
	if err != nil || !(share >= 0 && share <= 10) {
		return 0, fmt.Errorf("not a share between 0%% and 1000%% (write 30%% or 0.3)")
	}
	return share, nil
}

// short writes a duration without the zeros that String puts at its end:
// "1m", not "1m0s".
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// wrapped joins words by commas in lines of at most width letters.
func wrapped(words []string, width int) string {
	var b strings.Builder
	column := 0
	for i, word := range words {
		if i > 0 {
			b.WriteString(",")
			if column+len(word) > width {
				b.WriteString("\n")
				column = 0
			} else {
				b.WriteString(" ")
			}
		}
		b.WriteString(word)
		column += len(word) + 2
	}
	return b.String()
}

func printLines(s Streams, lines []string) error {
	_, err := io.WriteString(s.Out, strings.Join(lines, "\n")+"\n")
	return err
}
