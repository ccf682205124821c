package zendesk

import (
	"encoding/json"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText bounds what a refusal's text may hold, in bytes.
const maxText = 200

// text returns what a refusing body says to people: the message of any of the
// four JSON envelopes, else the body's words without markup. E-mail addresses
// and ids are taken out, for the text goes to logs and screens.
func text(body []byte) string {
	said := message(body)
	if said == "" {
		said = words(string(body))
	}
	return scrub(said)
}

// message returns the words of a JSON envelope, "" when body is none.
func message(body []byte) string {
	var envelope struct {
		Error       json.RawMessage `json:"error"`
		Description string          `json:"description"`
		Detail      string          `json:"detail"`
		Title       string          `json:"title"`
		Errors      []struct {
			Code    string `json:"code"`
			Title   string `json:"title"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &envelope) != nil {
		return ""
	}
	var name string
	var inner struct {
		Title   string `json:"title"`
		Message string `json:"message"`
	}
	if json.Unmarshal(envelope.Error, &name) != nil && json.Unmarshal(envelope.Error, &inner) == nil {
		name = join(inner.Title, inner.Message)
	}
	said := join(name, envelope.Description, envelope.Detail, envelope.Title)
	if len(envelope.Errors) > 0 {
		first := envelope.Errors[0]
		said = join(said, first.Code, first.Title, first.Message)
	}
	return said
}

func join(parts ...string) string {
	kept := parts[:0:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, ": ")
}

// words strips markup: everything between < and >.
func words(s string) string {
	if !strings.Contains(s, "<") {
		return s
	}
	var b strings.Builder
	for s != "" {
		before, after, found := strings.Cut(s, "<")
		b.WriteString(before)
		b.WriteByte(' ')
		if !found {
			break
		}
		tag := strings.ToLower(after[:min(len(after), 7)])
		if strings.HasPrefix(tag, "style") || strings.HasPrefix(tag, "script") {
			_, after, _ = strings.Cut(after, "</")
		}
		_, s, _ = strings.Cut(after, ">")
	}
	return b.String()
}

// removed stands where somebody's name, address or id stood.
const removed = "[removed]"

// scrub takes e-mail addresses and ids out of s, makes it printable and cuts
// it to maxText bytes.
func scrub(s string) string {
	var b strings.Builder
	secret := 0 // how many of the next words are somebody's
	for word := range strings.FieldsFuncSeq(s, unprintable) {
		next := secretsAfter(word)
		if strings.ContainsRune(word, '@') || secret > 0 && next == 0 || looksLikeID(word) {
			word = removed
		}
		secret = max(next, secret-1)
		if word == removed && strings.HasSuffix(b.String(), removed) {
			continue
		}
		if b.Len()+1+len(word) > maxText {
			break
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	return b.String()
}

func unprintable(r rune) bool {
	return r == utf8.RuneError || unicode.IsSpace(r) || !unicode.IsPrint(r)
}

// secretsAfter returns how many words after this one are somebody's: one
// after "id:" and "email:", all after "external_id:" and "name:", which may
// have spaces in them.
func secretsAfter(word string) int {
	switch folded := strings.ToLower(word); {
	case strings.HasSuffix(folded, "external_id:"), strings.HasSuffix(folded, "name:"):
		return math.MaxInt32
	case strings.HasSuffix(folded, "id:"), strings.HasSuffix(folded, "email:"):
		return 1
	}
	return 0
}

// looksLikeID accepts a word with four digits in it, or with one and a sign
// that ids come after.
func looksLikeID(word string) bool {
	digits := 0
	for _, r := range word {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	return digits >= 4 || digits > 0 && strings.ContainsAny(word, "#=/")
}
