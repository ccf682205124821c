package zendesk

// paths lists the paths that are told apart, one family a line: the family's
// path, a colon, and what stands below it. Everything else is counted under
// its nearest known ancestor as {other}, so route classes stay bounded. {id}
// takes a segment with a digit in it, {key} and {locale} any name. The
// catalogue's paths are added to these.
const paths = `
/api/v2/account: settings
/api/v2/activities: count {id}
/api/v2/agent_availabilities: {id}
/api/v2/apps: installations installations/{id} owned {id} uploads
/api/v2/attachments: {id}
/api/v2/audit_logs: {id} export
/api/v2/automations: {id} active search update_many destroy_many
/api/v2/bookmarks: {id}
/api/v2/brands: {id} check_host_mapping {id}/check_host_mapping
/api/v2/calls: {id} {id}/comments
/api/v2/channels: voice
/api/v2/channels/voice: availabilities/{id} callback_requests phone_numbers phone_numbers/{id} phone_numbers/search greetings greetings/{id} lines lines/{id} tickets
/api/v2/channels/voice/stats: account_overview agents_activity agents_overview current_queue_activity incremental/calls incremental/legs
/api/v2/chat: chats chats/{id} chats/search agents agents/{id} departments departments/{id} visitors visitors/{id} account bans bans/{id} triggers triggers/{id} shortcuts shortcuts/{id} goals goals/{id} skills skills/{id} roles roles/{id} incremental/chats incremental/agent_events incremental/agent_timeline
/api/v2/comment_redactions: {id}
/api/v2/chat_redactions: {id}
/api/v2/community: posts posts/{id} posts/{id}/comments posts/{id}/comments/{id} posts/{id}/votes posts/{id}/subscriptions posts/search topics topics/{id} topics/{id}/posts topics/{id}/subscriptions users/{id}/posts users/{id}/comments
/api/v2/custom_objects: {key} {key}/fields {key}/fields/{id} {key}/records {key}/records/{id} {key}/records/search {key}/records/count {key}/records/autocomplete {key}/jobs {key}/triggers {key}/limits/record_limit
/api/v2/custom_roles: {id}
/api/v2/custom_statuses: {id}
/api/v2/deleted_tickets: {id} {id}/restore restore_many destroy_many
/api/v2/deleted_users: {id} count
/api/v2/deletion_schedules: {id}
/api/v2/dynamic_content: items items/{id} items/{id}/variants items/{id}/variants/{id} items/{id}/variants/create_many items/{id}/variants/update_many items/show_many
/api/v2/email_notifications: {id} show_many
/api/v2/engagements: {id}
/api/v2/external_content: records records/{id} sources sources/{id} types types/{id}
/api/v2/gather: badges badges/{id} badge_assignments badge_categories
/api/v2/group_memberships: {id} assignable create_many destroy_many
/api/v2/group_slas: policies policies/{id} policies/reorder policies/definitions
/api/v2/groups: {id} assignable count {id}/users {id}/memberships {id}/memberships/assignable
/api/v2/guide: content_tags content_tags/{id} search medias medias/{id} permission_groups permission_groups/{id} user_images user_images/uploads
/api/v2/guide/external_content: records records/{id} sources sources/{id} types types/{id}
/api/v2/help_center: articles articles/{id} articles/{id}/attachments articles/{id}/attachments/{id} articles/{id}/comments articles/{id}/comments/{id} articles/{id}/labels articles/{id}/translations articles/{id}/translations/{key} articles/{id}/votes articles/{id}/subscriptions articles/search articles/attachments articles/attachments/{id} articles/labels sections sections/{id} sections/{id}/articles sections/{id}/translations sections/{id}/subscriptions categories categories/{id} categories/{id}/articles categories/{id}/sections categories/{id}/translations user_segments user_segments/{id} users/{id}/articles users/{id}/comments users/{id}/subscriptions community/topics community/posts incremental/articles locales search topics votes/{id} sessions
/api/v2/help_center/{locale}: articles articles/{id} articles/{id}/comments articles/{id}/labels articles/{id}/translations articles/search sections sections/{id} sections/{id}/articles categories categories/{id} categories/{id}/articles categories/{id}/sections
/api/v2/imports: tickets tickets/create_many
/api/v2/incremental: tickets tickets/cursor tickets/sample ticket_events users users/cursor users/sample organizations organizations/sample ticket_metric_events routing/agents routing/attributes routing/attribute_values routing/instance_values custom_objects/{key}/cursor
/api/v2/job_statuses: {id} show_many
/api/v2/locales: {id} agent current public detect_best_locale
/api/v2/macros: {id} active actions categories definitions new search update_many destroy_many {id}/apply {id}/attachments attachments attachments/{id}
/api/v2/oauth: clients clients/{id} global_clients tokens tokens/{id} tokens/current
/api/v2/organization_fields: {id} reorder {id}/options {id}/options/{id}
/api/v2/organization_memberships: {id} create_many destroy_many
/api/v2/organization_merges: {id}
/api/v2/organization_subscriptions: {id}
/api/v2/organizations: {id} count autocomplete search show_many create_many update_many destroy_many create_or_update {id}/tickets {id}/tickets/count {id}/users {id}/users/count {id}/tags {id}/organization_memberships {id}/related {id}/merge {id}/requests {id}/subscriptions
/api/v2/queues: {id} definitions order
/api/v2/recipient_addresses: {id} {id}/verify
/api/v2/relationships: definitions definitions/{key}
/api/v2/requests: {id} search {id}/comments {id}/comments/{id} open solved ccd
/api/v2/resource_collections: {id}
/api/v2/routing: attributes attributes/{id} attributes/{id}/values agents/instance_values agents/instance_values/job agents/{id}/instance_values tickets/{id}/instance_values requirements/fulfilled
/api/v2/satisfaction_ratings: {id} count received
/api/v2/satisfaction_reasons: {id}
/api/v2/search: count export
/api/v2/sessions: {id}
/api/v2/sharing_agreements: {id}
/api/v2/skips:
/api/v2/slas: policies policies/{id} policies/reorder policies/definitions
/api/v2/suspended_tickets: {id} {id}/recover {id}/attachments recover_many destroy_many export
/api/v2/tags: count
/api/v2/autocomplete: tags
/api/v2/target_failures: {id}
/api/v2/targets: {id}
/api/v2/ticket_audits: {id}
/api/v2/ticket_fields: {id} count reorder show_many {id}/options {id}/options/{id}
/api/v2/ticket_form_statuses: {id}
/api/v2/ticket_forms: {id} reorder show_many {id}/clone
/api/v2/ticket_metrics: {id}
/api/v2/tickets: {id} count recent show_many create_many update_many destroy_many mark_many_as_spam side_conversations/events {id}/audits {id}/audits/{id} {id}/audits/count {id}/comments {id}/comments/{id} {id}/comments/count {id}/comments/{id}/redact {id}/comments/{id}/make_private {id}/comments/{id}/attachments/{id}/redact {id}/collaborators {id}/followers {id}/email_ccs {id}/incidents {id}/problems {id}/related {id}/metrics {id}/tags {id}/skips {id}/conversation_log {id}/mark_as_spam {id}/merge {id}/satisfaction_rating {id}/side_conversations {id}/side_conversations/{id} {id}/side_conversations/{id}/reply {id}/side_conversations/{id}/events {id}/macros/{id}/apply
/api/v2/problems: autocomplete
/api/v2/trigger_categories: {id} jobs
/api/v2/triggers: {id} active definitions reorder search update_many destroy_many {id}/revisions {id}/revisions/{id}
/api/v2/uploads: {id}
/api/v2/user_fields: {id} reorder {id}/options {id}/options/{id}
/api/v2/user_profiles: {id}
/api/v2/users: {id} me count search autocomplete show_many create_many create_or_update create_or_update_many update_many destroy_many logout_many request_create {id}/identities {id}/identities/{id} {id}/identities/{id}/make_primary {id}/identities/{id}/verify {id}/identities/{id}/request_verification {id}/tickets/requested {id}/tickets/ccd {id}/tickets/followed {id}/tickets/assigned {id}/organizations {id}/organization_memberships {id}/groups {id}/group_memberships {id}/related {id}/tags {id}/password {id}/password/requirements {id}/sessions {id}/merge {id}/requests {id}/skips {id}/compliance_deletion_statuses {id}/entitlements {id}/events {id}/profiles me/sessions me/settings me/merge me/session me/oauth/clients
/api/v2/views: {id} active compact count count_many preview preview/count search show_many update_many destroy_many definitions {id}/count {id}/execute {id}/export {id}/tickets
/api/v2/webhooks: {id} test {id}/invocations {id}/invocations/{id}/attempts {id}/signing_secret {id}/secret
/api/v2/workspaces: {id} reorder destroy_many
/api/v2/zis: registry
/api/services/jira: links links/{id} 
/api/services/zis: registry inbound_webhooks
/api/sunshine: objects/records objects/records/{id} objects/types objects/types/{key} relationships/records relationships/records/{id} relationships/types relationships/types/{key} objects/jobs events user_profiles user_profiles/{id} limits
/api/mobile: requests requests/{id}
/access: sdk/anonymous sdk/jwt
/attachments: token/{key}
/oauth: tokens authorizations/new
/hc: {key}
`
