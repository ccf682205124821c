// Package cache is the layer that answers calls without a send: with what an
// earlier send brought, while a rule or the server calls that fresh, and with
// what a send under way for an identical call is about to bring.
//
// It is a private cache in the sense of RFC 9111: an entry belongs to one
// credential, and a rule is needed to keep anything the server wants asked
// for each time.
package cache
