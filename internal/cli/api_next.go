package cli

import (
	"encoding/json"
	"net/url"
)

// A page is the part of an answer that says where the next one is.
type page struct {
	Meta *struct {
		HasMore bool `json:"has_more"`
	} `json:"meta"`
	Links struct {
		Next string `json:"next"`
	} `json:"links"`
	EndOfStream *bool  `json:"end_of_stream"`
	AfterURL    string `json:"after_url"`
	NextPage    string `json:"next_page"`
}

// nextPage returns the address of the page after the one whose body is given,
// nil after the last. Cursor pages end by meta.has_more, for links.next stays
// on the last one; incremental exports end by end_of_stream, for next_page
// never does; offset pages end without next_page.
func nextPage(body []byte, here *url.URL) *url.URL {
	var p page
	if json.Unmarshal(body, &p) != nil {
		return nil
	}
	var next string
	switch {
	case p.Meta != nil:
		if p.Meta.HasMore {
			next = p.Links.Next
		}
	case p.EndOfStream != nil:
		if !*p.EndOfStream {
			next = firstOf(p.AfterURL, p.NextPage)
		}
	default:
		next = p.NextPage
	}
	if next == "" {
		return nil
	}
	u, err := here.Parse(next)
	if err != nil || u.String() == here.String() {
		return nil
	}
	return u
}
