package desk

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// user has the fields seen live (zendesk-facts 10) but for url.
type user struct {
	ID                  uint64     `json:"id"`
	Name                string     `json:"name"`
	Email               *string    `json:"email"`
	CreatedAt           time.Time  `json:"created_at"`
	UpdatedAt           time.Time  `json:"updated_at"`
	TimeZone            string     `json:"time_zone"`
	IANATimeZone        string     `json:"iana_time_zone"`
	Phone               *string    `json:"phone"`
	SharedPhoneNumber   *bool      `json:"shared_phone_number"`
	Photo               *struct{}  `json:"photo"`
	LocaleID            int        `json:"locale_id"`
	Locale              string     `json:"locale"`
	OrganizationID      *uint64    `json:"organization_id"`
	Role                string     `json:"role"`
	Verified            bool       `json:"verified"`
	ExternalID          *string    `json:"external_id"`
	Tags                []string   `json:"tags"`
	Alias               *string    `json:"alias"`
	Active              bool       `json:"active"`
	Shared              bool       `json:"shared"`
	SharedAgent         bool       `json:"shared_agent"`
	LastLoginAt         *time.Time `json:"last_login_at"`
	TwoFactor           *bool      `json:"two_factor_auth_enabled"`
	Signature           *string    `json:"signature"`
	Details             *string    `json:"details"`
	Notes               *string    `json:"notes"`
	RoleType            *int       `json:"role_type"`
	CustomRoleID        *uint64    `json:"custom_role_id"`
	Moderator           bool       `json:"moderator"`
	TicketRestriction   *string    `json:"ticket_restriction"`
	OnlyPrivateComments bool       `json:"only_private_comments"`
	RestrictedAgent     bool       `json:"restricted_agent"`
	Suspended           bool       `json:"suspended"`
	DefaultGroupID      *uint64    `json:"default_group_id"`
	ReportCSV           bool       `json:"report_csv"`
	UserFields          fieldSet   `json:"user_fields"`

	json cached
}

func (u *user) key() uint64 { return u.ID }

func (u *user) path() string { return "/api/v2/users/" + strconv.FormatUint(u.ID, 10) }

func (u *user) append(b []byte, origin string) []byte {
	return u.json.append(b, origin, func() (string, []byte) { return u.path(), encode(u) })
}

func (d *Desk) userChanged(u *user, now time.Time) {
	u.UpdatedAt = now
	u.json.forget()
	d.byChange.users = nil
}

// userInput is what a caller may send about a user.
type userInput struct {
	ID             opt[number]   `json:"id"`
	Name           opt[string]   `json:"name"`
	Email          opt[string]   `json:"email"`
	Phone          opt[string]   `json:"phone"`
	OrganizationID opt[number]   `json:"organization_id"`
	Role           opt[string]   `json:"role"`
	Verified       opt[bool]     `json:"verified"`
	ExternalID     opt[string]   `json:"external_id"`
	Tags           opt[words]    `json:"tags"`
	Alias          opt[string]   `json:"alias"`
	Signature      opt[string]   `json:"signature"`
	Details        opt[string]   `json:"details"`
	Notes          opt[string]   `json:"notes"`
	Suspended      opt[bool]     `json:"suspended"`
	UserFields     opt[fieldSet] `json:"user_fields"`
}

type userBody struct {
	User  *userInput   `json:"user"`
	Users []*userInput `json:"users"`
}

func emailKey(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// admin is the account's first user, to whom every credential belongs that
// names no other.
func (d *Desk) admin() uint64 { return d.users.sorted[0].ID }

// caller is whose credentials the call has: Basic auth names a user by email.
func (c *call) caller() *user {
	if text, basic := strings.CutPrefix(c.Header.Get("Authorization"), "Basic "); basic {
		if raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text)); err == nil {
			name, _, _ := strings.Cut(string(raw), ":")
			if u := c.emails[emailKey(strings.TrimSuffix(name, "/token"))]; u != nil {
				return u
			}
		}
	}
	return c.users.sorted[0]
}

func showMe(c *call) answer {
	if c.credentials() {
		a := ok(single("user", c.Origin, c.caller()))
		a.cache = cacheUser
		return a
	}
	anonymous := user{Name: "Anonymous user", Email: new("invalid@example.com"), Role: "end-user", Locale: "en-US", LocaleID: 1, Tags: []string{}, UserFields: fieldSet{}, CreatedAt: c.now, UpdatedAt: c.now}
	body := strings.Replace(string(encode(map[string]any{"user": anonymous})), `"id":0`, `"id":null`, 1)
	a := ok([]byte(body))
	a.cache = cacheUser
	return a
}

func (c *call) user(n int) (*user, *answer) {
	id, bad := c.id(n)
	if bad != nil {
		return nil, bad
	}
	u, found := c.users.get(id)
	if !found {
		return nil, notFound()
	}
	return u, nil
}

