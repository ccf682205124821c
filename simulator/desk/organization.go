package desk

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// organization has the fields seen live (zendesk-facts 10) but for url.
type organization struct {
	ID                 uint64    `json:"id"`
	Name               string    `json:"name"`
	SharedTickets      bool      `json:"shared_tickets"`
	SharedComments     bool      `json:"shared_comments"`
	ExternalID         *string   `json:"external_id"`
	CreatedAt          time.Time `json:"created_at"`
	UpdatedAt          time.Time `json:"updated_at"`
	DomainNames        []string  `json:"domain_names"`
	Details            *string   `json:"details"`
	Notes              *string   `json:"notes"`
	GroupID            *uint64   `json:"group_id"`
	Tags               []string  `json:"tags"`
	OrganizationFields fieldSet  `json:"organization_fields"`

	json cached
}

func (o *organization) key() uint64 { return o.ID }

func (o *organization) path() string {
	return "/api/v2/organizations/" + strconv.FormatUint(o.ID, 10)
}

func (o *organization) append(b []byte, origin string) []byte {
	return o.json.append(b, origin, func() (string, []byte) { return o.path(), encode(o) })
}

func (d *Desk) organizationChanged(o *organization, now time.Time) {
	o.UpdatedAt = now
	o.json.forget()
	d.byChange.organizations = nil
}

type organizationInput struct {
	ID                 opt[number]   `json:"id"`
	Name               opt[string]   `json:"name"`
	SharedTickets      opt[bool]     `json:"shared_tickets"`
	SharedComments     opt[bool]     `json:"shared_comments"`
	ExternalID         opt[string]   `json:"external_id"`
	DomainNames        opt[words]    `json:"domain_names"`
	Details            opt[string]   `json:"details"`
	Notes              opt[string]   `json:"notes"`
	GroupID            opt[number]   `json:"group_id"`
	Tags               opt[words]    `json:"tags"`
	OrganizationFields opt[fieldSet] `json:"organization_fields"`
}

type organizationBody struct {
	Organization  *organizationInput   `json:"organization"`
	Organizations []*organizationInput `json:"organizations"`
}

func (c *call) organization(n int) (*organization, *answer) {
	id, bad := c.id(n)
	if bad != nil {
		return nil, bad
	}
	o, found := c.organizations.get(id)
	if !found {
		return nil, notFound()
	}
	return o, nil
}

func showOrganization(c *call) answer {
	o, bad := c.organization(0)
	if bad != nil {
		return *bad
	}
	return ok(single("organization", c.Origin, o))
}

func listOrganizations(c *call) answer {
	a := paginate(c, "organizations", c.organizations.sorted, order[*organization]{}, nil)
	a.cache = cacheOrgList
	return a
}

func countOrganizations(c *call) answer { return counted(c, len(c.organizations.sorted)) }

func searchOrganizations(c *call) answer {
	name, external := strings.ToLower(c.param("name")), c.param("external_id")
	if name == "" && external == "" {
		return *fail(http.StatusBadRequest, "BadRequest", "Parameter name or external_id is required")
	}
	rows := filter(c.organizations.sorted, func(o *organization) bool {
		if external != "" {
			return deref(o.ExternalID) == external
		}
		return strings.ToLower(o.Name) == name
	})
	return offsetPage(c, "organizations", rows, nil)
}

func autocompleteOrganizations(c *call) answer {
	name := strings.ToLower(c.param("name"))
	if len(name) < 2 {
		return *fail(http.StatusBadRequest, "BadRequest", "Parameter name needs two characters at least")
	}
	rows := filter(c.organizations.sorted, func(o *organization) bool { return strings.HasPrefix(strings.ToLower(o.Name), name) })
	return offsetPage(c, "organizations", rows, nil)
}

func showManyOrganizations(c *call) answer {
	ids, bad := pickIDs(c, c.organizations.sorted, func(o *organization) *string { return o.ExternalID })
	if bad != nil {
		return *bad
	}
	return showMany(c, "organizations", c.organizations.pick(ids), nil)
}

func (c *call) organizationBody() (*organizationInput, *answer) {
	var in organizationBody
	if bad := c.body(&in); bad != nil {
		return nil, bad
	}
	if in.Organization == nil {
		return nil, missing("organization")
	}
	return in.Organization, nil
}

