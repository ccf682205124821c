package desk

import (
	"strconv"
	"time"
)

type ticketField struct {
	ID                  uint64    `json:"id"`
	Type                string    `json:"type"`
	Title               string    `json:"title"`
	RawTitle            string    `json:"raw_title"`
	Description         string    `json:"description"`
	RawDescription      string    `json:"raw_description"`
	Position            int       `json:"position"`
	Active              bool      `json:"active"`
	Required            bool      `json:"required"`
	CollapsedForAgents  bool      `json:"collapsed_for_agents"`
	RegexpForValidation *string   `json:"regexp_for_validation"`
	TitleInPortal       string    `json:"title_in_portal"`
	RawTitleInPortal    string    `json:"raw_title_in_portal"`
	VisibleInPortal     bool      `json:"visible_in_portal"`
	EditableInPortal    bool      `json:"editable_in_portal"`
	RequiredInPortal    bool      `json:"required_in_portal"`
	Tag                 *string   `json:"tag"`
	CreatedAt           time.Time `json:"created_at"`
	UpdatedAt           time.Time `json:"updated_at"`
	Removable           bool      `json:"removable"`
	Key                 *string   `json:"key"`
	AgentDescription    *string   `json:"agent_description"`

	json cached
}

func (f *ticketField) key() uint64 { return f.ID }

func (f *ticketField) append(b []byte, origin string) []byte {
	return f.json.append(b, origin, func() (string, []byte) {
		return "/api/v2/ticket_fields/" + strconv.FormatUint(f.ID, 10), encode(f)
	})
}

func listFields(c *call) answer {
	return paginate(c, "ticket_fields", c.fields.sorted, order[*ticketField]{}, nil)
}

func countFields(c *call) answer { return counted(c, len(c.fields.sorted)) }

func showField(c *call) answer {
	id, bad := c.id(0)
	if bad != nil {
		return *bad
	}
	f, found := c.fields.get(id)
	if !found {
		return *notFound()
	}
	return ok(single("ticket_field", c.Origin, f))
}