func showUser(c *call) answer {
	u, bad := c.user(0)
	if bad != nil {
		return *bad
	}
	a := ok(single("user", c.Origin, u))
	a.cache = cacheUser
	return a
}

func listUsers(c *call) answer {
	rows := c.users.sorted
	roles := append(c.query()["role[]"], c.param("role"))
	if roles = slices.DeleteFunc(roles, func(r string) bool { return r == "" }); len(roles) > 0 {
		rows = filter(rows, func(u *user) bool { return slices.Contains(roles, u.Role) })
	}
	if id := c.param("external_id"); id != "" {
		rows = filter(rows, func(u *user) bool { return deref(u.ExternalID) == id })
	}
	return paginate(c, "users", rows, order[*user]{}, nil)
}

func countUsers(c *call) answer { return counted(c, len(c.users.sorted)) }

func organizationUsers(c *call) answer {
	o, bad := c.organization(0)
	if bad != nil {
		return *bad
	}
	rows := filter(c.users.sorted, func(u *user) bool { return is(u.OrganizationID, o.ID) })
	return paginate(c, "users", rows, order[*user]{}, nil)
}

func groupUsers(c *call) answer {
	id, bad := c.id(0)
	if bad != nil {
		return *bad
	}
	if _, found := c.groups.get(id); !found {
		return *notFound()
	}
	rows := filter(c.users.sorted, func(u *user) bool { return is(u.DefaultGroupID, id) })
	return paginate(c, "users", rows, order[*user]{}, nil)
}

func searchUsers(c *call) answer {
	query, external := emailKey(c.param("query")), c.param("external_id")
	if query == "" && external == "" {
		return *fail(http.StatusBadRequest, "BadRequest", "Parameter query or external_id is required")
	}
	query = strings.TrimPrefix(query, "email:")
	rows := filter(c.users.sorted, func(u *user) bool {
		if external != "" {
			return deref(u.ExternalID) == external
		}
		return strings.Contains(strings.ToLower(u.Name), query) || strings.Contains(emailKey(deref(u.Email)), query)
	})
	a := offsetPage(c, "users", rows, nil)
	a.cache = cacheSearch
	return a
}

func autocompleteUsers(c *call) answer {
	name := strings.ToLower(c.param("name"))
	rows := filter(c.users.sorted, func(u *user) bool { return strings.HasPrefix(strings.ToLower(u.Name), name) })
	return offsetPage(c, "users", rows, nil)
}

func showManyUsers(c *call) answer {
	ids, bad := pickIDs(c, c.users.sorted, func(u *user) *string { return u.ExternalID })
	if bad != nil {
		return *bad
	}
	return showMany(c, "users", c.users.pick(ids), nil)
}

// pickIDs reads ids=, or finds the ids of external_ids=.
func pickIDs[T row](c *call, rows []T, external func(T) *string) ([]uint64, *answer) {
	text := c.param("external_ids")
	if text == "" {
		return c.ids("ids")
	}
	wanted := strings.Split(text, ",")
	if len(wanted) > maxBulk {
		return nil, tooManyValues()
	}
	var ids []uint64
	for _, r := range rows {
		if id := external(r); id != nil && slices.Contains(wanted, *id) {
			ids = append(ids, r.key())
		}
	}
	return ids, nil
}

func createUser(c *call) answer {
	in, bad := c.userBody()
	if bad != nil {
		return *bad
	}
	u, bad := c.makeUser(in, c.now)
	if bad != nil {
		return *bad
	}
	return created(c.absolute(u.path()+".json"), single("user", c.Origin, u))
}

func (c *call) userBody() (*userInput, *answer) {
	var in userBody
	if bad := c.body(&in); bad != nil {
		return nil, bad
	}
	if in.User == nil {
		return nil, missing("user")
	}
	return in.User, nil
}

func createOrUpdateUser(c *call) answer {
	in, bad := c.userBody()
	if bad != nil {
		return *bad
	}
	if u := c.sameUser(in); u != nil {
		if bad := c.changeUser(u, in, c.now); bad != nil {
			return *bad
		}
		return ok(single("user", c.Origin, u))
	}
	u, bad := c.makeUser(in, c.now)
	if bad != nil {
		return *bad
	}
	return created(c.absolute(u.path()+".json"), single("user", c.Origin, u))
}

// sameUser finds the user that an input to create_or_update is about.
func (d *Desk) sameUser(in *userInput) *user {
	if u := d.emails[emailKey(in.Email.value)]; u != nil {
		return u
	}
	if in.ExternalID.value == "" {
		return nil
	}
	for _, u := range d.users.sorted {
		if deref(u.ExternalID) == in.ExternalID.value {
			return u
		}
	}
	return nil
}

func updateUser(c *call) answer {
	u, bad := c.user(0)
	if bad != nil {
		return *bad
	}
	in, bad := c.userBody()
	if bad != nil {
		return *bad
	}
	if bad := c.changeUser(u, in, c.now); bad != nil {
		return *bad
	}
	return ok(single("user", c.Origin, u))
}

