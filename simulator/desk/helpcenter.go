package desk

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const articlePage = 30 // articles a page by default (zendesk-facts 6)

// article is a Help Center article.
type article struct {
	ID               uint64    `json:"id"`
	HTMLURL          string    `json:"html_url"`
	AuthorID         uint64    `json:"author_id"`
	CommentsDisabled bool      `json:"comments_disabled"`
	Draft            bool      `json:"draft"`
	Promoted         bool      `json:"promoted"`
	Position         int       `json:"position"`
	VoteSum          int       `json:"vote_sum"`
	VoteCount        int       `json:"vote_count"`
	SectionID        uint64    `json:"section_id"`
	CreatedAt        time.Time `json:"created_at"`
	UpdatedAt        time.Time `json:"updated_at"`
	Name             string    `json:"name"`
	Title            string    `json:"title"`
	SourceLocale     string    `json:"source_locale"`
	Locale           string    `json:"locale"`
	Outdated         bool      `json:"outdated"`
	EditedAt         time.Time `json:"edited_at"`
	LabelNames       []string  `json:"label_names"`
	Body             string    `json:"body"`

	category uint64
	json     cached
}

func (a *article) key() uint64 { return a.ID }

func (a *article) append(b []byte, origin string) []byte {
	return a.json.append(b, origin, func() (string, []byte) {
		return "/api/v2/help_center/en-us/articles/" + strconv.FormatUint(a.ID, 10), encode(a)
	})
}

type category struct {
	ID           uint64    `json:"id"`
	Name         string    `json:"name"`
	Description  string    `json:"description"`
	Position     int       `json:"position"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
	Locale       string    `json:"locale"`
	SourceLocale string    `json:"source_locale"`
	Outdated     bool      `json:"outdated"`

	json cached
}

func (k *category) key() uint64 { return k.ID }

func (k *category) append(b []byte, origin string) []byte {
	return k.json.append(b, origin, func() (string, []byte) {
		return "/api/v2/help_center/en-us/categories/" + strconv.FormatUint(k.ID, 10), encode(k)
	})
}

// seedHelpCenter makes three categories of fifteen articles.
func (d *Desk) seedHelpCenter(at time.Time) {
	for i, name := range []string{"Getting started", "Billing", "Troubleshooting"} {
		k := &category{ID: d.newID(), Name: name, Description: "About " + strings.ToLower(name), Position: i, CreatedAt: at, UpdatedAt: at, Locale: "en-us", SourceLocale: "en-us"}
		d.categories.put(k)
		section := d.newID()
		for n := range 15 {
			thing := oneOf(d, things)
			title := fmt.Sprintf("What to do when the %s %s (%d)", thing, oneOf(d, troubles), n+1)
			d.articles.put(&article{
				ID: d.newID(), AuthorID: d.admin(), Position: n, SectionID: section, CreatedAt: at, UpdatedAt: at, EditedAt: at, Name: title, Title: title,
				SourceLocale: "en-us", Locale: "en-us", LabelNames: []string{thing}, Body: "<p>Check the " + thing + " and try again.</p>", category: k.ID,
			})
		}
	}
}

func listArticles(c *call) answer { return helpPage(c, "articles", c.articles.sorted) }

func listCategories(c *call) answer { return helpPage(c, "categories", c.categories.sorted) }

func categoryArticles(c *call) answer {
	id, bad := c.id(0)
	if bad != nil {
		return *bad
	}
	if _, exists := c.categories.get(id); !exists {
		return *notFound()
	}
	return helpPage(c, "articles", filter(c.articles.sorted, func(a *article) bool { return a.category == id }))
}

func showArticle(c *call) answer { return showOne(c, "article", &c.articles) }

func showCategory(c *call) answer { return showOne(c, "category", &c.categories) }

func showOne[T row](c *call, name string, rows *table[T]) answer {
	id, bad := c.id(0)
	if bad != nil {
		return *bad
	}
	r, exists := rows.get(id)
	if !exists {
		return *notFound()
	}
	return ok(single(name, c.Origin, r))
}

// helpPage is the Help Center's own form of pages: offsets with the number of
// pages, cursors with links to the first and last and a Link header.
func helpPage[T row](c *call, name string, rows []T) answer {
	if byCursor(c.query()) {
		return helpCursorPage(c, name, rows)
	}
	page, size, bad := c.shallow(articlePage)
	if bad != nil {
		return *bad
	}
	shown := slicePage(rows, page, size)
	b := append(pageBuffer(len(shown)), '{')
	b = append(c.appendOffsets(b, page, size, len(rows)), ',')
	b = appendRows(b, name, c.Origin, shown)
	b = fmt.Appendf(b, `,"page":%d,"per_page":%d,"page_count":%d,"sort_by":"position","sort_order":"asc"}`, page, size, (len(rows)+size-1)/size)
	return ok(b)
}

func helpCursorPage[T row](c *call, name string, rows []T) answer {
	o := order[T]{}
	page, hasMore, bad := window(c, rows, o, maxPage)
	if bad != nil {
		return *bad
	}
	l := cursorLinks(c, page, o)
	l.First, l.Last = c.cursorLink("", ""), c.cursorLink("page[before]", o.cursor(place{id: 1<<63 - 1}))
	b := append(pageBuffer(len(page)), '{')
	b = appendRows(b, name, c.Origin, page)
	b = append(append(b, `,"meta":`...), encode(metaOf(page, hasMore, o))...)
	b = append(append(b, `,"links":`...), encode(l)...)
	a := ok(append(b, '}'))
	if l.Next != nil && hasMore {
		a.header = linkHeader(*l.Next)
	}
	return a
}

func linkHeader(next string) map[string][]string {
	return map[string][]string{"Link": {"<" + next + `>; rel="next"`}}
}

// withPort is the origin as some services write it, with its port.
func withPort(origin string) string {
	u, err := url.Parse(origin)
	if err != nil || u.Port() != "" || u.Scheme != "https" {
		return origin
	}
	return origin + ":443"
}
