package desk

import "strings"

// sideloads returns what adds the arrays that include= asks for, or nil.
func (c *call) sideloads() extra[*ticket] {
	if c.param("include") == "" {
		return nil
	}
	return func(b []byte, page []*ticket) []byte { return sideload(c, append(b, '}'), page) }
}

// sideload opens the finished object b and adds the arrays; the closing brace
// is the caller's.
func sideload(c *call, b []byte, page []*ticket) []byte {
	b = b[:len(b)-1]
	var users, organizations, groups []uint64
	collect := func(list *[]uint64, id *uint64) {
		if id != nil {
			*list = append(*list, *id)
		}
	}
	for _, t := range page {
		users = append(users, t.RequesterID, t.SubmitterID)
		collect(&users, t.AssigneeID)
		collect(&organizations, t.OrganizationID)
		collect(&groups, t.GroupID)
	}
	for what := range strings.SplitSeq(c.param("include"), ",") {
		switch strings.TrimSpace(what) {
		case "users":
			b = appendRows(append(b, ','), "users", c.Origin, c.users.pick(users))
		case "organizations":
			b = appendRows(append(b, ','), "organizations", c.Origin, c.organizations.pick(organizations))
		case "groups":
			b = appendRows(append(b, ','), "groups", c.Origin, c.groups.pick(groups))
		}
	}
	return b
}
