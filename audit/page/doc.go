// Package page writes an audit's report as one HTML page that needs nothing
// else: no script, no font, no address. Its charts are SVG, its colours follow
// the reader's light or dark setting.
package page
