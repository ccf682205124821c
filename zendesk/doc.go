// Package zendesk is what flyball knows about the Zendesk API: which counters
// a request draws on, what an answer says about them, and what a refusal
// means. Facts and parsing only: no clock, no network.
//
// Reach for [Provider] first; it implements [limit.Provider]. [Catalogue]
// lists every limit it knows, with where each one is stated. Its only state is
// the table of limits that headers named and the catalogue does not, which is
// bounded and never changes an answer already given.
//
// Sources are written as short codes: [RL] is Zendesk's rate limits page, [TK]
// its tickets page, [US] users, [INC] incremental exports, [SE] search, [OAS]
// its OpenAPI file, [WH] webhooks, [TALK] and [TALKI] Talk, [CHAT] Live Chat,
// [SDK] the mobile SDK, [L2020] the announcement of November 2020, [BP] its
// page on avoiding rate limiting, [ZP] recorded traffic of the zenpy project,
// [CSA] a published probe of a live account.
package zendesk
