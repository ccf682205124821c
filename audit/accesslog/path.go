package accesslog

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// shown are the parameters whose values a log may hold: they say how a list is
// read and nothing of what is in it.
var shown = []string{
	"page", "per_page", "page[size]", "include", "sort", "sort_by", "sort_order",
	"start_time", "end_time", "exclude_deleted", "filter[type]", "role", "ids",
}

// paging are the parameters that name a further page by a long opaque value.
var paging = []string{"page[after]", "page[before]", "cursor"}

// hidden stands where a value stood.
const hidden = "-"

// ScrubPath returns a path and its raw query for a log: the values of
// parameters that say how a list is read stay, all others are replaced by "-".
// Ids in the path stay; a token in it, which is long and no number, does not.
func ScrubPath(path, rawQuery string) string {
	var b strings.Builder
	b.Grow(len(path) + 1 + len(rawQuery))
	for segment := range strings.SplitAfterSeq(path, "/") {
		if bare := strings.TrimSuffix(segment, "/"); secretive(bare) {
			segment = hidden + segment[len(bare):]
		}
		b.WriteString(segment)
	}
	if rawQuery == "" {
		return b.String()
	}
	next := byte('?')
	for pair := range strings.SplitSeq(rawQuery, "&") {
		b.WriteByte(next)
		b.WriteString(scrubPair(pair))
		next = '&'
	}
	return b.String()
}

func scrubPair(pair string) string {
	name, value, ok := strings.Cut(pair, "=")
	plain := bracketed(name)
	switch {
	case !ok && secretive(name):
		return hidden
	case !ok || slices.Contains(shown, plain) && len(value) <= 2000 && !strings.ContainsAny(value, "@%") && !anySecretive(value):
		return pair
	case slices.Contains(paging, plain):
		return name + "=" + hidden
	}
	if secretive(name) {
		name = hidden
	}
	return name + "=" + hidden
}

// bracketed undoes the escaping of brackets, in which clients differ.
func bracketed(name string) string {
	if strings.IndexByte(name, '%') < 0 {
		return name
	}
	return brackets.Replace(name)
}

var brackets = strings.NewReplacer("%5B", "[", "%5b", "[", "%5D", "]", "%5d", "]")

// anySecretive looks through a list such as ids=1,2,3.
func anySecretive(list string) bool {
	for part := range strings.SplitSeq(list, ",") {
		if secretive(part) {
			return true
		}
	}
	return false
}

// secretive reports whether a part of a URL could be a token: it is long and
// neither words nor a number.
func secretive(part string) bool {
	if len(part) < 20 {
		return false
	}
	digits, upper := false, false
	for i := range len(part) {
		c := part[i]
		digits = digits || c >= '0' && c <= '9'
		upper = upper || c >= 'A' && c <= 'Z'
	}
	return (digits || upper) && strings.Trim(part, "0123456789") != ""
}

// QueryHash returns the first 12 hex digits of the SHA-256 of a raw query, and
// "" of none.
func QueryHash(rawQuery string) string {
	if rawQuery == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(rawQuery))
	return hex.EncodeToString(sum[:6])
}

// CredentialHash returns the first 8 hex digits of the SHA-256 of an
// Authorization header, and "" of none.
func CredentialHash(authorization string) string {
	if authorization == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(authorization))
	return hex.EncodeToString(sum[:4])
}
