package desk

import (
	"net/http"
	"time"
)

var (
	usersCreate = work{name: "Bulk Create User", class: "UserBulkCreateJob", fail: "UserCreateFailed", message: "Creating User #%d", create: true}
	usersUpdate = work{name: "Bulk Update User", class: "UserBulkUpdateJobV2", fail: "UserUpdateFailed", message: "Updating user #%d"}
	usersDelete = work{name: "Bulk Update User", class: "UserBulkUpdateJobV2", fail: "UserDeleteFailed", message: "Deleting user #%d"} // named so live

	organizationsCreate = work{name: "Bulk Create Organization", class: "OrganizationBulkCreateJob", fail: "OrganizationCreateFailed", message: "Creating Organizations", create: true}
	organizationsUpdate = work{name: "Bulk Update Organization", class: "OrganizationBulkUpdateJob", fail: "OrganizationUpdateFailed", message: "Updating Organization #%d"}
	organizationsDelete = work{name: "Bulk Delete Organization", class: "OrganizationBulkDeleteJob", fail: "OrganizationDeleteFailed", message: "Deleting Organization #%d"}
)

func (c *call) bulkUsers() ([]*userInput, *answer) {
	var in userBody
	if bad := c.body(&in); bad != nil {
		return nil, bad
	}
	return in.Users, bulk(in.Users, "users", tooManyUsers)
}

func createManyUsers(c *call) answer {
	items, bad := c.bulkUsers()
	if bad != nil {
		return *bad
	}
	d := c.Desk
	return c.begin(usersCreate, len(items), nil, func(i int, at time.Time) outcome { return d.createUserItem(i, items[i], at) })
}

func (d *Desk) createUserItem(i int, in *userInput, at time.Time) outcome {
	u, bad := d.makeUser(in, at)
	if bad != nil {
		r := failure(i, "UserCreateFailed", 0, bad)
		r.Email, r.External = in.Email.value, in.ExternalID.value
		return r
	}
	return outcome{ID: u.ID, Status: "Created"} // no index, as recorded
}

func createOrUpdateManyUsers(c *call) answer {
	items, bad := c.bulkUsers()
	if bad != nil {
		return *bad
	}
	d := c.Desk
	return c.begin(usersCreate, len(items), nil, func(i int, at time.Time) outcome {
		u := d.sameUser(items[i])
		if u == nil {
			return d.createUserItem(i, items[i], at)
		}
		if bad := d.changeUser(u, items[i], at); bad != nil {
			return failure(i, "UserUpdateFailed", u.ID, bad)
		}
		return outcome{ID: u.ID, Status: "Updated"}
	})
}

func updateManyUsers(c *call) answer {
	if !alike(c) {
		items, bad := c.bulkUsers()
		if bad != nil {
			return *bad
		}
		d := c.Desk
		id := func(i int) uint64 {
			id := uint64(items[i].ID.value)
			if u := d.sameUser(items[i]); id == 0 && u != nil {
				id = u.ID
			}
			return id
		}
		return c.begin(usersUpdate, len(items), id, func(i int, at time.Time) outcome { return d.updateUserItem(i, id(i), items[i], at) })
	}
	ids, bad := pickIDs(c, c.users.sorted, func(u *user) *string { return u.ExternalID })
	if bad != nil {
		return *bad
	}
	in, bad := c.userBody()
	if bad != nil {
		return *bad
	}
	d := c.Desk
	return c.begin(usersUpdate, len(ids), among(ids), func(i int, at time.Time) outcome { return d.updateUserItem(i, ids[i], in, at) })
}

// alike says whether one change is meant for all the records the query names.
func alike(c *call) bool { return c.query().Has("ids") || c.query().Has("external_ids") }

