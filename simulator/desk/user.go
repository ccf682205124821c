package desk

import (
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
