package desk

// list is every endpoint of the desk. A named step of a path wins over a
// placeholder in its place.
func list() []endpoint {
	var all []endpoint
	add := func(pattern string, serve func(*call) answer) {
		all = append(all, endpoint{pattern: pattern, serve: serve})
	}
	open := func(pattern string, serve func(*call) answer) {
		all = append(all, endpoint{pattern: pattern, serve: serve, open: true})
	}

	add("GET /api/v2/tickets", listTickets)
	add("POST /api/v2/tickets", createTicket)
	add("GET /api/v2/tickets/count", countTickets)
	add("GET /api/v2/tickets/recent", recentTickets)
	add("GET /api/v2/tickets/show_many", showManyTickets)
	add("GET /api/v2/tickets/{id}", showTicket)
	add("PUT /api/v2/tickets/{id}", updateTicket)
	add("DELETE /api/v2/tickets/{id}", deleteTicket)
	add("GET /api/v2/tickets/{id}/comments", listComments)
	add("GET /api/v2/tickets/{id}/comments/count", countComments)
	add("PUT /api/v2/tickets/{id}/comments/{comment}/attachments/{attachment}/redact", redactAttachment)
	add("GET /api/v2/tickets/{id}/audits", listAudits)
	add("GET /api/v2/tickets/{id}/audits/{audit}", showAudit)

	add("GET /api/v2/users", listUsers)
	add("POST /api/v2/users", createUser)
	open("GET /api/v2/users/me", showMe)
	add("GET /api/v2/users/count", countUsers)
	add("GET /api/v2/users/search", searchUsers)
	add("GET /api/v2/users/autocomplete", autocompleteUsers)
	add("GET /api/v2/users/show_many", showManyUsers)
	add("POST /api/v2/users/create_or_update", createOrUpdateUser)
	add("GET /api/v2/users/{id}", showUser)
	add("PUT /api/v2/users/{id}", updateUser)
	add("DELETE /api/v2/users/{id}", deleteUser)
	add("GET /api/v2/users/{id}/tickets/requested", requestedTickets)
	add("GET /api/v2/users/{id}/tickets/ccd", ccdTickets)
	add("GET /api/v2/users/{id}/tickets/followed", followedTickets)
	add("GET /api/v2/users/{id}/tickets/assigned", assignedTickets)

	add("GET /api/v2/organizations", listOrganizations)
	add("POST /api/v2/organizations", createOrganization)
	add("GET /api/v2/organizations/count", countOrganizations)
	add("GET /api/v2/organizations/search", searchOrganizations)
	add("GET /api/v2/organizations/autocomplete", autocompleteOrganizations)
	add("GET /api/v2/organizations/show_many", showManyOrganizations)
	add("POST /api/v2/organizations/create_or_update", createOrUpdateOrganization)
	add("GET /api/v2/organizations/{id}", showOrganization)
	add("PUT /api/v2/organizations/{id}", updateOrganization)
	add("DELETE /api/v2/organizations/{id}", deleteOrganization)
	add("GET /api/v2/organizations/{id}/tickets", organizationTickets)
	add("GET /api/v2/organizations/{id}/users", organizationUsers)

	add("GET /api/v2/groups", listGroups)
	add("GET /api/v2/groups/count", countGroups)
	add("GET /api/v2/groups/{id}", showGroup)
	add("GET /api/v2/groups/{id}/users", groupUsers)

	add("GET /api/v2/ticket_fields", listFields)
	add("GET /api/v2/ticket_fields/count", countFields)
	add("GET /api/v2/ticket_fields/{id}", showField)

	add("GET /api/v2/views", listViews)
	add("GET /api/v2/views/count_many", countViews)
	add("GET /api/v2/views/{id}", showView)
	add("GET /api/v2/views/{id}/execute", executeView)
	add("GET /api/v2/views/{id}/tickets", viewTickets)
	add("GET /api/v2/views/{id}/count", countView)

	add("POST /api/v2/uploads", createUpload)
	add("DELETE /api/v2/uploads/{token}", deleteUpload)
	add("GET /api/v2/attachments/{id}", showAttachment)
	open("GET /attachments/token/{token}", download)

	return all
}