func (d *Desk) updateUserItem(i int, id uint64, in *userInput, at time.Time) outcome {
	u, found := d.users.get(id)
	if !found {
		return failure(i, "UserUpdateFailed", id, because("User not found"))
	}
	if bad := d.changeUser(u, in, at); bad != nil {
		return failure(i, "UserUpdateFailed", id, bad)
	}
	return done("update", "Updated", id)
}

func destroyManyUsers(c *call) answer {
	ids, bad := pickIDs(c, c.users.sorted, func(u *user) *string { return u.ExternalID })
	if bad != nil {
		return *bad
	}
	d := c.Desk
	return c.begin(usersDelete, len(ids), among(ids), func(i int, at time.Time) outcome {
		u, found := d.users.get(ids[i])
		if !found {
			return failure(i, "UserDeleteFailed", ids[i], because("User not found"))
		}
		if bad := d.removeUser(u, at); bad != nil {
			return failure(i, "UserDeleteFailed", ids[i], bad)
		}
		return done("delete", "Deleted", ids[i])
	})
}

func logoutManyUsers(c *call) answer {
	if _, bad := c.ids("ids"); bad != nil {
		return *bad
	}
	return answer{status: http.StatusAccepted}
}

func (c *call) bulkOrganizations() ([]*organizationInput, *answer) {
	var in organizationBody
	if bad := c.body(&in); bad != nil {
		return nil, bad
	}
	return in.Organizations, bulk(in.Organizations, "organizations", tooManyValues)
}

func createManyOrganizations(c *call) answer {
	items, bad := c.bulkOrganizations()
	if bad != nil {
		return *bad
	}
	d := c.Desk
	return c.begin(organizationsCreate, len(items), nil, func(i int, at time.Time) outcome {
		o, bad := d.makeOrganization(items[i], at)
		if bad != nil {
			return failure(i, "OrganizationCreateFailed", 0, bad)
		}
		return outcome{ID: o.ID, Status: "Created"} // no index, as recorded
	})
}

func updateManyOrganizations(c *call) answer {
	if !alike(c) {
		items, bad := c.bulkOrganizations()
		if bad != nil {
			return *bad
		}
		d := c.Desk
		id := func(i int) uint64 {
			id := uint64(items[i].ID.value)
			if o := d.sameOrganization(items[i]); id == 0 && o != nil {
				id = o.ID
			}
			return id
		}
		return c.begin(organizationsUpdate, len(items), id, func(i int, at time.Time) outcome {
			return d.updateOrganizationItem(i, id(i), items[i], at)
		})
	}
	ids, bad := pickIDs(c, c.organizations.sorted, func(o *organization) *string { return o.ExternalID })
	if bad != nil {
		return *bad
	}
	in, bad := c.organizationBody()
	if bad != nil {
		return *bad
	}
	d := c.Desk
	return c.begin(organizationsUpdate, len(ids), among(ids), func(i int, at time.Time) outcome {
		return d.updateOrganizationItem(i, ids[i], in, at)
	})
}

func (d *Desk) updateOrganizationItem(i int, id uint64, in *organizationInput, at time.Time) outcome {
	o, found := d.organizations.get(id)
	if !found {
		return failure(i, "OrganizationUpdateFailed", id, because("Organization not found"))
	}
	if bad := d.changeOrganization(o, in, at); bad != nil {
		return failure(i, "OrganizationUpdateFailed", id, bad)
	}
	return done("update", "Updated", id)
}

func destroyManyOrganizations(c *call) answer {
	ids, bad := pickIDs(c, c.organizations.sorted, func(o *organization) *string { return o.ExternalID })
	if bad != nil {
		return *bad
	}
	d := c.Desk
	return c.begin(organizationsDelete, len(ids), among(ids), func(i int, _ time.Time) outcome {
		o, found := d.organizations.get(ids[i])
		if !found {
			return failure(i, "OrganizationDeleteFailed", ids[i], because("Organization not found"))
		}
		d.removeOrganization(o)
		return done("delete", "Deleted", ids[i])
	})
}
