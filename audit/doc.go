// Package audit reads recorded traffic and says what it costs: how often calls
// were refused and why, how near the limit the account came, whether throttling
// is needed, and which calls need not have been made.
//
// Reach for [Files] first; it reads logs of any known format, in the order of
// time, into an [Audit], whose [Audit.Report] has the figures. Text, JSON and
// HTML are made of the report by others. Memory is bounded whatever the length
// of the logs; where a bound was felt, the report says so.
//
// What stands in a log is never trusted: a line that cannot be read is counted
// and cited, a file of which too little can be read is an error that names the
// line.
package audit
