package desk

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// term is one condition of a search: field, operator and value, or a word.
type term struct {
	field, op, value string // op is ":", "<", ">", "<=" or ">="; field is empty for a word
	not              bool
}

type query struct {
	kinds []string // of type:
	terms []term
}

func parseQuery(text, kind string) query {
	var q query
	if kind != "" {
		q.kinds = []string{kind}
	}
	for _, token := range tokens(text) {
		t := parseTerm(token)
		if (t.field == "type" || t.field == "result_type") && !t.not {
			q.kinds = append(q.kinds, t.value)
			continue
		}
		if t.value != "" {
			q.terms = append(q.terms, t)
		}
	}
	return q
}

func (q query) wants(kind string) bool { return len(q.kinds) == 0 || slices.Contains(q.kinds, kind) }

func (q query) all(matches func(term) bool) bool {
	for _, t := range q.terms {
		if matches(t) == t.not {
			return false
		}
	}
	return true
}

// tokens splits at blanks outside quotes.
func tokens(text string) []string {
	var list []string
	var b strings.Builder
	quoted := false
	for _, r := range text {
		switch {
		case r == '"':
			quoted = !quoted
		case r == ' ' && !quoted:
			list = append(list, b.String())
			b.Reset()
		default:
			b.WriteRune(r)
		}
	}
	return append(list, b.String())
}

func parseTerm(token string) term {
	var t term
	token, t.not = strings.CutPrefix(token, "-")
	i := strings.IndexAny(token, ":<>")
	if i <= 0 {
		t.value = strings.ToLower(strings.Trim(token, "*"))
		return t
	}
	t.field, t.op = strings.ToLower(token[:i]), token[i:i+1]
	rest := token[i+1:]
	if t.op != ":" && strings.HasPrefix(rest, "=") {
		t.op, rest = t.op+"=", rest[1:]
	}
	t.value = strings.ToLower(rest)
	return t
}

func (t term) word(texts ...string) bool {
	for _, text := range texts {
		if strings.Contains(strings.ToLower(text), strings.Trim(t.value, "*")) {
			return true
		}
	}
	return false
}

func (t term) equals(text string) bool {
	if t.value == "none" {
		return text == ""
	}
	if prefix, wild := strings.CutSuffix(t.value, "*"); wild {
		return text != "" && strings.HasPrefix(strings.ToLower(text), prefix)
	}
	return strings.EqualFold(text, t.value)
}

// ordered compares by the place in a list, such as status<solved.
func (t term) ordered(value string, list []string) bool {
	return t.compare(slices.Index(list, value) - slices.Index(list, t.value))
}

func (t term) compare(n int) bool {
	switch t.op {
	case "<":
		return n < 0
	case ">":
		return n > 0
	case "<=":
		return n <= 0
	case ">=":
		return n >= 0
	}
	return n == 0
}

// date compares a time with a day or a moment.
func (t term) date(at time.Time) bool {
	if day, err := time.Parse(time.DateOnly, t.value); err == nil {
		return t.compare(at.Truncate(24 * time.Hour).Compare(day))
	}
	moment, err := time.Parse(time.RFC3339, strings.ToUpper(t.value))
	return err == nil && t.compare(at.Compare(moment))
}

func (t term) id(id *uint64) bool {
	if id == nil {
		return t.value == "none"
	}
	n, err := strconv.ParseUint(t.value, 10, 64)
	return err == nil && n == *id
}

func (c *call) ticketMatches(r *ticket, t term) bool {
	switch t.field {
	case "":
		return t.word(r.Subject, r.Description) || t.id(&r.ID)
	case "status":
		return t.ordered(r.Status, statuses)
	case "priority":
		return t.value == "none" && r.Priority == nil || t.ordered(deref(r.Priority), priorities)
	case "ticket_type":
		return t.equals(deref(r.Type))
	case "subject":
		return t.word(r.Subject)
	case "description":
		return t.word(r.Description)
	case "tags":
		return t.value == "none" && len(r.Tags) == 0 || slices.Contains(r.Tags, t.value)
	case "external_id":
		return t.equals(deref(r.ExternalID))
	case "created", "created_at":
		return t.date(r.CreatedAt)
	case "updated", "updated_at":
		return t.date(r.UpdatedAt)
	case "id":
		return t.id(&r.ID)
	}
	return c.ticketRefers(r, t)
}

// ticketRefers matches conditions on the records that a ticket names.
func (c *call) ticketRefers(r *ticket, t term) bool {
	switch t.field {
	case "requester", "requester_id":
		return c.person(&r.RequesterID, t)
	case "submitter", "submitter_id":
		return c.person(&r.SubmitterID, t)
	case "assignee", "assignee_id":
		return c.person(r.AssigneeID, t)
	case "organization", "organization_id":
		if r.OrganizationID != nil {
			if o, exists := c.organizations.get(*r.OrganizationID); exists && strings.EqualFold(o.Name, t.value) {
				return true
			}
		}
		return t.id(r.OrganizationID)
	case "group", "group_id":
		if r.GroupID != nil {
			if g, exists := c.groups.get(*r.GroupID); exists && strings.EqualFold(g.Name, t.value) {
				return true
			}
		}
		return t.id(r.GroupID)
	}
	return false
}

func (c *call) person(id *uint64, t term) bool {
	if t.id(id) || id == nil {
		return t.id(id)
	}
	if t.value == "me" {
		return *id == c.caller().ID
	}
	u, exists := c.users.get(*id)
	return exists && (strings.EqualFold(u.Name, t.value) || strings.EqualFold(deref(u.Email), t.value))
}

func (c *call) userMatches(u *user, t term) bool {
	switch t.field {
	case "":
		return t.word(u.Name, deref(u.Email))
	case "name":
		return t.word(u.Name)
	case "email":
		return t.equals(deref(u.Email))
	case "role":
		return t.equals(u.Role)
	case "external_id":
		return t.equals(deref(u.ExternalID))
	case "tags":
		return slices.Contains(u.Tags, t.value)
	case "created", "created_at":
		return t.date(u.CreatedAt)
	case "updated", "updated_at":
		return t.date(u.UpdatedAt)
	case "organization", "organization_id":
		return t.id(u.OrganizationID)
	}
	return false
}

func organizationMatches(o *organization, t term) bool {
	switch t.field {
	case "", "name":
		return t.word(o.Name)
	case "external_id":
		return t.equals(deref(o.ExternalID))
	case "tags":
		return slices.Contains(o.Tags, t.value)
	case "created", "created_at":
		return t.date(o.CreatedAt)
	case "updated", "updated_at":
		return t.date(o.UpdatedAt)
	}
	return false
}

func groupMatches(g *group, t term) bool {
	return (t.field == "" || t.field == "name") && t.word(g.Name)
}