func createOrganization(c *call) answer {
	in, bad := c.organizationBody()
	if bad != nil {
		return *bad
	}
	o, bad := c.makeOrganization(in, c.now)
	if bad != nil {
		return *bad
	}
	return created(c.absolute(o.path()+".json"), single("organization", c.Origin, o))
}

func createOrUpdateOrganization(c *call) answer {
	in, bad := c.organizationBody()
	if bad != nil {
		return *bad
	}
	if o := c.sameOrganization(in); o != nil {
		if bad := c.changeOrganization(o, in, c.now); bad != nil {
			return *bad
		}
		return ok(single("organization", c.Origin, o))
	}
	o, bad := c.makeOrganization(in, c.now)
	if bad != nil {
		return *bad
	}
	return created(c.absolute(o.path()+".json"), single("organization", c.Origin, o))
}

// sameOrganization finds the one that an input to create_or_update is about.
func (d *Desk) sameOrganization(in *organizationInput) *organization {
	if o, found := d.organizations.get(uint64(in.ID.value)); found {
		return o
	}
	for _, o := range d.organizations.sorted {
		if in.ExternalID.value != "" && deref(o.ExternalID) == in.ExternalID.value {
			return o
		}
	}
	return nil
}

func updateOrganization(c *call) answer {
	o, bad := c.organization(0)
	if bad != nil {
		return *bad
	}
	in, bad := c.organizationBody()
	if bad != nil {
		return *bad
	}
	if bad := c.changeOrganization(o, in, c.now); bad != nil {
		return *bad
	}
	return ok(single("organization", c.Origin, o))
}

func deleteOrganization(c *call) answer {
	o, bad := c.organization(0)
	if bad != nil {
		return *bad
	}
	c.removeOrganization(o)
	return noContent()
}

func (d *Desk) removeOrganization(o *organization) {
	d.organizations.drop(o.ID)
	d.byChange.organizations = nil
	d.note("organization", o.ID, "delete")
}

func newOrganization(id uint64, name string, now time.Time) *organization {
	return &organization{
		ID: id, Name: name, CreatedAt: now, UpdatedAt: now, DomainNames: []string{}, Tags: []string{},
		OrganizationFields: fieldSet{},
	}
}

func (d *Desk) makeOrganization(in *organizationInput, now time.Time) (*organization, *answer) {
	if strings.TrimSpace(in.Name.value) == "" {
		return nil, recordInvalid(problem{"name", "Name: cannot be blank", "BlankValue"})
	}
	o := newOrganization(0, "", now)
	if bad := d.applyOrganization(o, in); bad != nil {
		return nil, bad
	}
	o.ID = d.newID()
	d.organizations.put(o)
	d.organizationChanged(o, now)
	d.noteCreate("organization", o.ID, strings.ToLower(o.Name))
	return o, nil
}

func (d *Desk) changeOrganization(o *organization, in *organizationInput, now time.Time) *answer {
	after := *o
	if bad := d.applyOrganization(&after, in); bad != nil {
		return bad
	}
	*o = after
	d.organizationChanged(o, now)
	d.note("organization", o.ID, "update")
	return nil
}

func (d *Desk) applyOrganization(o *organization, in *organizationInput) *answer {
	if in.Name.set && strings.TrimSpace(in.Name.value) == "" {
		return recordInvalid(problem{"name", "Name: cannot be blank", "BlankValue"})
	}
	for _, other := range d.organizations.sorted {
		if in.Name.set && other.ID != o.ID && strings.EqualFold(other.Name, in.Name.value) {
			return recordInvalid(problem{"name", "Name: " + in.Name.value + " has already been taken", "DuplicateValue"})
		}
	}
	in.Name.over(&o.Name)
	in.SharedTickets.over(&o.SharedTickets)
	in.SharedComments.over(&o.SharedComments)
	in.ExternalID.into(&o.ExternalID)
	in.Details.into(&o.Details)
	in.Notes.into(&o.Notes)
	o.OrganizationFields = o.OrganizationFields.merge(in.OrganizationFields)
	reference(in.GroupID, &o.GroupID)
	if in.DomainNames.set {
		o.DomainNames = tagSet(in.DomainNames.value)
	}
	if in.Tags.set {
		o.Tags = tagSet(in.Tags.value)
	}
	return nil
}
