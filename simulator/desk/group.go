package desk

import (
	"strconv"
	"time"
)

type group struct {
	ID          uint64    `json:"id"`
	IsPublic    bool      `json:"is_public"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Default     bool      `json:"default"`
	Deleted     bool      `json:"deleted"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`

	json cached
}

func (g *group) key() uint64 { return g.ID }

func (g *group) append(b []byte, origin string) []byte {
	return g.json.append(b, origin, func() (string, []byte) {
		return "/api/v2/groups/" + strconv.FormatUint(g.ID, 10), encode(g)
	})
}

func listGroups(c *call) answer {
	return paginate(c, "groups", c.groups.sorted, order[*group]{}, nil)
}

func countGroups(c *call) answer { return counted(c, len(c.groups.sorted)) }

func showGroup(c *call) answer {
	id, bad := c.id(0)
	if bad != nil {
		return *bad
	}
	g, found := c.groups.get(id)
	if !found {
		return *notFound()
	}
	return ok(single("group", c.Origin, g))
}
