// Package config reads what a gateway is to do: one YAML file, environment
// variables over it, flags over those. [Load] returns a [Config] or every
// mistake at once, each with its line and the way out; [Open] keeps one in
// force that is read again when the file changes. The other rooms have Options
// of their own, which [Config.Gateway], [Config.Transport] and [Config.AdminOptions]
// fill; what is read anew for each call is in [Settings].
//
// The package decides nothing about calls. It says who a caller is and what
// was configured for it.
package config
