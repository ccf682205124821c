package desk

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

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