func deleteUser(c *call) answer {
	u, bad := c.user(0)
	if bad != nil {
		return *bad
	}
	if bad := c.removeUser(u, c.now); bad != nil {
		return *bad
	}
	return ok(single("user", c.Origin, u))
}

func (d *Desk) removeUser(u *user, now time.Time) *answer {
	if u.ID == d.admin() {
		return recordInvalid(problem{"base", "User: the account owner cannot be deleted", "InvalidValue"})
	}
	d.users.drop(u.ID)
	delete(d.emails, emailKey(deref(u.Email)))
	u.Active = false
	d.gone.put(u)
	d.userChanged(u, now)
	d.note("user", u.ID, "delete")
	return nil
}

func newUser(id uint64, name string, now time.Time) *user {
	return &user{
		ID: id, Name: name, CreatedAt: now, UpdatedAt: now, Role: "end-user", Active: true, Tags: []string{},
		TimeZone: "UTC", IANATimeZone: "Etc/UTC", Locale: "en-US", LocaleID: 1, UserFields: fieldSet{},
	}
}

func (d *Desk) makeUser(in *userInput, now time.Time) (*user, *answer) {
	if strings.TrimSpace(in.Name.value) == "" {
		return nil, recordInvalid(problem{"name", "Name: cannot be blank", "BlankValue"})
	}
	u := newUser(0, "", now)
	if bad := d.applyUser(u, in); bad != nil {
		return nil, bad
	}
	u.ID = d.newID()
	d.addUser(u)
	d.userChanged(u, now)
	d.noteCreate("user", u.ID, emailKey(deref(u.Email)))
	return u, nil
}

func (d *Desk) addUser(u *user) {
	d.users.put(u)
	if u.Email != nil {
		d.emails[emailKey(*u.Email)] = u
	}
}

// requester finds the user with that email, or makes one.
func (d *Desk) requester(r *requesterIn, now time.Time) *user {
	if u := d.emails[emailKey(r.Email)]; u != nil && r.Email != "" {
		return u
	}
	u := newUser(d.newID(), cmp.Or(r.Name, r.Email), now)
	if r.Email != "" {
		u.Email = new(emailKey(r.Email))
	}
	d.addUser(u)
	d.userChanged(u, now)
	d.noteCreate("user", u.ID, emailKey(r.Email))
	return u
}

func (d *Desk) changeUser(u *user, in *userInput, now time.Time) *answer {
	old, after := deref(u.Email), *u
	if bad := d.applyUser(&after, in); bad != nil {
		return bad
	}
	*u = after
	delete(d.emails, emailKey(old))
	d.addUser(u)
	d.userChanged(u, now)
	d.note("user", u.ID, "update")
	return nil
}

func (d *Desk) applyUser(u *user, in *userInput) *answer {
	if bad := d.checkUser(u, in); bad != nil {
		return bad
	}
	in.Name.over(&u.Name)
	in.Email.into(&u.Email)
	in.Phone.into(&u.Phone)
	in.Role.over(&u.Role)
	in.Verified.over(&u.Verified)
	in.ExternalID.into(&u.ExternalID)
	in.Alias.into(&u.Alias)
	in.Signature.into(&u.Signature)
	in.Details.into(&u.Details)
	in.Notes.into(&u.Notes)
	in.Suspended.over(&u.Suspended)
	u.UserFields = u.UserFields.merge(in.UserFields)
	reference(in.OrganizationID, &u.OrganizationID)
	if in.Tags.set {
		u.Tags = tagSet(in.Tags.value)
	}
	return nil
}

func (d *Desk) checkUser(u *user, in *userInput) *answer {
	if in.Name.set && strings.TrimSpace(in.Name.value) == "" {
		return recordInvalid(problem{"name", "Name: cannot be blank", "BlankValue"})
	}
	if in.Role.set && !slices.Contains([]string{"end-user", "agent", "admin"}, in.Role.value) {
		return recordInvalid(problem{"role", "Role: " + in.Role.value + " is not included in the list", "InclusionError"})
	}
	if id := uint64(in.OrganizationID.value); id != 0 && !d.isOrganization(id) {
		return recordInvalid(problem{"organization", "Organization: is invalid", "InvalidValue"})
	}
	email := emailKey(in.Email.value)
	if email == "" {
		return nil
	}
	if at := strings.IndexByte(email, '@'); at < 1 || at == len(email)-1 {
		return recordInvalid(problem{"email", "Email:  " + in.Email.value + " is not properly formatted", "InvalidFormat"})
	}
	if other := d.emails[email]; other != nil && other.ID != u.ID {
		return recordInvalid(problem{"email", "Email: " + in.Email.value + " is already being used by another user", "DuplicateValue"})
	}
	return nil
}
