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

	job := func(pattern string, serve func(*call) answer) {
		all = append(all, endpoint{pattern: pattern, serve: serve, job: true})
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

	add("GET /api/v2/tickets/{id}/tags", listTicketTags)
	add("POST /api/v2/tickets/{id}/tags", setTicketTags)
	add("PUT /api/v2/tickets/{id}/tags", addTicketTags)
	add("DELETE /api/v2/tickets/{id}/tags", removeTicketTags)
	add("PUT /api/v2/tickets/{id}/mark_as_spam", spamTicket)
	job("POST /api/v2/tickets/{id}/merge", mergeTickets)
	job("POST /api/v2/tickets/create_many", createManyTickets)
	job("PUT /api/v2/tickets/update_many", updateManyTickets)
	job("DELETE /api/v2/tickets/destroy_many", destroyManyTickets)
	job("PUT /api/v2/tickets/mark_many_as_spam", spamManyTickets)
	add("POST /api/v2/imports/tickets", importOneTicket)
	job("POST /api/v2/imports/tickets/create_many", importManyTickets)

	add("GET /api/v2/deleted_tickets", listDeleted)
	add("GET /api/v2/deleted_tickets/count", countDeleted)
	job("DELETE /api/v2/deleted_tickets/destroy_many", purgeManyTickets)
	add("PUT /api/v2/deleted_tickets/restore_many", restoreManyTickets)
	job("DELETE /api/v2/deleted_tickets/{id}", purgeTicket)
	add("PUT /api/v2/deleted_tickets/{id}/restore", restoreTicket)

	add("GET /api/v2/users", listUsers)
	add("POST /api/v2/users", createUser)
	open("GET /api/v2/users/me", showMe)
	add("GET /api/v2/users/count", countUsers)
	add("GET /api/v2/users/search", searchUsers)
	add("GET /api/v2/users/autocomplete", autocompleteUsers)
	add("GET /api/v2/users/show_many", showManyUsers)
	add("POST /api/v2/users/create_or_update", createOrUpdateUser)
	job("POST /api/v2/users/create_many", createManyUsers)
	job("POST /api/v2/users/create_or_update_many", createOrUpdateManyUsers)
	job("PUT /api/v2/users/update_many", updateManyUsers)
	job("DELETE /api/v2/users/destroy_many", destroyManyUsers)
	add("POST /api/v2/users/logout_many", logoutManyUsers)
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
	job("POST /api/v2/organizations/create_many", createManyOrganizations)
	job("PUT /api/v2/organizations/update_many", updateManyOrganizations)
	job("DELETE /api/v2/organizations/destroy_many", destroyManyOrganizations)
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

	add("GET /api/v2/job_statuses", listJobs)
	add("GET /api/v2/job_statuses/show_many", showManyJobs)
	add("GET /api/v2/job_statuses/{job}", showJob)

	add("GET /api/v2/tags", listTags)
	add("GET /api/v2/tags/count", countTags)

	add("GET /api/v2/search", search)
	add("GET /api/v2/search/count", searchCount)
	add("GET /api/v2/search/export", searchExport)

	add("GET /api/v2/incremental/tickets", exportTickets)
	add("GET /api/v2/incremental/tickets/cursor", exportTicketsByCursor)
	add("GET /api/v2/incremental/ticket_events", exportEvents)
	add("GET /api/v2/incremental/users", exportUsers)
	add("GET /api/v2/incremental/users/cursor", exportUsersByCursor)
	add("GET /api/v2/incremental/organizations", exportOrganizations)
	add("GET /api/v2/incremental/{resource}/sample", exportSample)

	add("POST /api/v2/uploads", createUpload)
	add("DELETE /api/v2/uploads/{token}", deleteUpload)
	add("GET /api/v2/attachments/{id}", showAttachment)
	open("GET /attachments/token/{token}", download)

	add("GET /api/v2/help_center/articles", listArticles)
	add("GET /api/v2/help_center/articles/{id}", showArticle)
	add("GET /api/v2/help_center/categories", listCategories)
	add("GET /api/v2/help_center/categories/{id}", showCategory)
	add("GET /api/v2/help_center/categories/{id}/articles", categoryArticles)
	add("GET /api/v2/help_center/{locale}/articles", listArticles)
	add("GET /api/v2/help_center/{locale}/categories", listCategories)

	add("GET /api/v2/webhooks", listWebhooks)
	add("POST /api/v2/webhooks", createWebhook)
	add("POST /api/v2/webhooks/test", testWebhook)
	add("GET /api/v2/webhooks/{webhook}", showWebhook)
	add("PUT /api/v2/webhooks/{webhook}", replaceWebhook)
	add("PATCH /api/v2/webhooks/{webhook}", changeWebhook)
	add("DELETE /api/v2/webhooks/{webhook}", deleteWebhook)

	add("GET /api/v2/oauth/tokens", listOAuthTokens)
	add("GET /api/v2/oauth/clients", listOAuthClients)
	add("GET /api/v2/oauth/global_clients", listGlobalClients)
	add("GET /api/v2/api_tokens", listAPITokens)

	add("GET /api/v2/calls", listCalls)
	add("GET /api/v2/channels/voice/stats/current_queue_activity", queueActivity)

	return all
}
